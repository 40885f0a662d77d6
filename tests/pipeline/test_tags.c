#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <libavformat/avformat.h>

#include "base/clock.h"
#include "base/error.h"
#include "pipeline/tags.h"

/* All of it as "key=value", with a blank between them. */
static const char *describe(const AVDictionary *d)
{
    static char text[1024];
    const AVDictionaryEntry *entry = NULL;
    size_t used = 0;

    *text = '\0';
    while ((entry = av_dict_get(d, "", entry, AV_DICT_IGNORE_SUFFIX)))
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s=%s",
                                 used ? " " : "", entry->key, entry->value);
    return text;
}

static const struct {
    const char *key;
    bool kept;
} keys[] = {
    {"title", true},
    {"language", true},
    {"ENCODER", false}, // of the old file
    {"encoder", false},
    {"encoded_by", true},
    {"major_brand", false},
    {"creation_time", false},
    {"DURATION", false},
    {"duration_of_my_life", true},
    {"BPS", false},
    {"BPS-eng", false},
    {"_STATISTICS_TAGS", false},
    {"NUMBER_OF_FRAMES-eng", false},
    {"number", true},
    {"vendor_id", false},
    {"handler_name", true},
};

static void fill(AVDictionary **d)
{
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        assert_true(av_dict_set(d, keys[i].key, "x", AV_DICT_MATCH_CASE) >= 0);
}

static void check(const AVDictionary *d)
{
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        print_message("%s\n", keys[i].key);
        assert_int_equal(
            av_dict_get(d, keys[i].key, NULL, AV_DICT_MATCH_CASE) != NULL,
            keys[i].kept);
    }
}

struct files {
    AVFormatContext *in;
    AVFormatContext *out;
    struct error error;
};

static int open_files(void **state)
{
    static struct files files;

    files = (struct files){.in = avformat_alloc_context(),
                           .out = avformat_alloc_context()};
    *state = &files;
    return files.in && files.out ? 0 : -1;
}

static int close_files(void **state)
{
    struct files *f = *state;

    avformat_free_context(f->in);
    avformat_free_context(f->out);
    return 0;
}

static void tags_copy_file__metadata__loses_what_is_stale(void **state)
{
    struct files *f = *state;

    fill(&f->in->metadata);
    assert_int_equal(tags_copy_file(f->out, f->in, &f->error), 0);
    check(f->out->metadata);
}

static void tags_copy_file__none__is_none(void **state)
{
    struct files *f = *state;

    assert_int_equal(tags_copy_file(f->out, f->in, &f->error), 0);
    assert_null(f->out->metadata);
}

static void tags_copy_stream__metadata__loses_what_is_stale(void **state)
{
    struct files *f = *state;
    AVStream *in = avformat_new_stream(f->in, NULL);
    AVStream *out = avformat_new_stream(f->out, NULL);

    fill(&in->metadata);
    assert_int_equal(tags_copy_stream(out, in, &f->error), 0);
    check(out->metadata);
    assert_null(f->out->metadata);
}

/* Chapters of tenths of a second, so that times have to be converted. */
static void add_chapter(AVFormatContext *format, int64_t start, int64_t end)
{
    AVChapter *chapter = av_mallocz(sizeof(*chapter));
    char title[16];

    (void)snprintf(title, sizeof(title), "%u", format->nb_chapters);
    chapter->id = 100 + format->nb_chapters;
    chapter->time_base = (AVRational){1, 10};
    chapter->start = start;
    chapter->end = end;
    assert_true(av_dict_set(&chapter->metadata, "title", title, 0) >= 0);
    assert_true(av_dict_set(&chapter->metadata, "encoder", "old", 0) >= 0);
    format->chapters = av_realloc_array(
        format->chapters, format->nb_chapters + 1, sizeof(*format->chapters));
    format->chapters[format->nb_chapters++] = chapter;
}

