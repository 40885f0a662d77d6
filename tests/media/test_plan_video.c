#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "media/plan.h"
#include "media/plan_options.h"
#include "media/plan_video.h"
#include "model/job.h"

#define THREADS 3

/* As a job leaves them that says nothing. */
static const struct job_video unset = {
    .stream = JOB_UNSET,
    .codec = JOB_VIDEO_H264,
    .width = JOB_UNSET,
    .height = JOB_UNSET,
    .max_width = JOB_UNSET,
    .max_height = JOB_UNSET,
    .frame_rate = JOB_UNSET,
    .max_frame_rate = JOB_UNSET,
    .bitrate = JOB_UNSET,
    .max_bitrate = JOB_UNSET,
    .buffer_size = JOB_UNSET,
    .quality = JOB_UNSET,
    .preset = (char *)"medium",
    .keyframe_interval = 2,
    .keyframe_frames = JOB_UNSET,
    .b_frames = JOB_UNSET,
};

static const struct media_stream film = {
    .kind = MEDIA_VIDEO,
    .codec = AV_CODEC_ID_H264,
    .decodable = true,
    .width = 1920,
    .height = 1080,
    .frame_rate = {25, 1},
    .average_rate = {25, 1},
    .format = AV_PIX_FMT_YUV420P,
    .depth = 8,
};

static int encode(struct plan_track *track, const struct job_video *video,
                  const struct media_stream *st, struct error *e)
{
    const struct plan_video_request request = {
        .video = video,
        .stream = st,
        .threads = THREADS,
    };
    struct plan_notes notes = {0};

    int r = plan_video_encode(track, &request, &notes, e);
    assert_int_equal(notes.why_count + notes.clamp_count, 0);
    return r;
}

static struct plan_track plan(const struct job_video *video,
                              const struct media_stream *st)
{
    struct plan_track track = {.kind = MEDIA_VIDEO};
    struct error e = {0};

    assert_int_equal(encode(&track, video, st, &e), 0);
    assert_string_equal(e.text, "");
    return track;
}

static void check_option(const struct plan_track *track, const char *name,
                         const char *expect)
{
    const char *got = plan_options_get(&track->options, name);

    print_message("%s: %s=%s\n", track->encoder, name, got ? got : "(none)");
    if (expect)
        assert_non_null(got);
    else
        assert_null(got);
    if (expect)
        assert_string_equal(got, expect);
}

static void plan_video_encode__frame_rates__are_the_exact_ones(void **state)
{
    static const struct {
        double wanted;
        double most;
        AVRational source; // 0/1: uneven
        AVRational fixed;
        AVRational leaves;
    } cases[] = {
        {-1, -1, {25, 1}, {0, 1}, {25, 1}},
        {-1, -1, {0, 1}, {0, 1}, {0, 1}},
        {24, -1, {25, 1}, {24, 1}, {24, 1}},
        {23.976, -1, {25, 1}, {24000, 1001}, {24000, 1001}},
        {29.97, -1, {25, 1}, {30000, 1001}, {30000, 1001}},
        {59.94, -1, {25, 1}, {60000, 1001}, {60000, 1001}},
        {12.5, -1, {25, 1}, {25, 2}, {25, 2}},
        {1, -1, {25, 1}, {1, 1}, {1, 1}},
        {0.5, -1, {25, 1}, {1, 2}, {1, 2}},
        {60, 30, {25, 1}, {60, 1}, {60, 1}}, // what is wanted goes first
        {-1, 30, {25, 1}, {0, 1}, {25, 1}},
        {-1, 30, {60, 1}, {30, 1}, {30, 1}},
        {-1, 30, {0, 1}, {30, 1}, {30, 1}}, // nobody knows how many come
        {-1, 30, {30, 1}, {0, 1}, {30, 1}},
        {-1, 29.97, {30000, 1001}, {0, 1}, {30000, 1001}},
        {-1, 29.97, {30, 1}, {30000, 1001}, {30000, 1001}},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct job_video video = unset;
        struct media_stream st = film;
        print_message("%g, at most %g\n", cases[i].wanted, cases[i].most);
        video.frame_rate = cases[i].wanted;
        video.max_frame_rate = cases[i].most;
        st.frame_rate = cases[i].source;
        struct plan_track track = plan(&video, &st);
        assert_int_equal(av_cmp_q(track.video.fixed_rate, cases[i].fixed), 0);
        assert_int_equal(av_cmp_q(track.video.frame_rate, cases[i].leaves), 0);
        if (cases[i].fixed.num)
            assert_int_equal(av_cmp_q(track.video.average_rate, cases[i].fixed),
                             0);
    }
}

