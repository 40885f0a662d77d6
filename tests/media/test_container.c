#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <libavformat/avformat.h>
#include <libavutil/dict.h>
#include <libavutil/opt.h>

#include "media/container.h"

static void container_find__formats__have_a_muxer_of_libav(void **state)
{
    static const char *const expect[JOB_FORMAT_COUNT] = {
        [JOB_FORMAT_MP4] = "mp4",
        [JOB_FORMAT_MATROSKA] = "matroska",
        [JOB_FORMAT_MPEGTS] = "mpegts",
        [JOB_FORMAT_WEBM] = "webm",
    };

    (void)state;
    assert_null(container_find(JOB_FORMAT_BY_PATH));
    for (enum job_format f = JOB_FORMAT_MP4; f < JOB_FORMAT_COUNT; f++) {
        const struct container *c = container_find(f);
        print_message("%s\n", expect[f]);
        assert_non_null(c);
        assert_int_equal(c->format, f);
        assert_string_equal(c->muxer, expect[f]);
        assert_non_null(av_guess_format(c->muxer, NULL, NULL));
    }
}

/* A misspelt option would only show when a job runs. */
static void container__options__are_known_to_the_muxer(void **state)
{
    (void)state;
    for (enum job_format f = JOB_FORMAT_MP4; f < JOB_FORMAT_COUNT; f++) {
        const struct container *c = container_find(f);
        const char *lists[] = {c->options[JOB_COMPLETE],
                               c->options[JOB_GROWING], c->options_of_sound};
        for (int d = 0; d < 3 && lists[d]; d++) {
            AVFormatContext *format = NULL;
            AVDictionary *options = NULL;
            print_message("%s: '%s'\n", c->muxer, lists[d]);
            assert_true(avformat_alloc_output_context2(&format, NULL, c->muxer,
                                                       NULL) >= 0);
            assert_true(av_dict_parse_string(&options, lists[d], "=", ":", 0) >=
                        0);
            if (av_dict_count(options)) // MPEG-TS needs none
                assert_true(av_opt_set_dict(format->priv_data, &options) >= 0);
            assert_int_equal(av_dict_count(options), 0);
            av_dict_free(&options);
            avformat_free_context(format);
        }
    }
}

static void container__mp4__is_made_for_how_it_is_delivered(void **state)
{
    const struct container *mp4 = container_find(JOB_FORMAT_MP4);

    (void)state;
    assert_string_equal(mp4->options[JOB_COMPLETE], "movflags=+faststart");
    assert_non_null(strstr(mp4->options[JOB_GROWING], "frag_keyframe"));
    assert_null(strstr(mp4->options[JOB_GROWING], "faststart"));
    assert_true(mp4->index_in_front);
    assert_false(container_find(JOB_FORMAT_MPEGTS)->index_in_front);
    assert_int_equal(mp4->hevc_tag, MKTAG('h', 'v', 'c', '1'));
    assert_int_equal(container_find(JOB_FORMAT_MATROSKA)->hevc_tag, 0);
}

static void container_keeps_back__sound__of_what_collects_it(void **state)
{
    static const struct {
        enum job_format format;
        enum AVCodecID codec;
        size_t expect;
    } cases[] = {
        {JOB_FORMAT_MP4, AV_CODEC_ID_AAC, 0},
        {JOB_FORMAT_MP4, AV_CODEC_ID_EAC3, 5},
        {JOB_FORMAT_MATROSKA, AV_CODEC_ID_AAC, 1},
        {JOB_FORMAT_MATROSKA, AV_CODEC_ID_H264, 0},
        {JOB_FORMAT_WEBM, AV_CODEC_ID_OPUS, 1},
        {JOB_FORMAT_MPEGTS, AV_CODEC_ID_AAC, 0}, // is told to write instead
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct container *c = container_find(cases[i].format);
        print_message("%s: %s\n", c->muxer, avcodec_get_name(cases[i].codec));
        assert_int_equal(container_keeps_back(c, cases[i].codec),
                         cases[i].expect);
    }
    assert_true(container_find(JOB_FORMAT_MPEGTS)->flush_every > 0);
}

static void container_wants_global_header__only_mpegts__does_not(void **state)
{
    static const struct {
        enum job_format format;
        bool expect;
    } cases[] = {
        {JOB_FORMAT_MP4, true},
        {JOB_FORMAT_MATROSKA, true},
        {JOB_FORMAT_WEBM, true},
        {JOB_FORMAT_MPEGTS, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct container *c = container_find(cases[i].format);
        print_message("%s\n", c->muxer);
        assert_int_equal(container_wants_global_header(c), cases[i].expect);
    }
}

static void container_takes__codecs__are_told_apart(void **state)
{
    static const struct {
        enum job_format format;
        enum AVCodecID codec;
        bool expect;
    } cases[] = {
        {JOB_FORMAT_MP4, AV_CODEC_ID_H264, true},
        {JOB_FORMAT_MP4, AV_CODEC_ID_FLAC, true},
        {JOB_FORMAT_MP4, AV_CODEC_ID_MOV_TEXT, true},
        {JOB_FORMAT_MP4, AV_CODEC_ID_SUBRIP, false},
        {JOB_FORMAT_MP4, AV_CODEC_ID_WMV3, false},
        {JOB_FORMAT_MATROSKA, AV_CODEC_ID_SUBRIP, true},
        {JOB_FORMAT_MATROSKA, AV_CODEC_ID_WMV3, true},
        {JOB_FORMAT_WEBM, AV_CODEC_ID_VP9, true},
        {JOB_FORMAT_WEBM, AV_CODEC_ID_OPUS, true},
        {JOB_FORMAT_WEBM, AV_CODEC_ID_WEBVTT, true},
        {JOB_FORMAT_WEBM, AV_CODEC_ID_H264, false},
        {JOB_FORMAT_WEBM, AV_CODEC_ID_AAC, false},
        {JOB_FORMAT_MPEGTS, AV_CODEC_ID_H264, true},
        {JOB_FORMAT_MPEGTS, AV_CODEC_ID_AC3, true},
        {JOB_FORMAT_MPEGTS, AV_CODEC_ID_PCM_S16LE,
         false}, // as data, unplayable
        {JOB_FORMAT_MPEGTS, AV_CODEC_ID_SUBRIP, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct container *c = container_find(cases[i].format);
        print_message("%s in %s\n", avcodec_get_name(cases[i].codec), c->muxer);
        assert_int_equal(container_takes(c, cases[i].codec), cases[i].expect);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(container_find__formats__have_a_muxer_of_libav),
        cmocka_unit_test(container__options__are_known_to_the_muxer),
        cmocka_unit_test(container__mp4__is_made_for_how_it_is_delivered),
        cmocka_unit_test(container_keeps_back__sound__of_what_collects_it),
        cmocka_unit_test(container_wants_global_header__only_mpegts__does_not),
        cmocka_unit_test(container_takes__codecs__are_told_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
