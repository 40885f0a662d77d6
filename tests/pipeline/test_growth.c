#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>

#include <libavformat/avformat.h>

#include "base/clock.h"
#include "base/error.h"
#include "media/container.h"
#include "media/file_io.h"
#include "media/source.h"
#include "pipeline/growth.h"
#include "pipeline/muxer.h"
#include "pipeline/parameters.h"
#include "support/clip.h"
#include "support/folder.h"
#include "support/stand.h"

#define PACKETS_MOST 1024
#define TICK         1000 // µs, of the coarsest clock

static char *folder;

static int make_clips(void **state)
{
    (void)state;
    av_log_set_level(AV_LOG_QUIET);
    folder = folder_create();
    clip_make(folder,
              "-f lavfi -i testsrc2=size=64x48:rate=25:duration=4 "
              "-f lavfi -i sine=duration=4 -c:v libx264 -preset fast -bf 2 "
              "-g 30 -pix_fmt yuv420p -c:a aac",
              "both.mp4");
    clip_make(folder,
              "-f lavfi -i testsrc2=size=64x48:rate=25:duration=4 "
              "-f lavfi -i sine=duration=4 -c:v libx264 -preset fast -bf 2 "
              "-x264-params open-gop=1 -g 30 -pix_fmt yuv420p -c:a eac3",
              "open.mp4");
    clip_make(folder,
              "-f lavfi -i testsrc2=size=64x48:rate=25:duration=4 "
              "-c:v libx264 -preset fast -bf 2 -g 30 -pix_fmt yuv420p",
              "pictures.mp4");
    clip_make(folder, "-f lavfi -i sine=duration=4 -c:a aac", "sound.mp4");
    return 0;
}

