#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <libavformat/avformat.h>

#include "base/clock.h"
#include "base/error.h"
#include "media/source.h"
#include "pipeline/demuxer.h"
#include "pipeline/item.h"
#include "pipeline/queue.h"
#include "pipeline/stage.h"
#include "support/clip.h"
#include "support/folder.h"
#include "support/stand.h"

#define ROOM 4096 // items

enum { PICTURE, SOUND, TEXT, STREAMS };

static char *folder;

/* Two seconds, a key frame every 400 ms, and words from 500 to 1500 ms. */
static int make_clips(void **state)
{
    (void)state;
    av_log_set_level(AV_LOG_QUIET);
    folder = folder_create();
    folder_put(folder, "a.srt", "1\n00:00:00,500 --> 00:00:01,500\nHello\n");
    clip_make(folder,
              "-f lavfi -i testsrc2=size=64x48:rate=25:duration=2 "
              "-f lavfi -i sine=sample_rate=48000:duration=2 -i @/a.srt "
              "-map 0 -map 1 -map 2 -c:v libx264 -preset ultrafast -bf 0 "
              "-g 10 -pix_fmt yuv420p -c:a flac -c:s srt",
              "a.mkv");
    return 0;
}

static int remove_clips(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

struct bench {
    struct source *source;
    struct stage *stage;
    struct queue *queues[STREAMS];
    struct error error;
};

static void bench_init(struct bench *b, int64_t start)
{
    *b = (struct bench){.source = stand_open(folder, "a.mkv")};
    const struct demuxer_config config = {
        .source = b->source, .start = start, .duration = -1};
    b->stage = demuxer_create(&config);
    for (int i = 0; i < STREAMS; i++)
        b->queues[i] = queue_create(ROOM, 1, item_destroy);
}

static void bench_fini(struct bench *b)
{
    stage_destroy(b->stage);
    for (int i = 0; i < STREAMS; i++)
        queue_destroy(b->queues[i]);
    source_close(b->source);
}

struct seen {
    int packets;
    int64_t first; // µs
    int64_t last;
    int64_t duration; // of the last, µs
    size_t track;
    int kinds; // bits of the streams that they came from
};

static struct seen take_all(struct queue *q)
{
    struct seen all = {0};
    void *p = NULL;

    while (queue_receive(q, &p) > 0) {
        const struct item *i = p;
        assert_int_equal(i->kind, ITEM_PACKET);
        all.last = av_rescale_q(i->packet->pts, i->time_base, AV_TIME_BASE_Q);
        all.duration =
            av_rescale_q(i->packet->duration, i->time_base, AV_TIME_BASE_Q);
        if (!all.packets++)
            all.first = all.last;
        all.track = i->track;
        all.kinds |= 1 << i->packet->stream_index;
        item_destroy(p);
    }
    return all;
}

static void demuxer__routes__get_their_stream(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b, 0);
    for (size_t i = 0; i < STREAMS; i++)
        demuxer_route(b.stage, i, b.queues[i], 7 + i, -1);
    assert_int_equal(stage_run(b.stage, &b.error), 0);
    for (size_t i = 0; i < STREAMS; i++) {
        struct seen all = take_all(b.queues[i]);
        print_message("stream %zu\n", i);
        assert_true(all.packets > 0);
        assert_int_equal(all.track, 7 + i);
        assert_int_equal(all.kinds, 1 << i);
        if (i == PICTURE)
            assert_int_equal(all.packets, 50);
        assert_int_equal(all.first, i == TEXT ? SECOND / 2 : 0);
    }
    bench_fini(&b);
}

/* A muxer has one queue for all of its tracks. */
static void demuxer__two_streams_in_one_queue__keep_their_tracks(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b, 0);
    demuxer_route(b.stage, PICTURE, b.queues[0], 0, -1);
    demuxer_route(b.stage, SOUND, b.queues[0], 1, -1);
    demuxer_route(b.stage, PICTURE, b.queues[1], 5, -1); // somebody else's
    assert_int_equal(b.stage->out_count, 2);
    assert_int_equal(stage_run(b.stage, &b.error), 0);
    struct seen both = take_all(b.queues[0]);
    assert_int_equal(both.kinds, 1 << PICTURE | 1 << SOUND);
    struct seen other = take_all(b.queues[1]);
    assert_int_equal(other.packets, 50);
    assert_int_equal(other.track, 5);
    bench_fini(&b);
}

