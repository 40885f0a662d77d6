#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <libavformat/avformat.h>

#include "base/clock.h"
#include "media/source.h"
#include "pipeline/decoder.h"
#include "pipeline/item.h"
#include "support/clip.h"
#include "support/folder.h"
#include "support/stand.h"

static char *folder;

/* A second of picture with B-frames, and of sound in a container that counts
 * in ms. */
static int make_clip(void **state)
{
    (void)state;
    av_log_set_level(AV_LOG_QUIET);
    folder = folder_create();
    clip_make(folder,
              "-f lavfi -i testsrc2=size=64x48:rate=25:duration=1 "
              "-f lavfi -i sine=sample_rate=44100:duration=1 "
              "-c:v libx264 -preset ultrafast -bf 2 -pix_fmt yuv420p "
              "-c:a aac",
              "a.mkv");
    return 0;
}

static int remove_clip(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

struct bench {
    struct source *source;
    struct stand stand;
    atomic_llong errors;
};

static void bench_init(struct bench *b, size_t stream)
{
    struct stage *stage = NULL;
    struct error e = {0};

    *b = (struct bench){.source = stand_open(folder, "a.mkv")};
    // another word than the stream's own
    source_format(b->source)->streams[0]->sample_aspect_ratio =
        (AVRational){5, 4};
    const struct decoder_config config = {.source = b->source,
                                          .stream = stream,
                                          .threads = 1,
                                          .errors = &b->errors};
    assert_int_equal(decoder_create(&stage, &config, &e), 0);
    stand_init(&b->stand, stage, STAND_SENDS);
}

static void bench_fini(struct bench *b)
{
    stand_fini(&b->stand);
    source_close(b->source);
}

static AVFrame *take(struct bench *b, AVRational *ret_base)
{
    struct item *item = stand_take(&b->stand);

    if (!item)
        return NULL;
    assert_int_equal(item->kind, ITEM_FRAME);
    *ret_base = item->time_base;
    return item_take_frame(item);
}

static int count_frames(struct bench *b)
{
    AVRational base;
    int count = 0;

    for (AVFrame *f; (f = take(b, &base)); av_frame_free(&f))
        count++;
    return count;
}

static void decoder__pictures__come_in_order_and_in_time(void **state)
{
    struct bench b;
    AVRational base;
    int64_t first = 0;
    int count = 0;

    (void)state;
    bench_init(&b, 0);
    assert_int_equal(stand_feed_stream(&b.stand, b.source, 0), 25);
    assert_int_equal(stand_run(&b.stand), 0);
    for (AVFrame *f; (f = take(&b, &base)); av_frame_free(&f), count++) {
        if (!count)
            first = f->pts;
        assert_int_equal(av_rescale_q(f->pts - first, base, AV_TIME_BASE_Q),
                         40000 * count);
        assert_int_equal(f->width, 64);
        assert_int_equal(f->pict_type, AV_PICTURE_TYPE_NONE);
        // the container says how wide a pixel is
        assert_int_equal(av_cmp_q(f->sample_aspect_ratio, (AVRational){5, 4}),
                         0);
    }
    assert_int_equal(count, 25);
    assert_int_equal(b.errors, 0);
    bench_fini(&b);
}

/* The container's ms are 44 samples each, so nearly no frame would meet the one
 * before; only what is off by more than half of that may move one. */
static void decoder__sound__counts_in_samples_without_jitter(void **state)
{
    struct bench b;
    AVRational base;
    int64_t next = 0;
    int64_t count = 0;
    int moved = 0;

    (void)state;
    bench_init(&b, 1);
    assert_true(stand_feed_stream(&b.stand, b.source, 1) > 40);
    assert_int_equal(stand_run(&b.stand), 0);
    for (AVFrame *f; (f = take(&b, &base)); av_frame_free(&f)) {
        assert_int_equal(av_cmp_q(base, (AVRational){1, 44100}), 0);
        moved += count && f->pts != next;
        if (count)
            assert_true(llabs(f->pts - next) <= 22);
        next = f->pts + f->nb_samples;
        count += f->nb_samples;
    }
    assert_in_range(count, 44100, 44100 + 2048);
    assert_in_range(moved, 0, 2);
    bench_fini(&b);
}

static void feed_noise(struct bench *b, int count)
{
    for (int i = 0; i < count; i++) {
        AVPacket *packet = av_packet_alloc();
        assert_non_null(packet);
        assert_int_equal(av_new_packet(packet, 32), 0);
        memset(packet->data, 0xa5, 32);
        packet->pts = packet->dts = 2000 + 40 * i;
        stand_feed(&b->stand, item_packet(packet, (AVRational){1, 1000}));
    }
}

static void decoder__damaged_packets__are_survived_and_counted(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b, 0);
    feed_noise(&b, 2);
    assert_int_equal(stand_feed_stream(&b.stand, b.source, 0), 25);
    feed_noise(&b, 3);
    assert_int_equal(stand_run(&b.stand), 0);
    assert_int_equal(b.errors, 5);
    assert_int_equal(count_frames(&b), 25);
    bench_fini(&b);
}

