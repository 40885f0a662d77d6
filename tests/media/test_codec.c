#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <libavcodec/avcodec.h>

#include "media/codec.h"
#include "media/container.h"
#include "model/job.h"

static void codec_tables__every_codec_of_a_job__has_its_row(void **state)
{
    (void)state;
    for (int i = 0; i < JOB_VIDEO_COUNT; i++) {
        const struct codec_video *c =
            codec_find_video((enum job_video_codec)i, MEMORY_SYSTEM);
        bool none = i == JOB_VIDEO_COPY || i == JOB_VIDEO_NONE;
        assert_int_equal(c == NULL, none);
        if (c)
            assert_string_equal(c->name,
                                job_video_codec_name((enum job_video_codec)i));
    }
    for (int i = 0; i < JOB_AUDIO_COUNT; i++) {
        const struct codec_audio *c = codec_find_audio((enum job_audio_codec)i);
        assert_int_equal(c == NULL, i == JOB_AUDIO_COPY);
        if (c)
            assert_string_equal(c->name,
                                job_audio_codec_name((enum job_audio_codec)i));
    }
    for (int i = 0; i < JOB_SUBTITLE_COUNT; i++) {
        const struct codec_subtitle *c =
            codec_find_subtitle((enum job_subtitle_codec)i);
        assert_int_equal(c == NULL, i == JOB_SUBTITLE_COPY);
        if (c)
            assert_string_equal(
                c->name, job_subtitle_codec_name((enum job_subtitle_codec)i));
    }
}

static void codec_tables__encoder__makes_what_the_row_says(void **state)
{
    (void)state;
    for (int i = 0; i < JOB_VIDEO_COUNT; i++) {
        const struct codec_video *c =
            codec_find_video((enum job_video_codec)i, MEMORY_SYSTEM);
        const AVCodec *encoder =
            c ? avcodec_find_encoder_by_name(c->encoder) : NULL;
        if (encoder)
            assert_int_equal(encoder->id, c->id);
    }
    for (int i = 0; i < JOB_AUDIO_COUNT; i++) {
        const struct codec_audio *c = codec_find_audio((enum job_audio_codec)i);
        const AVCodec *encoder =
            c ? avcodec_find_encoder_by_name(c->encoder) : NULL;
        if (encoder)
            assert_int_equal(encoder->id, c->id);
    }
}

static void codec_preset__our_words__are_each_encoders_own(void **state)
{
    static const struct {
        enum job_video_codec codec;
        const char *word;
        const char *expect; // NULL: goes through as it is
    } cases[] = {
        {JOB_VIDEO_H264, "fastest", "preset=ultrafast"},
        {JOB_VIDEO_H264, "fast", "preset=veryfast"},
        {JOB_VIDEO_H264, "slowest", "preset=veryslow"},
        {JOB_VIDEO_H264, "superfast", NULL},
        {JOB_VIDEO_H264, "p1", "preset=ultrafast"},
        {JOB_VIDEO_HEVC, "p4", "preset=medium"},
        {JOB_VIDEO_AV1, "p7", "preset=4"},
        {JOB_VIDEO_AV1, "medium", "preset=8"},
        {JOB_VIDEO_AV1, "7", NULL},
        {JOB_VIDEO_VP9, "slow", "deadline=good:cpu-used=2"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *got = codec_preset(
            codec_find_video(cases[i].codec, MEMORY_SYSTEM), cases[i].word);
        if (cases[i].expect)
            assert_string_equal(got, cases[i].expect);
        else
            assert_null(got);
    }
}

static void codec_find_format__profile_and_depth__decide(void **state)
{
    static const struct {
        enum job_video_codec codec;
        const char *profile;
        int depth;
        enum AVPixelFormat expect;
        enum memory memory;
    } cases[] = {
        {JOB_VIDEO_H264, NULL, 8, AV_PIX_FMT_YUV420P, MEMORY_SYSTEM},
        {JOB_VIDEO_H264, NULL, 10, AV_PIX_FMT_YUV420P, MEMORY_SYSTEM},
        {JOB_VIDEO_H264, "high10", 8, AV_PIX_FMT_YUV420P10, MEMORY_SYSTEM},
        {JOB_VIDEO_HEVC, NULL, 8, AV_PIX_FMT_YUV420P, MEMORY_SYSTEM},
        {JOB_VIDEO_HEVC, NULL, 10, AV_PIX_FMT_YUV420P10, MEMORY_SYSTEM},
        {JOB_VIDEO_HEVC, NULL, 12, AV_PIX_FMT_YUV420P10, MEMORY_SYSTEM},
        {JOB_VIDEO_HEVC, "main10", 8, AV_PIX_FMT_YUV420P10, MEMORY_SYSTEM},
        {JOB_VIDEO_HEVC, "high", 8, AV_PIX_FMT_NONE, MEMORY_SYSTEM},
        {JOB_VIDEO_VP9, "2", 8, AV_PIX_FMT_YUV420P10, MEMORY_SYSTEM},
        {JOB_VIDEO_H264, NULL, 10, AV_PIX_FMT_NV12, MEMORY_CUDA},
        {JOB_VIDEO_H264, "high10", 10, AV_PIX_FMT_NONE, MEMORY_CUDA},
        {JOB_VIDEO_HEVC, NULL, 8, AV_PIX_FMT_NV12, MEMORY_CUDA},
        {JOB_VIDEO_HEVC, NULL, 10, AV_PIX_FMT_P010, MEMORY_CUDA},
        {JOB_VIDEO_HEVC, "main", 10, AV_PIX_FMT_NV12, MEMORY_CUDA},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct codec_format *f =
            codec_find_format(codec_find_video(cases[i].codec, cases[i].memory),
                              cases[i].profile, cases[i].depth);
        assert_int_equal(f ? f->format : AV_PIX_FMT_NONE, cases[i].expect);
    }
}

static void container_takes__codecs__as_libav_knows(void **state)
{
    static const struct {
        enum job_format format;
        enum AVCodecID codec;
        bool expect;
    } cases[] = {
        {JOB_FORMAT_MP4, AV_CODEC_ID_H264, true},
        {JOB_FORMAT_MP4, AV_CODEC_ID_FLAC, true},
        {JOB_FORMAT_MP4, AV_CODEC_ID_SUBRIP, false},
        {JOB_FORMAT_MP4, AV_CODEC_ID_MOV_TEXT, true},
        {JOB_FORMAT_WEBM, AV_CODEC_ID_H264, false},
        {JOB_FORMAT_WEBM, AV_CODEC_ID_VP9, true},
        {JOB_FORMAT_MATROSKA, AV_CODEC_ID_SUBRIP, true},
        {JOB_FORMAT_MPEGTS, AV_CODEC_ID_H264, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%s in %s\n", avcodec_get_name(cases[i].codec),
                      job_format_name(cases[i].format));
        assert_int_equal(
            container_takes(container_find(cases[i].format), cases[i].codec),
            cases[i].expect);
    }
    assert_null(container_find(JOB_FORMAT_BY_PATH));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(codec_tables__every_codec_of_a_job__has_its_row),
        cmocka_unit_test(codec_tables__encoder__makes_what_the_row_says),
        cmocka_unit_test(codec_preset__our_words__are_each_encoders_own),
        cmocka_unit_test(codec_find_format__profile_and_depth__decide),
        cmocka_unit_test(container_takes__codecs__as_libav_knows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
