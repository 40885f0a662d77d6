#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/error.h"
#include "media/codec.h"
#include "media/plan.h"
#include "media/plan_encoder.h"
#include "media/plan_options.h"
#include "model/job.h"
#include "model/survey.h"
#include "support/card.h"

static const struct job_video unset = {
    .codec = JOB_VIDEO_H264,
    .bitrate = JOB_UNSET,
    .max_bitrate = JOB_UNSET,
    .buffer_size = JOB_UNSET,
    .quality = JOB_UNSET,
    .preset = (char *)"medium",
    .keyframe_interval = 2,
    .keyframe_frames = JOB_UNSET,
    .b_frames = JOB_UNSET,
};

static const enum job_video_codec codecs[] = {JOB_VIDEO_H264, JOB_VIDEO_HEVC};

#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static void plan(struct plan_track *track, const struct job_video *video,
                 const struct survey_encoder *encoder, int depth)
{
    const struct codec_video *codec =
        codec_find_video(video->codec, MEMORY_CUDA);
    const struct plan_encoder_request request = {
        .codec = codec,
        .format = codec_find_format(codec, video->profile, depth),
        .video = video,
        .encoder = encoder,
        .threads = 1,
    };
    struct error e = {0};

    *track = (struct plan_track){.kind = MEDIA_VIDEO};
    assert_int_equal(plan_encoder(track, &request, &e), 0);
}

static const char *option(const struct plan_track *track, const char *name)
{
    const char *value = plan_options_get(&track->options, name);

    return value ? value : "-";
}

static void check(const struct plan_track *track, const char *name,
                  const char *expect)
{
    print_message("%s: %s\n", track->encoder, name);
    assert_string_equal(option(track, name), expect);
}

static void plan_encoder__nvenc_rates__are_cbr_vbr_or_cq(void **state)
{
    static const struct {
        double quality;
        int64_t bitrate;
        int64_t max_bitrate;
        int64_t buffer_size;
        const char *expect[5]; // rc cq b maxrate bufsize
    } cases[] = {
        {30, -1, -1, -1, {"vbr", "30", "0", "-", "-"}},
        {30, -1, 3000000, -1, {"vbr", "30", "3000000", "3000000", "6000000"}},
        {30, -1, 3000000, 7000, {"vbr", "30", "3000000", "3000000", "7000"}},
        {-1, 2000000, -1, -1, {"vbr", "-", "2000000", "-", "-"}},
        {-1,
         2000000,
         3000000,
         -1,
         {"vbr", "-", "2000000", "3000000", "6000000"}},
        {-1,
         2000000,
         2000000,
         -1,
         {"cbr", "-", "2000000", "2000000", "4000000"}},
        {-1,
         2000000,
         2000000,
         1000000,
         {"cbr", "-", "2000000", "2000000", "1000000"}},
    };
    static const char *const names[] = {"rc", "cq", "b", "maxrate", "bufsize"};

    (void)state;
    for (size_t i = 0; i < COUNT(cases) * COUNT(codecs); i++) {
        size_t n = i / COUNT(codecs);
        struct job_video video = unset;
        struct plan_track track;
        print_message("case %zu\n", n);
        video.codec = codecs[i % COUNT(codecs)];
        video.quality = cases[n].quality;
        video.bitrate = cases[n].bitrate;
        video.max_bitrate = cases[n].max_bitrate;
        video.buffer_size = cases[n].buffer_size;
        plan(&track, &video, &card_p1000()->encoders[0], 8);
        for (size_t k = 0; k < COUNT(names); k++)
            check(&track, names[k], cases[n].expect[k]);
    }
}

static void plan_encoder__no_rate__is_the_codecs_own_quality(void **state)
{
    static const char *const expect[] = {"25", "28"};

    (void)state;
    for (size_t i = 0; i < COUNT(codecs); i++) {
        struct job_video video = unset;
        struct plan_track track;
        video.codec = codecs[i];
        plan(&track, &video, &card_p1000()->encoders[0], 8);
        check(&track, "rc", "vbr");
        check(&track, "cq", expect[i]);
        check(&track, "b", "0"); // libav's own would win over the quality
    }
}

