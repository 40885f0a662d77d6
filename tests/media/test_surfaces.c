#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "media/plan.h"
#include "media/surfaces.h"

static void surfaces_kept__rates__are_kept_pictures(void **state)
{
    struct plan_track tracks[] = {
        {.kind = MEDIA_VIDEO, .stream = 0},
        {.kind = MEDIA_VIDEO, .stream = 1, .video = {.fixed_rate = {24, 1}}},
        {.kind = MEDIA_VIDEO, .stream = 1, .video = {.fixed_rate = {12, 1}}},
        {.kind = MEDIA_AUDIO, .stream = 2},
        {.kind = MEDIA_VIDEO,
         .stream = 3,
         .copied = true, // then nothing of it is decoded
         .video = {.fixed_rate = {24, 1}}},
    };
    struct plan_output output = {.tracks = tracks, .track_count = 5};
    const struct plan plan = {.outputs = &output, .output_count = 1};

    (void)state;
    assert_int_equal(surfaces_kept(&plan, 0), 0);
    assert_int_equal(surfaces_kept(&plan, 1), 2); // the same ones, of both
    assert_int_equal(surfaces_kept(&plan, 2), 0);
    assert_int_equal(surfaces_kept(&plan, 3), 0);
}

static void surfaces_expected__codecs__by_their_references(void **state)
{
    (void)state;
    assert_int_equal(surfaces_expected(AV_CODEC_ID_MPEG2VIDEO, 0), 3);
    assert_int_equal(surfaces_expected(AV_CODEC_ID_H264, 0), 6);
    assert_int_equal(surfaces_expected(AV_CODEC_ID_H264, 2), 8);
    assert_int_equal(surfaces_expected(AV_CODEC_ID_HEVC, 0), 6);
    // eight that may be referred to, and what AV1 shows beside them
    assert_int_equal(surfaces_expected(AV_CODEC_ID_VP9, 0), 9);
    assert_int_equal(surfaces_expected(AV_CODEC_ID_AV1, 0), 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(surfaces_kept__rates__are_kept_pictures),
        cmocka_unit_test(surfaces_expected__codecs__by_their_references),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
