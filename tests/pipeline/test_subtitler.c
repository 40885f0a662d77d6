#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "media/plan.h"
#include "media/source.h"
#include "pipeline/item.h"
#include "pipeline/subtitler.h"
#include "support/folder.h"
#include "support/stand.h"

#define NUMBER 2

static char *folder;

static int write_texts(void **state)
{
    (void)state;
    folder = folder_create();
    folder_put(folder, "a.srt",
               "1\n00:00:01,000 --> 00:00:02,500\nHello <i>you</i>\n\n"
               "2\n00:00:03,000 --> 00:00:04,000\n\n\n"
               "3\n00:01:00,250 --> 00:01:01,000\ntwo\nlines\n");
    folder_put(folder, "a.vtt",
               "WEBVTT\n\n00:01.000 --> 00:02.500\nHello you\n");
    return 0;
}

static int remove_texts(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

static struct plan_track convert_to(const char *encoder)
{
    struct plan_track track = {.kind = MEDIA_SUBTITLE};

    (void)snprintf(track.encoder, sizeof(track.encoder), "%s", encoder);
    return track;
}

static void start(struct stand *s, struct source *source,
                  const struct plan_track *track)
{
    const struct subtitler_config config = {
        .track = track, .source = source, .number = NUMBER};
    struct stage *stage = NULL;
    struct error e = {0};

    assert_int_equal(subtitler_create(&stage, &config, &e), 0);
    stand_init(s, stage, STAND_SENDS);
}

/* The next one as "BEGIN+LENGTH text", in ms; mov_text has a length before its
 * text, which is left out. */
static const char *take(struct stand *s, size_t skip)
{
    static char text[512];
    struct item *item = stand_take(s);

    if (!item)
        return "(end)";
    assert_int_equal(item->kind, ITEM_PACKET);
    assert_int_equal(item->track, NUMBER);
    assert_int_equal(av_cmp_q(item->time_base, (AVRational){1, 1000}), 0);
    const AVPacket *p = item->packet;
    assert_int_equal(p->pts, p->dts);
    assert_true((size_t)p->size >= skip);
    (void)snprintf(text, sizeof(text), "%d+%d %.*s", (int)p->pts,
                   (int)p->duration, p->size - (int)skip,
                   (const char *)p->data + skip);
    item_destroy(item);
    return text;
}

static enum AVCodecID take_format(struct stand *s)
{
    struct item *item = stand_take(s);

    assert_non_null(item);
    assert_int_equal(item->kind, ITEM_FORMAT);
    assert_int_equal(item->track, NUMBER);
    enum AVCodecID codec = item->format.parameters->codec_id;
    item_destroy(item);
    return codec;
}

static void subtitler__srt__becomes_any_other(void **state)
{
    static const struct {
        const char *encoder;
        enum AVCodecID codec;
        size_t skip;
        const char *first;
        const char *last;
    } cases[] = {
        {"webvtt", AV_CODEC_ID_WEBVTT, 0, "1000+1500 Hello <i>you</i>",
         "60250+750 two\nlines"},
        {"srt", AV_CODEC_ID_SUBRIP, 0, "1000+1500 Hello <i>you</i>",
         "60250+750 two\r\nlines"},
        {"ass", AV_CODEC_ID_ASS, 0,
         "1000+1500 0,0,Default,,0,0,0,,Hello {\\i1}you{\\i0}",
         "60250+750 1,0,Default,,0,0,0,,two\\Nlines"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct source *source = stand_open(folder, "a.srt");
        struct plan_track track = convert_to(cases[i].encoder);
        struct stand s;
        print_message("%s\n", cases[i].encoder);
        start(&s, source, &track);
        assert_true(stand_feed_stream(&s, source, 0) >= 2);
        assert_int_equal(stand_run(&s), 0);
        assert_int_equal(take_format(&s), cases[i].codec);
        assert_string_equal(take(&s, cases[i].skip), cases[i].first);
        assert_string_equal(take(&s, cases[i].skip), cases[i].last);
        assert_string_equal(take(&s, 0), "(end)"); // the one without text
        stand_fini(&s);
        source_close(source);
    }
}

/* Its packets begin with the length of the text, and end with its styles. */
static void subtitler__webvtt__becomes_mov_text(void **state)
{
    struct source *source = stand_open(folder, "a.vtt");
    struct plan_track track = convert_to("mov_text");
    struct stand s;

    (void)state;
    start(&s, source, &track);
    assert_int_equal(stand_feed_stream(&s, source, 0), 1);
    assert_int_equal(stand_run(&s), 0);
    assert_int_equal(take_format(&s), AV_CODEC_ID_MOV_TEXT);
    assert_string_equal(take(&s, 2), "1000+1500 Hello you");
    stand_fini(&s);
    source_close(source);
}

static void feed(struct stand *s, const char *text, int64_t pts)
{
    AVPacket *packet = av_packet_alloc();

    assert_non_null(packet);
    assert_int_equal(av_new_packet(packet, (int)strlen(text)), 0);
    memcpy(packet->data, text, strlen(text));
    packet->pts = packet->dts = pts;
    packet->duration = 500;
    stand_feed(s, item_packet(packet, (AVRational){1, 1000}));
}

static void subtitler__odd_packets__harm_no_others(void **state)
{
    struct source *source = stand_open(folder, "a.srt");
    struct plan_track track = convert_to("webvtt");
    static char endless[200000];
    struct stand s;

    (void)state;
    memset(endless, 'x', sizeof(endless) - 1);
    start(&s, source, &track);
    feed(&s, "no time", AV_NOPTS_VALUE);
    feed(&s, "", 1000);
    feed(&s, endless, 2000); // longer than any that an encoder makes
    feed(&s, "good", 3000);
    feed(&s, "at once", 0);
    assert_int_equal(stand_run(&s), 0);
    (void)take_format(&s);
    assert_string_equal(take(&s, 0), "3000+500 good");
    assert_string_equal(take(&s, 0), "0+500 at once");
    assert_string_equal(take(&s, 0), "(end)");
    stand_fini(&s);
    source_close(source);
}

static void subtitler__nothing__still_has_a_format(void **state)
{
    struct source *source = stand_open(folder, "a.srt");
    struct plan_track track = convert_to("ass");
    struct stand s;

    (void)state;
    start(&s, source, &track);
    assert_int_equal(stand_run(&s), 0);
    assert_int_equal(take_format(&s), AV_CODEC_ID_ASS);
    assert_null(stand_take(&s));
    stand_fini(&s);
    source_close(source);
}

/* ASS keeps its styles in the header, which comes from the decoder. */
static void subtitler__ass__has_a_header_of_styles(void **state)
{
    struct source *source = stand_open(folder, "a.srt");
    struct plan_track track = convert_to("ass");
    struct stand s;

    (void)state;
    start(&s, source, &track);
    assert_int_equal(stand_run(&s), 0);
    struct item *item = stand_take(&s);
    assert_non_null(item);
    const AVCodecParameters *par = item->format.parameters;
    assert_true(par->extradata_size > 0);
    assert_non_null(memmem(par->extradata, (size_t)par->extradata_size,
                           "[V4+ Styles]", 12));
    item_destroy(item);
    stand_fini(&s);
    source_close(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(subtitler__srt__becomes_any_other),
        cmocka_unit_test(subtitler__webvtt__becomes_mov_text),
        cmocka_unit_test(subtitler__odd_packets__harm_no_others),
        cmocka_unit_test(subtitler__nothing__still_has_a_format),
        cmocka_unit_test(subtitler__ass__has_a_header_of_styles),
    };

    av_log_set_level(AV_LOG_QUIET);
    return cmocka_run_group_tests(tests, write_texts, remove_texts);
}
