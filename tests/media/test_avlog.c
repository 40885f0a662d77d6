#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavfilter/avfilter.h>
#include <libavformat/avformat.h>
#include <libavutil/log.h>

#include "media/avlog.h"

/* What the sink got, one a line: "warning: text". */
static char heard[8192];
static int lines;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void on_line(void *opaque, enum log_level level, const char *line)
{
    static const char *const names[] = {
        [LOG_LEVEL_ERROR] = "error", [LOG_LEVEL_WARNING] = "warning",
        [LOG_LEVEL_INFO] = "info",   [LOG_LEVEL_DEBUG] = "debug",
        [LOG_LEVEL_TRACE] = "trace",
    };

    pthread_mutex_lock(&lock);
    size_t used = strlen(heard);
    assert_ptr_equal(opaque, &lines);
    (void)snprintf(heard + used, sizeof(heard) - used, "%s%s: %s",
                   used ? "\n" : "", names[level], line);
    lines++;
    pthread_mutex_unlock(&lock);
}

/* Each test hears only its own; the line of the one before is not repeated. */
static int start(void **state)
{
    (void)state;
    avlog_start(on_line, &lines);
    av_log(NULL, AV_LOG_ERROR, "before the test\n");
    *heard = '\0';
    lines = 0;
    return 0;
}

static void avlog__levels__are_two(void **state)
{
    static const struct {
        int level;
        const char *expect;
    } cases[] = {
        {AV_LOG_PANIC, "error: panic"},
        {AV_LOG_FATAL, "error: fatal"},
        {AV_LOG_ERROR, "error: error"},
        {AV_LOG_WARNING, "warning: warning"},
        {AV_LOG_INFO, ""},
        {AV_LOG_VERBOSE, ""},
        {AV_LOG_DEBUG, ""},
        {AV_LOG_TRACE, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *text = strchr(cases[i].expect, ' ');
        print_message("level %d\n", cases[i].level);
        *heard = '\0';
        av_log(NULL, cases[i].level, "%s\n", text ? text + 1 : "quiet");
        assert_string_equal(heard, cases[i].expect);
    }
}

static void avlog__pieces__are_one_line(void **state)
{
    (void)state;
    av_log(NULL, AV_LOG_WARNING, "profile ");
    av_log(NULL, AV_LOG_WARNING, "%s, ", "High");
    assert_string_equal(heard, "");
    av_log(NULL, AV_LOG_DEBUG, "between them\n");
    av_log(NULL, AV_LOG_WARNING, "level %.1f\n", 4.1);
    assert_string_equal(heard, "warning: profile High, level 4.1");
}

static void avlog__empty_lines__are_none(void **state)
{
    (void)state;
    av_log(NULL, AV_LOG_WARNING, "\n");
    av_log(NULL, AV_LOG_WARNING, "\r\n");
    assert_int_equal(lines, 0);
    av_log(NULL, AV_LOG_WARNING, "with a return\r\n");
    assert_string_equal(heard, "warning: with a return");
}

static void avlog__several_lines_at_once__are_several(void **state)
{
    (void)state;
    av_log(NULL, AV_LOG_ERROR, "one\ntwo\n\nthr");
    av_log(NULL, AV_LOG_ERROR, "ee\n");
    assert_string_equal(heard, "error: one\nerror: two\nerror: three");
}

static void avlog__control_characters__are_escaped(void **state)
{
    (void)state;
    av_log(NULL, AV_LOG_ERROR, "title '\x1b[31m\xff'\n");
    assert_string_equal(heard, "error: title '\\x1b[31m\\xff'");
}

static void avlog__repetition__is_said_once(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++)
        av_log(NULL, AV_LOG_ERROR, "missing reference\n");
    av_log(NULL, AV_LOG_ERROR, "another\n");
    av_log(NULL, AV_LOG_ERROR, "missing reference\n");
    assert_string_equal(heard, "error: missing reference\nerror: another\n"
                               "error: missing reference");
}

static void avlog__endless_line__is_cut(void **state)
{
    char text[3000];

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    av_log(NULL, AV_LOG_ERROR, "%s", text);
    assert_int_equal(lines, 1);
    assert_in_range(strlen(heard), 900, 1100);
    *heard = '\0';
    av_log(NULL, AV_LOG_ERROR, "\n");
    av_log(NULL, AV_LOG_ERROR, "the next\n");
    assert_string_equal(heard, "error: the next");
}