static void demuxer__until__ends_a_copy(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b, 0);
    demuxer_route(b.stage, PICTURE, b.queues[PICTURE], 0, SECOND);
    demuxer_route(b.stage, SOUND, b.queues[SOUND], 0, -1);
    assert_int_equal(stage_run(b.stage, &b.error), 0);
    struct seen all = take_all(b.queues[PICTURE]);
    assert_int_equal(all.packets, 25);
    assert_int_equal(all.last, SECOND - 40000);
    assert_true(take_all(b.queues[SOUND]).last > SECOND * 3 / 2);
    bench_fini(&b);
}

static void demuxer__start__is_where_time_begins(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b, SECOND);
    for (size_t i = 0; i < STREAMS; i++)
        demuxer_route(b.stage, i, b.queues[i], 0, -1);
    assert_int_equal(stage_run(b.stage, &b.error), 0);
    struct seen all = take_all(b.queues[PICTURE]);
    assert_int_equal(all.first, -200000); // the key frame at 800 ms
    assert_int_equal(all.last, SECOND - 40000);
    bench_fini(&b);
}

/* Words that are shown when the job begins are shown from its beginning. */
static void demuxer__subtitle_that_has_begun__is_cut(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b, 600000); // the key frame before lies at 400 ms
    demuxer_route(b.stage, PICTURE, b.queues[PICTURE], 0, -1);
    demuxer_route(b.stage, TEXT, b.queues[TEXT], 0, -1);
    assert_int_equal(stage_run(b.stage, &b.error), 0);
    struct seen all = take_all(b.queues[TEXT]);
    assert_int_equal(all.packets, 1);
    assert_int_equal(all.first, 0);
    assert_int_equal(all.duration, 900000);
    bench_fini(&b);
}

static void demuxer__nobody_wants_more__ends(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b, 0);
    demuxer_route(b.stage, PICTURE, b.queues[PICTURE], 0, -1);
    queue_abandon(b.queues[PICTURE]);
    assert_int_equal(stage_run(b.stage, &b.error), 0);
    // it did not read on to the end for it
    AVPacket *packet = av_packet_alloc();
    assert_int_equal(source_read(b.source, packet, &b.error), 1);
    av_packet_free(&packet);
    bench_fini(&b);
}

/* Subtitles may have to wait long for the packet that would end them. */
static void demuxer__only_subtitles_left__ends(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b, 0);
    demuxer_route(b.stage, PICTURE, b.queues[PICTURE], 0, SECOND / 5);
    demuxer_route(b.stage, TEXT, b.queues[TEXT], 0, -1);
    assert_int_equal(stage_run(b.stage, &b.error), 0);
    assert_int_equal(take_all(b.queues[PICTURE]).packets, 5);
    assert_int_equal(take_all(b.queues[TEXT]).packets, 0);
    bench_fini(&b);
}

static void demuxer__only_subtitles_wanted__reads_on(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b, 0);
    demuxer_route(b.stage, TEXT, b.queues[TEXT], 0, -1);
    assert_int_equal(stage_run(b.stage, &b.error), 0);
    struct seen all = take_all(b.queues[TEXT]);
    assert_int_equal(all.packets, 1);
    assert_int_equal(all.duration, SECOND);
    bench_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(demuxer__routes__get_their_stream),
        cmocka_unit_test(demuxer__two_streams_in_one_queue__keep_their_tracks),
        cmocka_unit_test(demuxer__until__ends_a_copy),
        cmocka_unit_test(demuxer__start__is_where_time_begins),
        cmocka_unit_test(demuxer__subtitle_that_has_begun__is_cut),
        cmocka_unit_test(demuxer__nobody_wants_more__ends),
        cmocka_unit_test(demuxer__only_subtitles_left__ends),
        cmocka_unit_test(demuxer__only_subtitles_wanted__reads_on),
    };

    return cmocka_run_group_tests(tests, make_clips, remove_clips);
}