static void plan_video_encode__sizes__stand_upright(void **state)
{
    static const struct {
        enum media_turn turn;
        int64_t max_height;
        int width;
        int height;
    } cases[] = {
        {MEDIA_UPRIGHT, JOB_UNSET, 1920, 1080},
        {MEDIA_CLOCK, JOB_UNSET, 1080, 1920},
        {MEDIA_HALF, JOB_UNSET, 1920, 1080},
        {MEDIA_UPRIGHT, 720, 1280, 720},
        {MEDIA_COUNTER, 960, 540, 960},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct job_video video = unset;
        struct media_stream st = film;
        print_message("turn %d\n", cases[i].turn);
        st.turn = cases[i].turn;
        video.max_height = cases[i].max_height;
        struct plan_track track = plan(&video, &st);
        assert_int_equal(track.video.turn, cases[i].turn);
        assert_int_equal(track.video.width, cases[i].width);
        assert_int_equal(track.video.height, cases[i].height);
    }
}

static void plan_video_encode__key_frames__are_forced_or_counted(void **state)
{
    static const struct {
        enum job_video_codec codec;
        double interval;
        int64_t frames;
        AVRational rate;
        int64_t forced; // µs
        const char *g;
    } cases[] = {
        {JOB_VIDEO_H264, 2, JOB_UNSET, {25, 1}, 2 * SECOND, NULL},
        {JOB_VIDEO_H264, 0.5, JOB_UNSET, {25, 1}, SECOND / 2, NULL},
        {JOB_VIDEO_H264, 2, 48, {25, 1}, 0, "48"},
        {JOB_VIDEO_VP9, 2, JOB_UNSET, {25, 1}, 2 * SECOND, NULL},
        {JOB_VIDEO_AV1, 2, JOB_UNSET, {30, 1}, 0, "60"},
        {JOB_VIDEO_AV1, 2, JOB_UNSET, {30000, 1001}, 0, "60"},
        {JOB_VIDEO_AV1, 2, JOB_UNSET, {0, 1}, 0, "50"},
        {JOB_VIDEO_AV1, 2, 48, {30, 1}, 0, "48"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct job_video video = unset;
        struct media_stream st = film;
        video.codec = cases[i].codec;
        video.keyframe_interval = cases[i].interval;
        video.keyframe_frames = cases[i].frames;
        st.frame_rate = st.average_rate = cases[i].rate;
        struct plan_track track = plan(&video, &st);
        check_option(&track, "g", cases[i].g);
        assert_int_equal(track.video.keyframe_interval, cases[i].forced);
    }
}

/* As "crf b maxrate bufsize", "-" for what is not set. */
static const char *rates_of(const struct plan_track *track)
{
    static const char *const names[] = {"crf", "b", "maxrate", "bufsize"};
    static char text[128];

    *text = '\0';
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = plan_options_get(&track->options, names[i]);
        (void)strcat(i ? strcat(text, " ") : text, value ? value : "-");
    }
    return text;
}