/* More than two thirds are bad: it fails, though what was good has left. */
static void decoder__mostly_damaged__says_so(void **state)
{
    static const struct {
        int noise;
        int result;
    } cases[] = {{49, 0}, {51, -EBADMSG}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bench b;
        print_message("%d bad ones\n", cases[i].noise);
        bench_init(&b, 0);
        feed_noise(&b, cases[i].noise);
        assert_int_equal(stand_feed_stream(&b.stand, b.source, 0), 25);
        assert_int_equal(stand_run(&b.stand), cases[i].result);
        assert_int_equal(b.errors, cases[i].noise);
        if (cases[i].result)
            assert_string_equal(b.stand.error.text,
                                "stream 0: it cannot be decoded: it is "
                                "damaged or encrypted");
        bench_fini(&b);
    }
}

/* Packets of no time follow those before them. */
static void decoder__pictures_without_times__go_on(void **state)
{
    struct bench b;
    AVPacket *packet = av_packet_alloc();
    const AVStream *st;
    struct error e = {0};
    AVRational base;
    int64_t last = INT64_MIN;
    int count = 0;

    (void)state;
    bench_init(&b, 0);
    st = source_format(b.source)->streams[0];
    while (source_read(b.source, packet, &e) > 0) {
        if (packet->stream_index == 0) {
            packet->pts = packet->dts = AV_NOPTS_VALUE;
            stand_feed(&b.stand,
                       item_packet(av_packet_clone(packet), st->time_base));
        }
        av_packet_unref(packet);
    }
    av_packet_free(&packet);
    assert_int_equal(stand_run(&b.stand), 0);
    for (AVFrame *f; (f = take(&b, &base)); av_frame_free(&f), count++) {
        assert_true(f->pts != AV_NOPTS_VALUE);
        if (count)
            assert_in_range(av_rescale_q(f->pts - last, base, AV_TIME_BASE_Q),
                            39000, 41000);
        last = f->pts;
    }
    assert_int_equal(count, 25);
    bench_fini(&b);
}

static void decoder__nothing__is_nothing(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b, 0);
    assert_int_equal(stand_run(&b.stand), 0);
    assert_int_equal(count_frames(&b), 0);
    assert_int_equal(b.errors, 0);
    bench_fini(&b);
}

static void decoder_create__no_decoder__names_the_codec(void **state)
{
    struct source *source = stand_open(folder, "a.mkv");
    atomic_llong errors = 0;
    const struct decoder_config config = {.source = source, .errors = &errors};
    struct stage *stage = NULL;
    struct error e = {0};

    (void)state;
    source_format(source)->streams[0]->codecpar->codec_id = AV_CODEC_ID_NONE;
    assert_int_equal(decoder_create(&stage, &config, &e), -ENOTSUP);
    assert_string_equal(e.text, "there is no decoder for none");
    assert_null(stage);
    source_close(source);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decoder__pictures__come_in_order_and_in_time),
        cmocka_unit_test(decoder__sound__counts_in_samples_without_jitter),
        cmocka_unit_test(decoder__damaged_packets__are_survived_and_counted),
        cmocka_unit_test(decoder__mostly_damaged__says_so),
        cmocka_unit_test(decoder__pictures_without_times__go_on),
        cmocka_unit_test(decoder__nothing__is_nothing),
        cmocka_unit_test(decoder_create__no_decoder__names_the_codec),
    };

    return cmocka_run_group_tests(tests, make_clip, remove_clip);
}
