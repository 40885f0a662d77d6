#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "media/plan.h"
#include "media/plan_options.h"
#include "model/grant.h"
#include "model/job.h"
#include "support/card.h"

static struct media_stream film_streams[] = {
    {.kind = MEDIA_VIDEO,
     .codec = AV_CODEC_ID_H264,
     .decodable = true,
     .width = 1920,
     .height = 1080,
     .frame_rate = {25, 1},
     .average_rate = {25, 1},
     .depth = 8,
     .format = AV_PIX_FMT_YUV420P},
    {.kind = MEDIA_AUDIO,
     .codec = AV_CODEC_ID_DTS,
     .decodable = true,
     .channels = 6,
     .sample_rate = 48000},
    {.kind = MEDIA_SUBTITLE,
     .codec = AV_CODEC_ID_SUBRIP,
     .decodable = true,
     .text = true},
    {.kind = MEDIA_SUBTITLE,
     .codec = AV_CODEC_ID_HDMV_PGS_SUBTITLE,
     .decodable = true},
    // what a telephone films: on its side, at uneven times, 10 bits
    {.kind = MEDIA_VIDEO,
     .codec = AV_CODEC_ID_HEVC,
     .decodable = true,
     .width = 1280,
     .height = 720,
     .turn = MEDIA_CLOCK,
     .average_rate = {29, 1},
     .depth = 10,
     .format = AV_PIX_FMT_NONE},
    {.kind = MEDIA_VIDEO,
     .codec = AV_CODEC_ID_H264,
     .decodable = true,
     .width = 640,
     .height = 360,
     .frame_rate = {60, 1},
     .average_rate = {60, 1},
     .depth = 8,
     .format = AV_PIX_FMT_YUVJ420P},
};

static const struct media_info film = {
    .streams = film_streams,
    .stream_count = sizeof(film_streams) / sizeof(film_streams[0]),
    .duration = 60000000,
};

typedef bool has_encoder(const char *encoder);

static bool everything(const char *encoder)
{
    (void)encoder;
    return true;
}

static bool all_but_x264(const char *encoder)
{
    return strcmp(encoder, "libx264") != 0;
}

/* The plan for one output with these members; the job is the caller's. */
static int make(struct job *job, struct plan *plan, const char *name,
                const char *members, has_encoder *available, struct error *e)
{
    const struct grant grant = {.device = "cpu", .threads = 2};
    char text[1024];

    int size = snprintf(text, sizeof(text),
                        "{\"input\":{\"path\":\"/in.mkv\"},\"outputs\":"
                        "[{\"path\":\"/out.%s\",%s}]}",
                        name, members);
    assert_int_equal(job_from_text(job, text, (size_t)size, e), 0);
    const struct plan_request request = {
        .job = job,
        .info = &film,
        .grant = &grant,
        .available = available,
    };
    return plan_make(plan, &request, e);
}

/* All descriptions, with a blank between them. */
static const char *describe(const struct plan *plan)
{
    static char text[1024];
    size_t used = 0;

    *text = '\0';
    for (size_t o = 0; o < plan->output_count; o++) {
        for (size_t t = 0; t < plan->outputs[o].track_count; t++)
            used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
                                     used ? " " : "",
                                     plan->outputs[o].tracks[t].description);
    }
    return text;
}

