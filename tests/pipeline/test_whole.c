#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <libavformat/avformat.h>

#include "media/container.h"
#include "pipeline/whole.h"

#define US(ms) ((ms)*INT64_C(1000))

/* A picture, a sound and a subtitle, all on a clock of milliseconds. */
struct bench {
    AVFormatContext *format;
    struct whole *whole;
};

static void bench_init(struct bench *b, enum job_format format)
{
    static const enum AVCodecID codecs[] = {AV_CODEC_ID_H264, AV_CODEC_ID_AAC,
                                            AV_CODEC_ID_SUBRIP};

    b->format = avformat_alloc_context();
    for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
        AVStream *st = avformat_new_stream(b->format, NULL);
        st->codecpar->codec_id = codecs[i];
        st->codecpar->codec_type = avcodec_get_type(codecs[i]);
        st->time_base = (AVRational){1, 1000};
    }
    b->whole = whole_create(b->format, container_find(format));
}

static void bench_fini(struct bench *b)
{
    whole_destroy(b->whole);
    avformat_free_context(b->format);
}

static void give(struct bench *b, int stream, int64_t dts, int64_t pts)
{
    const AVPacket packet = {
        .stream_index = stream, .dts = dts, .pts = pts, .duration = 40};

    whole_give(b->whole, &packet);
}

/* The container gets so many in all, and writes them. */
static int64_t write_all(struct bench *b, int64_t pictures, int64_t sounds)
{
    b->format->streams[0]->nb_frames = pictures;
    b->format->streams[1]->nb_frames = sounds;
    whole_mark(b->whole);
    return whole_settle(b->whole);
}

static void whole__slowest_stream__says_how_far(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b, JOB_FORMAT_MP4);
    assert_int_equal(write_all(&b, 0, 0), INT64_MIN);
    for (int i = 0; i < 10; i++) {
        give(&b, 0, 40L * i, 40L * i);
        give(&b, 1, 40L * i, 40L * i);
    }
    assert_int_equal(write_all(&b, 5, 0), INT64_MIN);
    assert_int_equal(write_all(&b, 5, 3), US(120));
    assert_int_equal(write_all(&b, 5, 7), US(200));
    assert_int_equal(write_all(&b, 10, 10), US(400));
    bench_fini(&b);
}

static void whole__packets_that_are_kept_back__are_not_there(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b, JOB_FORMAT_MATROSKA);
    for (int i = 0; i < 4; i++) {
        give(&b, 0, 40L * i, 40L * i);
        give(&b, 1, 40L * i, 40L * i);
    }
    assert_int_equal(write_all(&b, 4, 1), INT64_MIN);
    assert_int_equal(write_all(&b, 4, 4), US(120));
    bench_fini(&b);
}

/* I0 P3 B1 B2 P6 B4 B5, of which not all are there yet. */
static void whole__pictures_out_of_order__up_to_the_first_gap(void **state)
{
    static const int64_t shown[] = {0, 120, 40, 80, 240, 160, 200};
    static const struct {
        int64_t given, written, expect;
    } cases[] = {
        {7, 1, 40},  {7, 2, 40},  {7, 3, 80},  {7, 4, 160},
        {7, 5, 160}, {7, 6, 200}, {7, 7, 240}, // next can be shown from here
        {2, 2, 0},   {4, 4, 120}, {5, 5, 120},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bench b;
        bench_init(&b, JOB_FORMAT_MP4);
        give(&b, 1, 1000, 1000);
        for (int64_t n = 0; n < cases[i].given; n++)
            give(&b, 0, 40 * n - 40, shown[n]);
        print_message("%d of %d\n", (int)cases[i].written, (int)cases[i].given);
        assert_int_equal(write_all(&b, cases[i].written, 1),
                         US(cases[i].expect));
        bench_fini(&b);
    }
}

static void whole__subtitles__are_not_waited_for(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b, JOB_FORMAT_MP4);
    give(&b, 0, 0, 0);
    give(&b, 1, 0, 0);
    give(&b, 2, 0, 0);
    assert_int_equal(write_all(&b, 1, 1), US(40));
    bench_fini(&b);
}

/* A filter of libav's may make one packet out of two. */
static void whole__container_gets_fewer_than_were_given__is_less(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b, JOB_FORMAT_MP4);
    for (int i = 0; i < 200; i++) {
        give(&b, 0, 40L * i, 40L * i);
        give(&b, 1, 40L * i, 40L * i);
        assert_true(write_all(&b, (i + 1) / 2, i + 1) <= US(40L * i));
    }
    assert_int_equal(write_all(&b, 100, 200), US(4000));
    bench_fini(&b);
}

static void whole__times_that_are_not_known__are_those_before(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b, JOB_FORMAT_MP4);
    give(&b, 1, 1000, 1000);
    give(&b, 0, 0, 0);
    give(&b, 0, AV_NOPTS_VALUE, AV_NOPTS_VALUE);
    assert_int_equal(write_all(&b, 1, 1), US(40));
    assert_int_equal(write_all(&b, 2, 1), US(40));
    give(&b, 0, 80, AV_NOPTS_VALUE);
    assert_int_equal(write_all(&b, 2, 1), US(80));
    assert_int_equal(write_all(&b, 3, 1), US(80));
    bench_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole__slowest_stream__says_how_far),
        cmocka_unit_test(whole__packets_that_are_kept_back__are_not_there),
        cmocka_unit_test(whole__pictures_out_of_order__up_to_the_first_gap),
        cmocka_unit_test(whole__subtitles__are_not_waited_for),
        cmocka_unit_test(whole__container_gets_fewer_than_were_given__is_less),
        cmocka_unit_test(whole__times_that_are_not_known__are_those_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
