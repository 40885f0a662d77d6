#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <libavformat/avformat.h>

#include "base/error.h"
#include "media/container.h"
#include "pipeline/item.h"
#include "pipeline/parameters.h"

#define HEV1 MKTAG('h', 'e', 'v', '1')
#define HVC1 MKTAG('h', 'v', 'c', '1')
#define AVC1 MKTAG('a', 'v', 'c', '1')

/* An output of @format with one stream. */
static AVFormatContext *create(enum job_format format)
{
    AVFormatContext *ret = NULL;
    const struct container *c = container_find(format);

    assert_true(avformat_alloc_output_context2(&ret, NULL, c->muxer, NULL) >=
                0);
    assert_non_null(avformat_new_stream(ret, NULL));
    return ret;
}

static void set_extradata(AVCodecParameters *par, int size)
{
    par->extradata = av_mallocz((size_t)size + AV_INPUT_BUFFER_PADDING_SIZE);
    assert_non_null(par->extradata);
    par->extradata_size = size;
}

static void parameters_copy__tag__is_one_that_the_container_knows(void **state)
{
    static const struct {
        enum AVCodecID codec;
        uint32_t tag;
        int extradata;
        enum job_format format;
        uint32_t expect;
    } cases[] = {
        {AV_CODEC_ID_H264, AVC1, 0, JOB_FORMAT_MP4, AVC1},
        {AV_CODEC_ID_H264, MKTAG('H', '2', '6', '4'), 0, JOB_FORMAT_MP4, 0},
        {AV_CODEC_ID_HEVC, HEV1, 4, JOB_FORMAT_MP4, HVC1},
        {AV_CODEC_ID_HEVC, HEV1, 0, JOB_FORMAT_MP4, HEV1}, // sets are inside
        {AV_CODEC_ID_HEVC, 0, 4, JOB_FORMAT_MPEGTS, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        AVFormatContext *from = create(JOB_FORMAT_MP4);
        AVFormatContext *to = create(cases[i].format);
        AVStream *in = from->streams[0];
        struct error e = {0};
        print_message("case %zu\n", i);
        in->codecpar->codec_type = AVMEDIA_TYPE_VIDEO;
        in->codecpar->codec_id = cases[i].codec;
        in->codecpar->codec_tag = cases[i].tag;
        in->time_base = (AVRational){1, 12345};
        in->sample_aspect_ratio = (AVRational){16, 15};
        if (cases[i].extradata)
            set_extradata(in->codecpar, cases[i].extradata);
        assert_int_equal(parameters_copy(to->streams[0], in, to,
                                         container_find(cases[i].format), &e),
                         0);
        assert_int_equal(to->streams[0]->codecpar->codec_tag, cases[i].expect);
        assert_int_equal(to->streams[0]->time_base.den, 12345);
        assert_int_equal(to->streams[0]->sample_aspect_ratio.num, 16);
        avformat_free_context(from);
        avformat_free_context(to);
    }
}

static void parameters_take__encoders_format__is_the_streams(void **state)
{
    AVCodecParameters *par = avcodec_parameters_alloc();
    AVFormatContext *to = create(JOB_FORMAT_MP4);
    AVStream *out = to->streams[0];
    struct error e = {0};

    (void)state;
    par->codec_type = AVMEDIA_TYPE_VIDEO;
    par->codec_id = AV_CODEC_ID_HEVC;
    par->sample_aspect_ratio = (AVRational){4, 3};
    set_extradata(par, 4);
    struct item *item =
        item_format(par, (AVRational){1, 90000}, (AVRational){25, 1});
    assert_int_equal(
        parameters_take(out, item, container_find(JOB_FORMAT_MP4), &e), 0);
    assert_int_equal(out->codecpar->codec_tag, HVC1);
    assert_int_equal(out->time_base.den, 90000);
    assert_int_equal(out->avg_frame_rate.num, 25);
    assert_int_equal(out->sample_aspect_ratio.num, 4);
    item_destroy(item);
    avformat_free_context(to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_copy__tag__is_one_that_the_container_knows),
        cmocka_unit_test(parameters_take__encoders_format__is_the_streams),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