static void avlog__speakers__are_named(void **state)
{
    const AVCodec *flac = avcodec_find_encoder(AV_CODEC_ID_FLAC);
    AVCodecContext *codec = avcodec_alloc_context3(flac);
    AVFilterGraph *graph = avfilter_graph_alloc();
    AVFilterContext *scale = avfilter_graph_alloc_filter(
        graph, avfilter_get_by_name("scale"), "Parsed_scale_0");
    AVFormatContext *output = NULL;
    AVFormatContext *nameless = avformat_alloc_context();

    (void)state;
    assert_true(
        avformat_alloc_output_context2(&output, NULL, "matroska", NULL) >= 0);
    codec->codec = flac; // as avcodec_open2() does
    av_log(codec, AV_LOG_ERROR, "a\n");
    av_log(scale, AV_LOG_WARNING, "b\n");
    av_log(output, AV_LOG_WARNING, "c\n");
    av_log(nameless, AV_LOG_WARNING, "d\n");
    av_log(NULL, AV_LOG_WARNING, "e\n");
    assert_string_equal(heard, "error: flac: a\nwarning: scale: b\n"
                               "warning: matroska: c\n"
                               "warning: AVFormatContext: d\nwarning: e");
    codec->codec = NULL;
    avcodec_free_context(&codec);
    avfilter_graph_free(&graph);
    avformat_free_context(output);
    avformat_free_context(nameless);
}

/* A parser's context has no codec; what it says is for debugging. */
static void avlog__parser__chats(void **state)
{
    AVCodecContext *codec = avcodec_alloc_context3(NULL);

    (void)state;
    codec->codec_id = AV_CODEC_ID_H264;
    av_log(codec, AV_LOG_ERROR, "no frame\n");
    assert_string_equal(heard, "debug: h264: no frame");
    avcodec_free_context(&codec);
}

static void *log_elsewhere(void *object)
{
    av_log(object, AV_LOG_ERROR, "elsewhere\n");
    return NULL;
}

static void avlog__probing__makes_codecs_of_this_thread_chat(void **state)
{
    const AVCodec *flac = avcodec_find_encoder(AV_CODEC_ID_FLAC);
    AVCodecContext *codec = avcodec_alloc_context3(flac);
    pthread_t other;

    (void)state;
    codec->codec = flac;
    avlog_begin_probe();
    av_log(codec, AV_LOG_ERROR, "a guess\n");
    av_log(NULL, AV_LOG_ERROR, "no codec\n");
    assert_int_equal(pthread_create(&other, NULL, log_elsewhere, codec), 0);
    pthread_join(other, NULL);
    avlog_end_probe();
    av_log(codec, AV_LOG_ERROR, "the truth\n");
    assert_string_equal(heard, "debug: flac: a guess\nerror: no codec\n"
                               "error: flac: elsewhere\n"
                               "error: flac: the truth");
    codec->codec = NULL;
    avcodec_free_context(&codec);
}

static void avlog__threads__do_not_mix_their_lines(void **state)
{
    pthread_t other;

    (void)state;
    av_log(NULL, AV_LOG_ERROR, "begun here, ");
    assert_int_equal(pthread_create(&other, NULL, log_elsewhere, NULL), 0);
    pthread_join(other, NULL);
    av_log(NULL, AV_LOG_ERROR, "ended here\n");
    assert_string_equal(heard,
                        "error: elsewhere\nerror: begun here, ended here");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(avlog__levels__are_two, start),
        cmocka_unit_test_setup(avlog__pieces__are_one_line, start),
        cmocka_unit_test_setup(avlog__empty_lines__are_none, start),
        cmocka_unit_test_setup(avlog__several_lines_at_once__are_several,
                               start),
        cmocka_unit_test_setup(avlog__control_characters__are_escaped, start),
        cmocka_unit_test_setup(avlog__repetition__is_said_once, start),
        cmocka_unit_test_setup(avlog__endless_line__is_cut, start),
        cmocka_unit_test_setup(avlog__speakers__are_named, start),
        cmocka_unit_test_setup(avlog__parser__chats, start),
        cmocka_unit_test_setup(avlog__probing__makes_codecs_of_this_thread_chat,
                               start),
        cmocka_unit_test_setup(avlog__threads__do_not_mix_their_lines, start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