static int remove_clips(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

/* When the packets of a file are shown, µs. */
struct times {
    size_t count;
    int stream[PACKETS_MOST];
    int64_t shown[PACKETS_MOST];
};

static void add_time(struct times *t, const AVPacket *packet,
                     AVRational time_base)
{
    assert_true(t->count < PACKETS_MOST);
    t->stream[t->count] = packet->stream_index;
    t->shown[t->count++] = av_rescale_q(packet->pts, time_base, AV_TIME_BASE_Q);
}

/* An output that grows, of all streams of a clip. */
struct bench {
    struct source *source;
    struct file_io *io;
    AVFormatContext *format;
    struct muxer_progress progress;
    struct growth *growth;
    struct times given;
};

static void add_streams(struct bench *b, const struct container *c)
{
    const AVFormatContext *in = source_format(b->source);
    struct error e = {0};

    for (unsigned i = 0; i < in->nb_streams; i++) {
        AVStream *out = avformat_new_stream(b->format, NULL);
        assert_non_null(out);
        assert_int_equal(parameters_copy(out, in->streams[i], b->format, c, &e),
                         0);
    }
}

static void bench_init(struct bench *b, const char *clip,
                       enum job_format format)
{
    const struct container *c = container_find(format);
    AVDictionary *options = NULL;
    struct error e = {0};

    *b = (struct bench){.source = stand_open(folder, clip)};
    int fd = open(folder_path(folder, "out"),
                  O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(file_io_open_output(&b->io, fd, &e), 0);
    assert_true(
        avformat_alloc_output_context2(&b->format, NULL, c->muxer, NULL) >= 0);
    b->format->pb = file_io_context(b->io);
    b->format->flush_packets = 1;
    add_streams(b, c);
    assert_true(av_dict_parse_string(&options, c->options[JOB_GROWING], "=",
                                     ":", 0) >= 0);
    const AVStream *first = source_format(b->source)->streams[0];
    if (first->codecpar->codec_type == AVMEDIA_TYPE_AUDIO &&
        c->options_of_sound)
        assert_true(av_dict_parse_string(&options, c->options_of_sound, "=",
                                         ":", 0) >= 0);
    assert_true(avformat_write_header(b->format, &options) >= 0);
    av_dict_free(&options);
    const struct growth_config config = {
        .format = b->format,
        .container = c,
        .io = b->io,
        .progress = &b->progress,
    };
    b->growth = growth_create(&config);
}

static void bench_fini(struct bench *b)
{
    growth_destroy(b->growth);
    b->format->pb = NULL; // its owner closes it
    avformat_free_context(b->format);
    file_io_close(b->io);
    source_close(b->source);
}

/* The next packet of the clip; false behind the last one. */
static bool grow(struct bench *b)
{
    AVPacket *packet = av_packet_alloc();
    struct error e = {0};
    bool more = source_read(b->source, packet, &e) == 1;

    if (more) {
        int i = packet->stream_index;
        const AVStream *in = source_format(b->source)->streams[i];
        add_time(&b->given, packet, in->time_base);
        av_packet_rescale_ts(packet, in->time_base,
                             b->format->streams[i]->time_base);
        packet->pos = -1;
        int64_t shown = b->given.shown[b->given.count - 1];
        if (shown > b->progress.position)
            b->progress.position = shown;
        assert_true(growth_write(b->growth, packet) >= 0);
    }
    av_packet_free(&packet);
    return more;
}

/* What a reader finds now. */
static void read_back(struct times *ret)
{
    AVPacket *packet = av_packet_alloc();
    AVFormatContext *in = NULL;

    ret->count = 0;
    assert_true(
        avformat_open_input(&in, folder_path(folder, "out"), NULL, NULL) >= 0);
    assert_true(avformat_find_stream_info(in, NULL) >= 0);
    while (av_read_frame(in, packet) >= 0) {
        add_time(ret, packet, in->streams[packet->stream_index]->time_base);
        av_packet_unref(packet);
    }
    avformat_close_input(&in);
    av_packet_free(&packet);
}

static int64_t begin_of(const struct times *t)
{
    int64_t begin = INT64_MAX;

    for (size_t i = 0; i < t->count; i++)
        begin = t->shown[i] < begin ? t->shown[i] : begin;
    return begin;
}

static bool is_in(const struct times *t, int stream, int64_t shown)
{
    for (size_t i = 0; i < t->count; i++) {
        if (t->stream[i] == stream && llabs(t->shown[i] - shown) <= TICK)
            return true;
    }
    return false;
}

/* All that is shown before `whole` can be read back. A container may begin to
 * count elsewhere. */
static void assert_whole(const struct bench *b)
{
    struct times found;
    int64_t whole = b->progress.whole;

    read_back(&found);
    int64_t shift = begin_of(&found) - begin_of(&b->given);
    for (size_t i = 0; i < b->given.count; i++) {
        int stream = b->given.stream[i];
        int64_t shown = b->given.shown[i];
        if (shown <= whole - TICK && !is_in(&found, stream, shown + shift))
            fail_msg("whole up to %lld, but %lld of stream %d is not there",
                     (long long)whole, (long long)shown, stream);
    }
}

/* At each moment at which a worker could die. */
static void growth__cut_off_anywhere__is_whole_up_to_where_it_says(void **state)
{
    static const struct {
        const char *clip;
        enum job_format format;
        int64_t lag; // µs behind what was given, at most
    } cases[] = {
        {"both.mp4", JOB_FORMAT_MP4, 1400000},
        {"both.mp4", JOB_FORMAT_MATROSKA, 1200000},
        {"both.mp4", JOB_FORMAT_MPEGTS, 1200000},
        {"open.mp4", JOB_FORMAT_MP4, 1600000},
        {"open.mp4", JOB_FORMAT_MATROSKA, 1200000},
        {"open.mp4", JOB_FORMAT_MPEGTS, 1200000},
        {"pictures.mp4", JOB_FORMAT_MP4, 1400000},
        {"pictures.mp4", JOB_FORMAT_MATROSKA, 1200000},
        {"pictures.mp4", JOB_FORMAT_MPEGTS, 1200000},
        {"sound.mp4", JOB_FORMAT_MP4, 1200000},
        {"sound.mp4", JOB_FORMAT_MATROSKA, 1200000},
        {"sound.mp4", JOB_FORMAT_MPEGTS, 1200000},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bench b;
        int64_t told = 0;
        int steps = 0;
        bench_init(&b, cases[i].clip, cases[i].format);
        print_message("%s in %s\n", cases[i].clip,
                      container_find(cases[i].format)->muxer);
        while (grow(&b)) {
            assert_true(b.progress.whole + cases[i].lag >= b.progress.position);
            if (b.progress.whole == told)
                continue;
            told = b.progress.whole;
            steps++;
            assert_whole(&b);
        }
        assert_in_range(steps, 2, 8);
        growth_end(b.growth);
        assert_whole(&b);
        print_message("  %d steps, the last %lld\n", steps,
                      (long long)b.progress.whole);
        assert_in_range(b.progress.whole, 3800000, 4200000);
        bench_fini(&b);
    }
}

/* Before the first fragment is complete the header waits, too. */
static void growth_end__nothing_is_written_yet__writes_it(void **state)
{
    static const enum job_format formats[] = {
        JOB_FORMAT_MP4, JOB_FORMAT_MATROSKA, JOB_FORMAT_MPEGTS};

    (void)state;
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        struct bench b;
        bench_init(&b, "both.mp4", formats[i]);
        for (int n = 0; n < 30; n++)
            assert_true(grow(&b));
        assert_int_equal(b.progress.whole, 0);
        growth_end(b.growth);
        assert_in_range(b.progress.whole, 300000, 2 * SECOND);
        assert_whole(&b);
        bench_fini(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            growth__cut_off_anywhere__is_whole_up_to_where_it_says),
        cmocka_unit_test(growth_end__nothing_is_written_yet__writes_it),
    };

    return cmocka_run_group_tests(tests, make_clips, remove_clips);
}