static void plan_make__jobs__are_described(void **state)
{
    static const struct {
        const char *name;
        const char *members;
        const char *expect;
    } cases[] = {
        {"mp4", "\"video\":{\"codec\":\"h264\"},\"audio\":[]",
         "native>libx264"},
        {"mp4",
         "\"video\":{\"codec\":\"h264\",\"max_height\":720},\"audio\":[]",
         "native>scale>libx264"},
        {"mp4",
         "\"video\":{\"codec\":\"hevc\",\"profile\":\"main10\"},"
         "\"audio\":[]",
         "native>scale>libx265"},
        {"mp4", "\"video\":{\"codec\":\"h264\",\"stream\":4},\"audio\":[]",
         "native>transpose>scale>libx264"},
        {"mp4", "\"video\":{\"codec\":\"hevc\",\"stream\":4},\"audio\":[]",
         "native>transpose>libx265"},
        {"mp4",
         "\"video\":{\"codec\":\"h264\",\"stream\":5,"
         "\"max_frame_rate\":30},\"audio\":[]",
         "native>fps>libx264"},
        {"mp4",
         "\"video\":{\"codec\":\"h264\",\"stream\":5,"
         "\"max_frame_rate\":60},\"audio\":[]",
         "native>libx264"},
        {"mkv",
         "\"video\":{\"codec\":\"copy\"},\"audio\":[{\"codec\":"
         "\"copy\"}],\"subtitles\":[{\"stream\":3,\"codec\":\"copy\"}]",
         "copy copy copy"},
        {"mkv",
         "\"video\":{\"codec\":\"none\"},\"audio\":[{\"codec\":\"aac\"},"
         "{\"codec\":\"opus\",\"volume\":0.5}]",
         "dts>aresample>aac dts>volume>aresample>libopus"},
        {"webm",
         "\"video\":{\"codec\":\"vp9\"},\"audio\":[{\"codec\":"
         "\"opus\"}],\"subtitles\":[{\"stream\":2,\"codec\":"
         "\"webvtt\"}]",
         "native>libvpx-vp9 dts>aresample>libopus subrip>webvtt"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error e = {0};
        struct job job;
        struct plan plan;
        print_message("%s\n", cases[i].members);
        assert_int_equal(
            make(&job, &plan, cases[i].name, cases[i].members, everything, &e),
            0);
        assert_string_equal(describe(&plan), cases[i].expect);
        plan_fini(&plan);
        job_fini(&job);
    }
}

static void plan_make__what_cannot_be__says_why(void **state)
{
    static const struct {
        const char *name;
        const char *members;
        has_encoder *available;
        int code;
        const char *field;
        const char *text;
    } cases[] = {
        {"mp4", "\"video\":{\"codec\":\"h264\",\"stream\":1}", everything,
         -EINVAL, "outputs[0].video", "stream 1 is audio, not video"},
        {"mp4",
         "\"video\":{\"codec\":\"none\"},\"audio\":[{\"codec\":"
         "\"aac\",\"stream\":9}]",
         everything, -EINVAL, "outputs[0].audio[0]",
         "the input has no stream 9, only 0 to 5"},
        {"mp4",
         "\"video\":{\"codec\":\"none\"},\"audio\":[],\"subtitles\":"
         "[{\"stream\":3,\"codec\":\"mov_text\"}]",
         everything, -EINVAL, "outputs[0].subtitles[0]",
         "subtitles of codec hdmv_pgs_subtitle are pictures, not text"},
        {"mp4",
         "\"video\":{\"codec\":\"none\"},\"audio\":[],\"subtitles\":"
         "[{\"stream\":2,\"codec\":\"copy\"}]",
         everything, -EINVAL, "outputs[0].subtitles[0]",
         "mp4 takes no subtitle of codec subrip"},
        {"mp4", "\"video\":{\"codec\":\"h264\"},\"audio\":[]", all_but_x264,
         -ENOTSUP, "outputs[0].video.codec",
         "this machine has no encoder 'libx264'"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error e = {0};
        struct job job;
        struct plan plan;
        print_message("%s\n", cases[i].members);
        assert_int_equal(make(&job, &plan, cases[i].name, cases[i].members,
                              cases[i].available, &e),
                         cases[i].code);
        assert_string_equal(e.field, cases[i].field);
        assert_string_equal(e.text, cases[i].text);
        job_fini(&job);
    }
}

static void plan_make__settings__reach_the_encoder(void **state)
{
    static const struct {
        const char *video;
        const char *option;
        const char *expect; // NULL: not set
    } cases[] = {
        {"\"codec\":\"h264\"", "crf", "23"},
        {"\"codec\":\"h264\"", "preset", "medium"},
        {"\"codec\":\"h264\"", "threads", "2"},
        {"\"codec\":\"h264\",\"bitrate\":2000000", "b", "2000000"},
        {"\"codec\":\"h264\",\"bitrate\":2000000", "crf", NULL},
        {"\"codec\":\"h264\",\"max_bitrate\":3000000", "bufsize", "6000000"},
        {"\"codec\":\"h264\",\"max_bitrate\":3000000,\"buffer_size\":1000000",
         "bufsize", "1000000"},
        {"\"codec\":\"h264\",\"quality\":18.5", "crf", "18.5"},
        {"\"codec\":\"h264\",\"preset\":\"fast\"", "preset", "veryfast"},
        {"\"codec\":\"h264\",\"preset\":\"superfast\"", "preset", "superfast"},
        {"\"codec\":\"h264\",\"keyframe_frames\":48", "g", "48"},
        {"\"codec\":\"h264\",\"b_frames\":0", "bf", "0"},
        {"\"codec\":\"h264\",\"level\":\"4.1\"", "level", "4.1"},
        {"\"codec\":\"hevc\",\"level\":\"4.1\"", "x265-params",
         "log-level=warning:level-idc=4.1"},
        {"\"codec\":\"vp9\"", "b", "0"},
        {"\"codec\":\"vp9\",\"preset\":\"fast\"", "cpu-used", "5"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error e = {0};
        struct job job;
        struct plan plan;
        char members[256];
        print_message("%s: %s\n", cases[i].video, cases[i].option);
        (void)snprintf(members, sizeof(members), "\"video\":{%s},\"audio\":[]",
                       cases[i].video);
        assert_int_equal(make(&job, &plan, "mkv", members, everything, &e), 0);
        const char *got = plan_options_get(&plan.outputs[0].tracks[0].options,
                                           cases[i].option);
        if (cases[i].expect)
            assert_string_equal(got, cases[i].expect);
        else
            assert_null(got);
        plan_fini(&plan);
        job_fini(&job);
    }
}

static void plan_same_sound__any_difference__is_none(void **state)
{
    const struct plan_track sound = {
        .kind = MEDIA_AUDIO,
        .stream = 1,
        .encoder = "aac",
        .options = {.list = {{"b", "128000"}}, .count = 1},
        .audio = {.channels = 2, .sample_rate = 48000, .volume = 1},
    };
    struct plan_track others[7];

    (void)state;
    for (size_t i = 0; i < 7; i++)
        others[i] = sound;
    assert_true(plan_same_sound(&sound, &others[0]));
    others[0].stream = 2;
    others[1].audio.channels = 6;
    others[2].audio.sample_rate = 44100;
    others[3].audio.volume = 0.5;
    (void)strcpy(others[4].encoder, "ac3");
    (void)strcpy(others[5].options.list[0].value, "64000");
    others[6].kind = MEDIA_VIDEO;
    for (size_t i = 0; i < 7; i++)
        assert_false(plan_same_sound(&sound, &others[i]));
}

#define FULL "\"path\":\"/a.mp4\",\"audio\":[]"

/* A ladder of two H.264 and one HEVC. */
#define LADDER \
    "{" FULL "},{\"path\":\"/b.mp4\",\"audio\":[],\"video\":{" \
    "\"max_height\":720}},{\"path\":\"/c.mp4\",\"audio\":[]," \
    "\"video\":{\"codec\":\"hevc\",\"max_height\":480}}"

static void make_there(struct job *job, struct plan *plan, const char *outputs,
                       const struct grant *grant)
{
    char text[1024];
    struct error e = {0};

    int size = snprintf(text, sizeof(text),
                        "{\"input\":{\"path\":\"/in.mkv\"},\"outputs\":[%s]}",
                        outputs);
    assert_int_equal(job_from_text(job, text, (size_t)size, &e), 0);
    const struct plan_request request = {
        .job = job,
        .info = &film,
        .grant = grant,
        .device = card_p1000(),
        .available = everything,
    };
    assert_int_equal(plan_make(plan, &request, &e), 0);
}

static void plan_make__granted_a_gpu__uses_what_it_can(void **state)
{
    static const struct {
        const char *video; // members
        int sessions;
        bool decode;
        const char *expect;
        const char *why; // the first
    } cases[] = {
        {"", 1, true, "nvdec>scale_cuda>h264_nvenc", ""},
        {"\"max_height\":720", 1, true, "nvdec>scale_cuda>h264_nvenc", ""},
        {"\"codec\":\"hevc\"", 1, true, "nvdec>scale_cuda>hevc_nvenc", ""},
        {"\"frame_rate\":24", 1, true, "nvdec>fps>scale_cuda>h264_nvenc", ""},
        {"\"max_height\":720", 0, true, "nvdec>scale_cuda>hwdownload>libx264",
         "cuda:0 lends none of its encoder sessions to this job"},
        {"\"max_height\":720", 1, false,
         "native>hwupload>scale_cuda>h264_nvenc", ""},
        {"\"max_height\":720", 0, false, "native>scale>libx264",
         "cuda:0 lends none of its encoder sessions to this job"},
        {"\"profile\":\"high10\"", 1, true, "nvdec>hwdownload>scale>libx264",
         "cuda:0 has no profile 'high10' of h264"},
        {"\"codec\":\"av1\"", 0, true, "nvdec>scale_cuda>hwdownload>libsvtav1",
         "cuda:0 does not encode av1"},
        {"\"codec\":\"av1\"", 1, true, "nvdec>scale_cuda>hwdownload>libsvtav1",
         "cuda:0 does not encode av1"},
        // a telephone's: on its side, HEVC of 10 bits
        {"\"stream\":4", 1, true,
         "nvdec>hwdownload>transpose>hwupload>scale_cuda>h264_nvenc", ""},
        {"\"stream\":4,\"codec\":\"hevc\"", 1, true,
         "nvdec>hwdownload>transpose>hwupload>hevc_nvenc", ""},
        {"\"codec\":\"copy\"", 1, true, "copy", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct grant grant = {"cuda:0", cases[i].sessions,
                                    cases[i].decode, 0, 1};
        struct plan plan;
        struct job job;
        char output[256];
        print_message("%s: %s\n", cases[i].video, cases[i].expect);
        (void)snprintf(output, sizeof(output), "{" FULL ",\"video\":{%s}}",
                       cases[i].video);
        make_there(&job, &plan, output, &grant);
        assert_string_equal(describe(&plan), cases[i].expect);
        assert_string_equal(plan.notes.why_count ? plan.notes.why[0] : "",
                            cases[i].why);
        plan_fini(&plan);
        job_fini(&job);
    }
}

static void plan_make__ladder__has_as_many_as_are_lent(void **state)
{
    static const struct {
        int sessions;
        const char *expect;
    } cases[] = {
        {3, "nvdec>scale_cuda>h264_nvenc nvdec>scale_cuda>h264_nvenc "
            "nvdec>scale_cuda>hevc_nvenc"},
        {1, "nvdec>scale_cuda>h264_nvenc nvdec>scale_cuda>hwdownload>libx264 "
            "nvdec>scale_cuda>hwdownload>libx265"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct grant grant = {"cuda:0", cases[i].sessions, true, 0, 1};
        struct plan plan;
        struct job job;
        make_there(&job, &plan, LADDER, &grant);
        assert_string_equal(describe(&plan), cases[i].expect);
        plan_fini(&plan);
        job_fini(&job);
    }
}

static void plan_make__clamps__name_the_jobs_fields(void **state)
{
    const struct grant grant = {"cuda:0", 3, true, 0, 1};
    struct plan plan;
    struct job job;

    (void)state;
    make_there(&job, &plan,
               "{" FULL "},{\"path\":\"/b.mp4\",\"audio\":[],\"video\":{"
               "\"codec\":\"hevc\",\"b_frames\":3}}",
               &grant);
    assert_int_equal(plan.notes.clamp_count, 1);
    assert_string_equal(plan.notes.clamps[0].field,
                        "outputs[1].video.b_frames");
    assert_string_equal(
        plan_options_get(&plan.outputs[1].tracks[0].options, "bf"), "0");
    plan_fini(&plan);
    job_fini(&job);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan_make__jobs__are_described),
        cmocka_unit_test(plan_make__what_cannot_be__says_why),
        cmocka_unit_test(plan_make__settings__reach_the_encoder),
        cmocka_unit_test(plan_same_sound__any_difference__is_none),
        cmocka_unit_test(plan_make__granted_a_gpu__uses_what_it_can),
        cmocka_unit_test(plan_make__ladder__has_as_many_as_are_lent),
        cmocka_unit_test(plan_make__clamps__name_the_jobs_fields),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
