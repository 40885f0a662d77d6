#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <string.h>

#include "media/info.h"
#include "media/plan_device.h"
#include "media/plan_notes.h"
#include "model/job.h"
#include "model/survey.h"
#include "support/card.h"

static const struct job_video unset = {
    .codec = JOB_VIDEO_H264,
    .width = JOB_UNSET,
    .height = JOB_UNSET,
    .max_width = JOB_UNSET,
    .max_height = JOB_UNSET,
    .bitrate = JOB_UNSET,
    .max_bitrate = JOB_UNSET,
    .quality = JOB_UNSET,
    .b_frames = JOB_UNSET,
};

static const struct media_stream film = {
    .kind = MEDIA_VIDEO,
    .codec = AV_CODEC_ID_H264,
    .width = 1920,
    .height = 1080,
    .format = AV_PIX_FMT_YUV420P,
    .depth = 8,
};

/* The one reason, or "". */
static const char *why(const struct plan_notes *notes)
{
    assert_true(notes->why_count < 2);
    return notes->why_count ? notes->why[0] : "";
}

static void plan_device_decodes__streams__by_what_was_surveyed(void **state)
{
    static const struct {
        enum AVCodecID codec;
        enum AVPixelFormat format;
        int depth;
        int width;
        int height;
        const char *why;
    } cases[] = {
        {AV_CODEC_ID_H264, AV_PIX_FMT_YUV420P, 8, 1920, 1080, ""},
        {AV_CODEC_ID_H264, AV_PIX_FMT_YUVJ420P, 8, 1920, 1080, ""},
        {AV_CODEC_ID_H264, AV_PIX_FMT_NONE, 8, 1920, 1080, ""},
        {AV_CODEC_ID_HEVC, AV_PIX_FMT_YUV420P10, 10, 3840, 2160, ""},
        {AV_CODEC_ID_HEVC, AV_PIX_FMT_YUV420P12, 12, 3840, 2160, ""},
        {AV_CODEC_ID_MPEG2VIDEO, AV_PIX_FMT_YUV420P, 8, 720, 576, ""},
        {AV_CODEC_ID_H264, AV_PIX_FMT_YUV420P10, 10, 1920, 1080,
         "cuda:0 does not decode h264 4:2:0 of 10 bits"},
        {AV_CODEC_ID_H264, AV_PIX_FMT_YUV422P, 8, 1920, 1080,
         "cuda:0 does not decode h264 4:2:2 of 8 bits"},
        {AV_CODEC_ID_HEVC, AV_PIX_FMT_YUV444P, 8, 1920, 1080,
         "cuda:0 does not decode hevc 4:4:4 of 8 bits"},
        {AV_CODEC_ID_H264, AV_PIX_FMT_GRAY8, 8, 1920, 1080,
         "cuda:0 does not decode h264 4:0:0 of 8 bits"},
        {AV_CODEC_ID_AV1, AV_PIX_FMT_YUV420P, 8, 1920, 1080,
         "cuda:0 does not decode av1 4:2:0 of 8 bits"},
        {AV_CODEC_ID_VP8, AV_PIX_FMT_YUV420P, 8, 1920, 1080,
         "cuda:0 does not decode vp8 4:2:0 of 8 bits"},
        {AV_CODEC_ID_H264, AV_PIX_FMT_YUV420P, 8, 7680, 4320,
         "cuda:0 decodes h264 from 48x16 to 4096x4096, not 7680x4320"},
        // one more or less of anything is too much
        {AV_CODEC_ID_H264, AV_PIX_FMT_YUV420P, 8, 4096, 4096, ""},
        {AV_CODEC_ID_H264, AV_PIX_FMT_YUV420P, 8, 48, 16, ""},
        {AV_CODEC_ID_H264, AV_PIX_FMT_YUV420P, 8, 4097, 4096,
         "cuda:0 decodes h264 from 48x16 to 4096x4096, not 4097x4096"},
        {AV_CODEC_ID_H264, AV_PIX_FMT_YUV420P, 8, 4096, 4097,
         "cuda:0 decodes h264 from 48x16 to 4096x4096, not 4096x4097"},
        {AV_CODEC_ID_H264, AV_PIX_FMT_YUV420P, 8, 47, 16,
         "cuda:0 decodes h264 from 48x16 to 4096x4096, not 47x16"},
        {AV_CODEC_ID_H264, AV_PIX_FMT_YUV420P, 8, 48, 15,
         "cuda:0 decodes h264 from 48x16 to 4096x4096, not 48x15"},
        {AV_CODEC_ID_HEVC, AV_PIX_FMT_YUV420P, 8, 128, 72,
         "cuda:0 decodes hevc from 144x144 to 8192x8192, not 128x72"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct plan_notes notes = {0};
        struct media_stream st = film;
        print_message("case %zu\n", i);
        st.codec = cases[i].codec;
        st.format = cases[i].format;
        st.depth = cases[i].depth;
        st.width = cases[i].width;
        st.height = cases[i].height;
        assert_int_equal(plan_device_decodes(card_p1000(), &st, &notes),
                         *cases[i].why == '\0');
        assert_string_equal(why(&notes), cases[i].why);
    }
}

static void plan_device_encoder__renditions__by_what_was_surveyed(void **state)
{
    static const struct {
        enum job_video_codec codec;
        const char *profile;
        int64_t height;
        const char *encoder; // NULL: none
        const char *why;
    } cases[] = {
        {JOB_VIDEO_H264, NULL, JOB_UNSET, "h264_nvenc", ""},
        {JOB_VIDEO_H264, "baseline", JOB_UNSET, "h264_nvenc", ""},
        {JOB_VIDEO_HEVC, NULL, JOB_UNSET, "hevc_nvenc", ""},
        {JOB_VIDEO_HEVC, "main10", JOB_UNSET, "hevc_nvenc", ""},
        {JOB_VIDEO_H264, "high10", JOB_UNSET, NULL,
         "cuda:0 has no profile 'high10' of h264"},
        {JOB_VIDEO_AV1, NULL, JOB_UNSET, NULL, "cuda:0 does not encode av1"},
        {JOB_VIDEO_VP9, NULL, JOB_UNSET, NULL, "cuda:0 does not encode vp9"},
        {JOB_VIDEO_HEVC, NULL, 32, NULL,
         "cuda:0 encodes hevc from 65x33 on, not 56x32"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct plan_notes notes = {0};
        struct job_video video = unset;
        print_message("case %zu\n", i);
        video.codec = cases[i].codec;
        video.profile = (char *)(size_t)cases[i].profile;
        video.max_height = cases[i].height;
        const struct survey_encoder *e =
            plan_device_encoder(card_p1000(), &video, &film, &notes);
        assert_int_equal(e != NULL, cases[i].encoder != NULL);
        if (e)
            assert_string_equal(e->name, cases[i].encoder);
        assert_string_equal(why(&notes), cases[i].why);
    }
}

/* It takes 66x34 at least: as shown, not as stored. */
static void plan_device_encoder__small_pictures__to_the_pixel(void **state)
{
    static const struct {
        int width;
        int height;
        enum media_turn turn;
        bool expect;
    } cases[] = {
        {66, 34, MEDIA_UPRIGHT, true},  {64, 34, MEDIA_UPRIGHT, false},
        {66, 32, MEDIA_UPRIGHT, false}, {34, 66, MEDIA_CLOCK, true},
        {66, 34, MEDIA_CLOCK, false},   {34, 66, MEDIA_UPRIGHT, false},
    };

    struct survey_encoder encoder = card_p1000()->encoders[1];
    const struct survey_device chip = {
        .id = "cuda:0", .encoders = &encoder, .encoder_count = 1};

    (void)state;
    encoder.least_width = 66;
    encoder.least_height = 34;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct plan_notes notes = {0};
        struct job_video video = unset;
        struct media_stream st = film;
        print_message("case %zu\n", i);
        video.codec = JOB_VIDEO_HEVC;
        st.width = cases[i].width;
        st.height = cases[i].height;
        st.turn = cases[i].turn;
        assert_int_equal(plan_device_encoder(&chip, &video, &st, &notes) !=
                             NULL,
                         cases[i].expect);
    }
}

/* 10 bits are another profile's, which not every chip's encoder has; and an
 * encoder of the codec that is none of ours is none. */
static void plan_device_encoder__of_another_chip__is_looked_at(void **state)
{
    struct survey_encoder encoder = card_p1000()->encoders[1];
    const struct survey_device chip = {
        .id = "cuda:0", .encoders = &encoder, .encoder_count = 1};
    struct plan_notes notes = {0};
    struct job_video video = unset;

    (void)state;
    assert_string_equal(encoder.name, "hevc_nvenc");
    video.codec = JOB_VIDEO_HEVC;
    video.profile = (char *)"main10";
    assert_non_null(plan_device_encoder(&chip, &video, &film, &notes));
    encoder.depth = 8;
    assert_null(plan_device_encoder(&chip, &video, &film, &notes));
    video.profile = (char *)"main";
    assert_non_null(plan_device_encoder(&chip, &video, &film, &notes));
    strcpy(encoder.name, "hevc_other");
    assert_null(plan_device_encoder(&chip, &video, &film, &notes));
}

/* Of the job's value, as "from>to"; "-" where it stays. */
static void check_clamp(const struct plan_notes *notes, const char *field,
                        double from, double to)
{
    for (size_t i = 0; i < notes->clamp_count; i++) {
        if (strcmp(notes->clamps[i].field, field) != 0)
            continue;
        print_message("%s: %s\n", field, notes->clamps[i].reason);
        assert_true(notes->clamps[i].from == from);
        assert_true(notes->clamps[i].to == to);
        return;
    }
    fail_msg("%s was not clamped", field);
}

static void plan_device_clamp__beyond_the_chip__is_noted(void **state)
{
    const struct survey_encoder *h264 = &card_p1000()->encoders[0];
    const struct survey_encoder *hevc = &card_p1000()->encoders[1];
    const struct size full = {1920, 1080};
    const AVRational rate = {25, 1};
    struct plan_notes notes = {0};
    struct job_video video = unset;

    (void)state;
    video.b_frames = 3;
    video.quality = 1;
    video.level = (char *)"4.0";
    video.bitrate = 8000000;
    struct job_video v = plan_device_clamp(h264, &video, full, rate, &notes);
    assert_int_equal(notes.clamp_count, 0);
    assert_int_equal(v.b_frames, 3);

    // all that the chip has, and not more, is no news
    video.b_frames = 4;
    video.bitrate = video.max_bitrate = 25000000;
    v = plan_device_clamp(h264, &video, full, rate, &notes);
    assert_int_equal(notes.clamp_count, 0);

    video.b_frames = 16;
    video.quality = 0;
    video.level = (char *)"3.1";
    video.bitrate = 50000000;
    video.max_bitrate = 60000000;
    v = plan_device_clamp(h264, &video, full, rate, &notes);
    check_clamp(&notes, "b_frames", 16, 4);
    check_clamp(&notes, "quality", 0, 1);
    assert_true(v.quality == 1);
    check_clamp(&notes, "level", 3.1, 4.0);
    check_clamp(&notes, "bitrate", 50e6, 25e6);
    check_clamp(&notes, "max_bitrate", 60e6, 25e6);
    assert_int_equal(v.b_frames, 4);
    assert_string_equal(v.level, "4");
    assert_int_equal(v.bitrate, 25000000);
    assert_int_equal(v.max_bitrate, 25000000);

    notes = (struct plan_notes){0};
    video = unset;
    video.level = (char *)"6.2";
    v = plan_device_clamp(h264, &video, full, rate, &notes);
    check_clamp(&notes, "level", 6.2, 5.1); // what the chip goes up to
    assert_string_equal(v.level, "5.1");

    notes = (struct plan_notes){0};
    video = unset;
    video.bitrate = 500000000;
    v = plan_device_clamp(h264, &video, full, rate, &notes);
    check_clamp(&notes, "bitrate", 500e6, 300e6);

    notes = (struct plan_notes){0};
    video = unset;
    video.codec = JOB_VIDEO_HEVC;
    video.b_frames = 3;
    video.bitrate = 2000000000;
    v = plan_device_clamp(hevc, &video, full, rate, &notes);
    check_clamp(&notes, "b_frames", 3, 0); // Pascal has none
    check_clamp(&notes, "bitrate", 2e9, 240e6);
    assert_int_equal(v.b_frames, 0);
}

static void plan_device_size__larger_than_it_takes__fits(void **state)
{
    static const struct {
        struct size source;
        int64_t width; // asked for
        int64_t most;  // likewise, at most
        struct size expect;
        size_t clamps;
    } cases[] = {
        {{1920, 1080}, JOB_UNSET, JOB_UNSET, {1920, 1080}, 0},
        {{4096, 2160}, JOB_UNSET, JOB_UNSET, {4096, 2160}, 0},
        {{7680, 4320}, JOB_UNSET, JOB_UNSET, {4096, 2304}, 2},
        {{4320, 7680}, JOB_UNSET, JOB_UNSET, {2304, 4096}, 2},
        {{1920, 1080}, 8000, JOB_UNSET, {4096, 2304}, 2},
        {{7680, 4320}, 1280, JOB_UNSET, {1280, 720}, 0},
        {{7680, 4320}, JOB_UNSET, 6000, {4096, 2304}, 2},
        {{7680, 4320}, JOB_UNSET, 4096, {4096, 2304}, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct plan_notes notes = {0};
        struct job_video video = unset;
        print_message("case %zu\n", i);
        video.width = cases[i].width;
        video.max_width = cases[i].most;
        struct size s = plan_device_size(&card_p1000()->encoders[0], &video,
                                         cases[i].source, &notes);
        assert_int_equal(s.width, cases[i].expect.width);
        assert_int_equal(s.height, cases[i].expect.height);
        assert_int_equal(notes.clamp_count, cases[i].clamps);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan_device_decodes__streams__by_what_was_surveyed),
        cmocka_unit_test(plan_device_encoder__renditions__by_what_was_surveyed),
        cmocka_unit_test(plan_device_encoder__small_pictures__to_the_pixel),
        cmocka_unit_test(plan_device_encoder__of_another_chip__is_looked_at),
        cmocka_unit_test(plan_device_clamp__beyond_the_chip__is_noted),
        cmocka_unit_test(plan_device_size__larger_than_it_takes__fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