static void plan_encoder__presets__are_nvencs(void **state)
{
    static const struct {
        const char *word;
        const char *preset;
        const char *look_ahead;
    } cases[] = {
        {"fastest", "p1", "-"},   {"fast", "p2", "-"},
        {"medium", "p4", "-"},    {"slow", "p6", "16"},
        {"slowest", "p7", "16"},  {"p3", "p3", "-"},
        {"ultrafast", "p1", "-"}, {"veryfast", "p2", "-"},
        {"placebo", "p7", "16"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases) * COUNT(codecs); i++) {
        size_t n = i / COUNT(codecs);
        struct job_video video = unset;
        struct plan_track track;
        video.codec = codecs[i % COUNT(codecs)];
        video.preset = (char *)(size_t)cases[n].word;
        plan(&track, &video, &card_p1000()->encoders[0], 8);
        check(&track, "preset", cases[n].preset);
        check(&track, "rc-lookahead", cases[n].look_ahead);
    }
}

static void plan_encoder__surfaces__are_what_is_held(void **state)
{
    static const struct survey_encoder plain = {.codec = "h264"};
    static const struct survey_encoder rich = {.codec = "h264",
                                               .b_frames = 4,
                                               .b_frame_refs = true,
                                               .lookahead = true};
    static const struct {
        const struct survey_encoder *encoder;
        int64_t b_frames;
        const char *preset;
        const char *profile;
        const char *expect[5]; // bf b_ref_mode surfaces delay rc-lookahead
    } cases[] = {
        {&rich, -1, "medium", NULL, {"2", "middle", "12", "4", "-"}},
        {&rich, 0, "medium", NULL, {"0", "disabled", "4", "2", "-"}},
        {&rich, 1, "medium", NULL, {"1", "disabled", "8", "3", "-"}},
        {&rich, -1, "slow", NULL, {"2", "middle", "24", "4", "16"}},
        {&rich, 4, "slow", NULL, {"4", "middle", "26", "6", "16"}},
        {&rich, 3, "medium", "baseline", {"0", "disabled", "4", "2", "-"}},
        {&plain, -1, "slow", NULL, {"0", "disabled", "4", "2", "0"}},
    };
    static const char *const names[] = {"bf", "b_ref_mode", "surfaces", "delay",
                                        "rc-lookahead"};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct job_video video = unset;
        struct plan_track track;
        print_message("case %zu\n", i);
        video.b_frames = cases[i].b_frames;
        video.preset = (char *)(size_t)cases[i].preset;
        video.profile = (char *)(size_t)cases[i].profile;
        plan(&track, &video, cases[i].encoder, 8);
        for (size_t n = 0; n < 5; n++)
            check(&track, names[n], cases[i].expect[n]);
    }
}

static void plan_encoder__profiles__are_said(void **state)
{
    static const struct {
        enum job_video_codec codec;
        int depth;
        const char *profile;
        const char *expect;
    } cases[] = {
        {JOB_VIDEO_H264, 8, NULL, "high"},
        {JOB_VIDEO_H264, 8, "main", "main"},
        {JOB_VIDEO_H264, 10, NULL, "high"},
        {JOB_VIDEO_HEVC, 8, NULL, "main"},
        {JOB_VIDEO_HEVC, 10, NULL, "main10"},
        {JOB_VIDEO_HEVC, 10, "main", "main"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct job_video video = unset;
        struct plan_track track;
        video.codec = cases[i].codec;
        video.profile = (char *)(size_t)cases[i].profile;
        video.level = (char *)"5.1";
        plan(&track, &video, &card_p1000()->encoders[1], cases[i].depth);
        check(&track, "profile", cases[i].expect);
        check(&track, "level", "5.1");
        check(&track, "forced-idr", "1");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan_encoder__nvenc_rates__are_cbr_vbr_or_cq),
        cmocka_unit_test(plan_encoder__no_rate__is_the_codecs_own_quality),
        cmocka_unit_test(plan_encoder__presets__are_nvencs),
        cmocka_unit_test(plan_encoder__surfaces__are_what_is_held),
        cmocka_unit_test(plan_encoder__profiles__are_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