/* As "title:start-end" in tenths of a second, with a blank between them. */
static const char *describe_chapters(const AVFormatContext *format)
{
    static char text[256];
    size_t used = 0;

    *text = '\0';
    for (unsigned i = 0; i < format->nb_chapters; i++) {
        const AVChapter *c = format->chapters[i];
        assert_int_equal(av_cmp_q(c->time_base, AV_TIME_BASE_Q), 0);
        assert_string_equal(describe(c->metadata) + strlen("title="),
                            av_dict_get(c->metadata, "title", NULL, 0)->value);
        assert_int_equal(c->start % (SECOND / 10), 0);
        used += (size_t)snprintf(
            text + used, sizeof(text) - used, "%s%s:%d-%d", used ? " " : "",
            av_dict_get(c->metadata, "title", NULL, 0)->value,
            (int)(c->start / (SECOND / 10)), (int)(c->end / (SECOND / 10)));
    }
    return text;
}

#define TENTHS(n) ((n) * (SECOND / 10))

static void tags_copy_chapters__cuts__keep_what_lies_inside(void **state)
{
    static const struct {
        int64_t start; // tenths
        int64_t end;   // < 0: none
        int64_t zero;
        const char *expect;
    } cases[] = {
        {0, -1, 0, "0:0-50 1:50-80 2:80-120"},
        {0, 120, 0, "0:0-50 1:50-80 2:80-120"},
        {10, -1, 0, "0:0-40 1:40-70 2:70-110"},
        {50, -1, 0, "1:0-30 2:30-70"}, // the first has just ended
        {49, 51, 0, "0:0-1 1:1-2"},    // a little of each
        {0, 80, 0, "0:0-50 1:50-80"},  // the last has not begun
        {55, 70, 0, "1:0-15"},
        {200, -1, 0, ""},
        {60, -1, 60, "1:60-80 2:80-120"}, // with the input's times
        {60, -1, 5, "1:5-25 2:25-65"},
    };
    struct files *f = *state;

    add_chapter(f->in, 0, 50);
    add_chapter(f->in, 50, 80);
    add_chapter(f->in, 80, 120);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t end = cases[i].end < 0 ? INT64_MAX : TENTHS(cases[i].end);
        AVFormatContext *out = avformat_alloc_context();
        print_message("%s\n", cases[i].expect);
        assert_int_equal(tags_copy_chapters(out, f->in, TENTHS(cases[i].start),
                                            end, TENTHS(cases[i].zero),
                                            &f->error),
                         0);
        assert_string_equal(describe_chapters(out), cases[i].expect);
        avformat_free_context(out);
    }
}

static void tags_copy_chapters__ids__stay(void **state)
{
    struct files *f = *state;

    add_chapter(f->in, 0, 50);
    add_chapter(f->in, 50, 80);
    assert_int_equal(
        tags_copy_chapters(f->out, f->in, TENTHS(60), INT64_MAX, 0, &f->error),
        0);
    assert_int_equal(f->out->nb_chapters, 1);
    assert_int_equal(f->out->chapters[0]->id, 101);
}

/* Some containers only say where chapters begin. */
static void tags_copy_chapters__without_ends__last_until_the_next(void **state)
{
    static const struct {
        int64_t start; // tenths
        int64_t end;   // < 0: none
        const char *expect;
    } cases[] = {
        {0, -1, "0:0-50 1:50-80 2:80-200"},
        {60, -1, "1:0-20 2:20-140"},
        {0, 60, "0:0-50 1:50-60"},
        {90, 100, "2:0-10"},
    };
    struct files *f = *state;

    add_chapter(f->in, 0, AV_NOPTS_VALUE);
    add_chapter(f->in, 50, AV_NOPTS_VALUE);
    add_chapter(f->in, 80, AV_NOPTS_VALUE);
    f->in->start_time = 5 * SECOND;
    f->in->duration = 15 * SECOND;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t end = cases[i].end < 0 ? INT64_MAX : TENTHS(cases[i].end);
        AVFormatContext *out = avformat_alloc_context();
        print_message("%s\n", cases[i].expect);
        assert_int_equal(tags_copy_chapters(out, f->in, TENTHS(cases[i].start),
                                            end, 0, &f->error),
                         0);
        assert_string_equal(describe_chapters(out), cases[i].expect);
        avformat_free_context(out);
    }
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, open_files, close_files)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tags_copy_file__metadata__loses_what_is_stale),
        TEST(tags_copy_file__none__is_none),
        TEST(tags_copy_stream__metadata__loses_what_is_stale),
        TEST(tags_copy_chapters__cuts__keep_what_lies_inside),
        TEST(tags_copy_chapters__ids__stay),
        TEST(tags_copy_chapters__without_ends__last_until_the_next),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
