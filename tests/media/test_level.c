#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "media/level.h"

static void level_least__picture_and_rate__decide(void **state)
{
    static const struct {
        enum AVCodecID codec;
        int width;
        int height;
        AVRational rate;
        const char *expect;
    } cases[] = {
        {AV_CODEC_ID_H264, 176, 144, {15, 1}, "1"},
        {AV_CODEC_ID_H264, 1280, 720, {25, 1}, "3.1"},
        {AV_CODEC_ID_H264, 1280, 720, {0, 1}, "3.1"},
        {AV_CODEC_ID_H264, 1280, 720, {50, 1}, "3.2"},
        {AV_CODEC_ID_H264, 1920, 1080, {30, 1}, "4"},
        {AV_CODEC_ID_H264, 1920, 1080, {60, 1}, "4.2"},
        {AV_CODEC_ID_H264, 3840, 2160, {30, 1}, "5.1"},
        {AV_CODEC_ID_H264, 16384, 16384, {60, 1}, "6.2"}, // none allows it
        {AV_CODEC_ID_HEVC, 1920, 1080, {30, 1}, "4"},
        {AV_CODEC_ID_HEVC, 1920, 1080, {60, 1}, "4.1"},
        {AV_CODEC_ID_HEVC, 3840, 2160, {60, 1}, "5.1"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct level *l = level_least(cases[i].codec, cases[i].width,
                                            cases[i].height, cases[i].rate);
        print_message("%dx%d\n", cases[i].width, cases[i].height);
        assert_string_equal(l->name, cases[i].expect);
    }
    assert_null(level_least(AV_CODEC_ID_VP9, 64, 64, (AVRational){25, 1}));
}

static void level_find__names__have_two_forms(void **state)
{
    static const struct {
        enum AVCodecID codec;
        const char *name;
        int number; // 0: there is none
    } cases[] = {
        {AV_CODEC_ID_H264, "4", 40},   {AV_CODEC_ID_H264, "4.0", 40},
        {AV_CODEC_ID_H264, "4.1", 41}, {AV_CODEC_ID_H264, "1b", 10},
        {AV_CODEC_ID_H264, "7", 0},    {AV_CODEC_ID_HEVC, "5.0", 50},
        {AV_CODEC_ID_HEVC, "1b", 0},   {AV_CODEC_ID_AV1, "5.0", 0},
        {AV_CODEC_ID_H264, "", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct level *l = level_find(cases[i].codec, cases[i].name);
        print_message("'%s'\n", cases[i].name);
        assert_int_equal(l ? l->number : 0, cases[i].number);
    }
}

static void level_highest__number__bounds_it(void **state)
{
    (void)state;
    assert_string_equal(level_highest(AV_CODEC_ID_HEVC, 0)->name, "6.2");
    assert_string_equal(level_highest(AV_CODEC_ID_HEVC, 51)->name, "5.1");
    assert_string_equal(level_highest(AV_CODEC_ID_H264, 47)->name, "4.2");
    assert_null(level_highest(AV_CODEC_ID_VP9, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(level_least__picture_and_rate__decide),
        cmocka_unit_test(level_find__names__have_two_forms),
        cmocka_unit_test(level_highest__number__bounds_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
