#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include <libavformat/avformat.h>

#include "media/extent.h"

#define HEADER  "\x1a\x45\xdf\xa3"
#define SEGMENT "\x18\x53\x80\x67"

/* As if opened: only what the module looks at. */
static AVFormatContext *pretend(const char *demuxer)
{
    AVFormatContext *format = avformat_alloc_context();

    assert_non_null(format);
    format->iformat = av_find_input_format(demuxer);
    assert_non_null(format->iformat);
    return format;
}

static int64_t promised(const char *demuxer, const char *head, size_t size)
{
    AVFormatContext *format = pretend(demuxer);
    uint8_t *exact = malloc(size + !size); // so that ASan sees a step too far

    assert_non_null(exact);
    memcpy(exact, head, size);
    int64_t end = extent_promised(format, exact, size);
    free(exact);
    avformat_free_context(format);
    return end;
}

#define HEAD(text) text, sizeof(text) - 1

static void extent_promised__matroska__is_where_its_segment_ends(void **state)
{
    static const struct {
        const char *what;
        const char *head;
        size_t size;
        int64_t expect;
    } cases[] = {
        {"sizes of 1 byte",
         HEAD(HEADER "\x83"
                     "abc" SEGMENT "\x90"),
         8 + 5 + 16},
        {"an empty header", HEAD(HEADER "\x80" SEGMENT "\x81"), 5 + 5 + 1},
        {"sizes of 2 bytes",
         HEAD(HEADER "\x40\x01"
                     "a" SEGMENT "\x41\x02"),
         7 + 6 + 0x102},
        {"a size of 8 bytes",
         HEAD(HEADER "\x80" SEGMENT "\x01\x00\x00\x01\x00\x00\x00\x02"),
         5 + 12 + 0x100000002},
        {"the largest size",
         HEAD(HEADER "\x80" SEGMENT "\x01\xff\xff\xff\xff\xff\xff\xfe"),
         5 + 12 + ((INT64_C(1) << 56) - 2)},
        {"an empty segment", HEAD(HEADER "\x80" SEGMENT "\x80"), 10},
        {"more behind it",
         HEAD(HEADER "\x80" SEGMENT "\x84"
                     "abcdefgh"),
         14},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%s\n", cases[i].what);
        assert_int_equal(promised("matroska", cases[i].head, cases[i].size),
                         cases[i].expect);
    }
}

static void extent_promised__matroska_that_says_nothing__is_0(void **state)
{
    static const struct {
        const char *what;
        const char *head;
        size_t size;
    } cases[] = {
        {"unknown, in 1 byte", HEAD(HEADER "\x80" SEGMENT "\xff")},
        {"unknown, in 2 bytes", HEAD(HEADER "\x80" SEGMENT "\x7f\xff")},
        {"unknown, in 8 bytes",
         HEAD(HEADER "\x80" SEGMENT "\x01\xff\xff\xff\xff\xff\xff\xff")},
        {"a header of unknown size", HEAD(HEADER "\xff" SEGMENT "\x84")},
        {"a header that is longer than what was read",
         HEAD(HEADER "\x88" SEGMENT "\x84")},
        {"another file", HEAD("\x1a\x45\xdf\xa4\x80" SEGMENT "\x84")},
        {"another element first", HEAD(HEADER "\x80"
                                              "\xec\x81"
                                              "x" SEGMENT "\x84")},
        {"a number that has no end", HEAD(HEADER "\x80" SEGMENT "\x00\x84")},
        {"an id of 0", HEAD(HEADER "\x80"
                                   "\x00\x84")},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%s\n", cases[i].what);
        assert_int_equal(promised("matroska", cases[i].head, cases[i].size), 0);
    }
}

static void extent_promised__matroska_cut_off_anywhere__is_0(void **state)
{
    static const char whole[] =
        HEADER "\x40\x03"
               "abc" SEGMENT "\x01\x00\x00\x00\x00\x00\x00\x10";

    (void)state;
    for (size_t size = 0; size < sizeof(whole) - 1; size++) {
        print_message("%zu bytes\n", size);
        assert_int_equal(promised("matroska", whole, size), 0);
    }
    assert_int_equal(promised("matroska", whole, sizeof(whole) - 1),
                     sizeof(whole) - 1 + 16);
}

/* Samples of two streams, one of them out of order. */
static void extent_promised__mp4__is_where_its_last_sample_ends(void **state)
{
    static const struct {
        unsigned stream;
        int64_t position;
        int size;
        int64_t time;
    } samples[] = {
        {0, 40, 10, 0}, {1, 50, 5, 0},    {1, 900, 7, 1}, {0, 800, 100, 1},
        {0, 60, 20, 2}, {0, 850, 100, 3}, // begins inside another
    };
    AVFormatContext *format = pretend("mov");

    (void)state;
    assert_int_equal(extent_promised(format, NULL, 0), 0);
    for (int i = 0; i < 3; i++) // the third has no samples
        assert_non_null(avformat_new_stream(format, NULL));
    assert_int_equal(extent_promised(format, NULL, 0), 0);
    for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
        assert_true(av_add_index_entry(format->streams[samples[i].stream],
                                       samples[i].position, samples[i].time,
                                       samples[i].size, 0, 0) >= 0);
    assert_int_equal(extent_promised(format, NULL, 0), 950);
    avformat_free_context(format);
}

static void extent_promised__other_containers__say_nothing(void **state)
{
    static const char *const demuxers[] = {"mpegts", "avi", "flac"};
    static const char head[] = HEADER "\x80" SEGMENT "\x84";

    (void)state;
    for (size_t i = 0; i < sizeof(demuxers) / sizeof(demuxers[0]); i++) {
        AVFormatContext *format = pretend(demuxers[i]);
        AVStream *st = avformat_new_stream(format, NULL);
        print_message("%s\n", demuxers[i]);
        assert_non_null(st);
        assert_true(av_add_index_entry(st, 100, 0, 10, 0, 0) >= 0);
        assert_int_equal(
            extent_promised(format, (const uint8_t *)head, sizeof(head) - 1),
            0);
        avformat_free_context(format);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(extent_promised__matroska__is_where_its_segment_ends),
        cmocka_unit_test(extent_promised__matroska_that_says_nothing__is_0),
        cmocka_unit_test(extent_promised__matroska_cut_off_anywhere__is_0),
        cmocka_unit_test(extent_promised__mp4__is_where_its_last_sample_ends),
        cmocka_unit_test(extent_promised__other_containers__say_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