static void plan_video_encode__quality_and_rates__go_together(void **state)
{
    static const struct {
        enum job_video_codec codec;
        double quality;
        int64_t bitrate;
        int64_t max_bitrate;
        int64_t buffer_size;
        const char *expect;
    } cases[] = {
        {JOB_VIDEO_H264, -1, -1, -1, -1, "23 - - -"},
        {JOB_VIDEO_HEVC, -1, -1, -1, -1, "28 - - -"},
        {JOB_VIDEO_AV1, -1, -1, -1, -1, "35 - - -"},
        {JOB_VIDEO_VP9, -1, -1, -1, -1, "31 0 - -"},
        {JOB_VIDEO_H264, 0, -1, -1, -1, "0 - - -"},
        {JOB_VIDEO_H264, 51, -1, -1, -1, "51 - - -"},
        {JOB_VIDEO_H264, 18.5, -1, -1, -1, "18.5 - - -"},
        {JOB_VIDEO_H264, -1, 1000000, -1, -1, "- 1000000 - -"},
        {JOB_VIDEO_H264, 20, 1000000, -1, -1, "20 1000000 - -"},
        {JOB_VIDEO_H264, -1, -1, 3000000, -1, "23 - 3000000 6000000"},
        {JOB_VIDEO_H264, -1, 1000, 2000, 500, "- 1000 2000 500"},
        {JOB_VIDEO_H264, -1, -1, -1, 500, "23 - - 500"},
        {JOB_VIDEO_VP9, -1, -1, 3000000, -1, "31 3000000 3000000 6000000"},
        {JOB_VIDEO_VP9, -1, 1000000, -1, -1, "- 1000000 - -"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct job_video video = unset;
        video.codec = cases[i].codec;
        video.quality = cases[i].quality;
        video.bitrate = cases[i].bitrate;
        video.max_bitrate = cases[i].max_bitrate;
        video.buffer_size = cases[i].buffer_size;
        struct plan_track track = plan(&video, &film);
        print_message("%s: %s\n", track.encoder, cases[i].expect);
        assert_string_equal(rates_of(&track), cases[i].expect);
    }
}

static void plan_video_encode__words__reach_who_takes_them(void **state)
{
    static const struct {
        enum job_video_codec codec;
        const char *name;
        const char *expect;
    } cases[] = {
        {JOB_VIDEO_H264, "profile", "high"}, {JOB_VIDEO_H264, "level", "4.1"},
        {JOB_VIDEO_H264, "bf", "3"},         {JOB_VIDEO_H264, "threads", "3"},
        {JOB_VIDEO_H264, "forced-idr", "1"}, {JOB_VIDEO_H264, "preset", "slow"},
        {JOB_VIDEO_AV1, "profile", NULL},    {JOB_VIDEO_AV1, "level", NULL},
        {JOB_VIDEO_AV1, "bf", NULL},         {JOB_VIDEO_AV1, "preset", "6"},
        {JOB_VIDEO_VP9, "profile", "1"},     {JOB_VIDEO_VP9, "bf", NULL},
        {JOB_VIDEO_VP9, "cpu-used", "2"},    {JOB_VIDEO_VP9, "row-mt", "1"},
        {JOB_VIDEO_HEVC, "profile", "main"}, {JOB_VIDEO_HEVC, "level", NULL},
        {JOB_VIDEO_HEVC, "bf", "3"},
    };
    static const char *const profiles[JOB_VIDEO_COUNT] = {
        [JOB_VIDEO_H264] = "high",
        [JOB_VIDEO_HEVC] = "main",
        [JOB_VIDEO_AV1] = "main",
        [JOB_VIDEO_VP9] = "1",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct job_video video = unset;
        video.codec = cases[i].codec;
        video.profile = (char *)(size_t)profiles[cases[i].codec];
        video.level = (char *)"4.1";
        video.preset = (char *)"slow";
        video.b_frames = 3;
        struct plan_track track = plan(&video, &film);
        check_option(&track, cases[i].name, cases[i].expect);
    }
}

static void plan_video_encode__preset_of_the_encoder__goes_through(void **state)
{
    static const struct {
        enum job_video_codec codec;
        const char *preset;
        const char *name;
    } cases[] = {
        {JOB_VIDEO_H264, "superfast", "preset"},
        {JOB_VIDEO_AV1, "7", "preset"},
        {JOB_VIDEO_VP9, "4", "cpu-used"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct job_video video = unset;
        video.codec = cases[i].codec;
        video.preset = (char *)(size_t)cases[i].preset;
        struct plan_track track = plan(&video, &film);
        check_option(&track, cases[i].name, cases[i].preset);
    }
}

static void plan_video_encode__pictures__are_described(void **state)
{
    static const struct {
        enum AVPixelFormat format;
        int depth;
        enum media_turn turn;
        double rate;
        int64_t max_height;
        const char *profile;
        const char *expect;
    } cases[] = {
        {AV_PIX_FMT_YUV420P, 8, MEDIA_UPRIGHT, -1, -1, NULL, "native>libx264"},
        {AV_PIX_FMT_YUVJ420P, 8, MEDIA_UPRIGHT, -1, -1, NULL, "native>libx264"},
        {AV_PIX_FMT_YUVJ422P, 8, MEDIA_UPRIGHT, -1, -1, NULL,
         "native>scale>libx264"},
        {AV_PIX_FMT_YUV422P, 8, MEDIA_UPRIGHT, -1, -1, NULL,
         "native>scale>libx264"},
        {AV_PIX_FMT_YUVJ444P, 8, MEDIA_UPRIGHT, -1, -1, "high444",
         "native>libx264"},
        {AV_PIX_FMT_YUV420P10, 10, MEDIA_UPRIGHT, -1, -1, "high10",
         "native>libx264"},
        {AV_PIX_FMT_NONE, 8, MEDIA_UPRIGHT, -1, -1, NULL, "native>libx264"},
        {AV_PIX_FMT_NONE, 10, MEDIA_UPRIGHT, -1, -1, NULL,
         "native>scale>libx264"},
        {AV_PIX_FMT_YUV420P, 8, MEDIA_CLOCK, -1, -1, NULL,
         "native>transpose>libx264"},
        {AV_PIX_FMT_YUV420P, 8, MEDIA_HALF, 24, 720, NULL,
         "native>transpose>fps>scale>libx264"},
        {AV_PIX_FMT_YUV420P, 8, MEDIA_UPRIGHT, 24, -1, NULL,
         "native>fps>libx264"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct job_video video = unset;
        struct media_stream st = film;
        print_message("case %zu: %s\n", i, cases[i].expect);
        st.format = cases[i].format;
        st.depth = cases[i].depth;
        st.turn = cases[i].turn;
        video.frame_rate = cases[i].rate;
        video.max_height = cases[i].max_height;
        video.profile = (char *)(size_t)cases[i].profile;
        assert_string_equal(plan(&video, &st).description, cases[i].expect);
    }
}

static void plan_video_encode__what_the_codec_lacks__is_refused(void **state)
{
    static const struct {
        enum job_video_codec codec;
        const char *profile;
        double quality;
        const char *field;
        const char *text;
    } cases[] = {
        {JOB_VIDEO_H264, "main10", -1, "profile",
         "h264 has no profile 'main10' here"},
        {JOB_VIDEO_AV1, "high", -1, "profile",
         "av1 has no profile 'high' here"},
        {JOB_VIDEO_H264, NULL, 51.5, "quality",
         "51.5 is not between 0 and 51, the scale of libx264"},
        {JOB_VIDEO_VP9, NULL, 64, "quality",
         "64 is not between 0 and 63, the scale of libvpx-vp9"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct plan_track track = {.kind = MEDIA_VIDEO};
        struct job_video video = unset;
        struct error e = {0};
        print_message("%s\n", cases[i].text);
        video.codec = cases[i].codec;
        video.profile = (char *)(size_t)cases[i].profile;
        video.quality = cases[i].quality;
        assert_int_equal(encode(&track, &video, &film, &e), -EINVAL);
        assert_string_equal(e.field, cases[i].field);
        assert_string_equal(e.text, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan_video_encode__frame_rates__are_the_exact_ones),
        cmocka_unit_test(plan_video_encode__sizes__stand_upright),
        cmocka_unit_test(plan_video_encode__key_frames__are_forced_or_counted),
        cmocka_unit_test(plan_video_encode__quality_and_rates__go_together),
        cmocka_unit_test(plan_video_encode__words__reach_who_takes_them),
        cmocka_unit_test(
            plan_video_encode__preset_of_the_encoder__goes_through),
        cmocka_unit_test(plan_video_encode__pictures__are_described),
        cmocka_unit_test(plan_video_encode__what_the_codec_lacks__is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
