#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include <libavformat/avformat.h>

#include "base/clock.h"
#include "media/container.h"
#include "media/file_io.h"
#include "media/plan.h"
#include "media/source.h"
#include "pipeline/item.h"
#include "pipeline/muxer.h"
#include "pipeline/stage.h"
#include "support/clip.h"
#include "support/folder.h"
#include "support/stand.h"

static char *folder;

static int make_clip(void **state)
{
    (void)state;
    av_log_set_level(AV_LOG_QUIET);
    folder = folder_create();
    clip_make(folder,
              "-f lavfi -i testsrc2=size=64x48:rate=25:duration=1 "
              "-c:v libx264 -preset ultrafast -g 10 -pix_fmt yuv420p "
              "-metadata title=Film -metadata:s:v language=fin",
              "a.mp4");
    folder_put(folder, "chapters",
               ";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/10\nSTART=0\nEND=5\n"
               "title=One\n[CHAPTER]\nTIMEBASE=1/10\nSTART=5\nEND=10\n"
               "title=Two\n");
    clip_make(folder,
              "-f lavfi -i testsrc2=size=320x240:rate=25:duration=1,"
              "noise=alls=60:allf=t -i @/chapters -map_metadata 1 -c:v libx264 "
              "-preset ultrafast -qp 5 -bf 2 -pix_fmt yuv420p",
              "large.mp4");
    clip_make(folder, "-f lavfi -i sine=duration=3 -c:a aac", "sound.mp4");
    return 0;
}

static int remove_clip(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

/* One copied picture, unless a test changes that. */
struct bench {
    struct source *source;
    struct plan_track track;
    struct plan_output plan;
    struct file_io *io;
    struct muxer_progress progress;
    int64_t duration;
    struct stand stand;
};

static void bench_init(struct bench *b, const char *output)
{
    *b = (struct bench){.source = stand_open(folder, "a.mp4"), .duration = -1};
    b->track = (struct plan_track){.kind = MEDIA_VIDEO, .copied = true};
    b->plan = (struct plan_output){
        .container = container_find(JOB_FORMAT_MATROSKA),
        .tracks = &b->track,
        .track_count = 1,
    };
    struct error e = {0};
    int fd = *output == '/'
                 ? open(output, O_WRONLY | O_CLOEXEC)
                 : open(folder_path(folder, output),
                        O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(file_io_open_output(&b->io, fd, &e), 0);
}

static void bench_start(struct bench *b)
{
    const struct muxer_config config = {.plan = &b->plan,
                                        .source = b->source,
                                        .io = b->io,
                                        .progress = &b->progress,
                                        .duration = b->duration};
    struct stage *stage = NULL;
    struct error e = {0};

    assert_int_equal(muxer_create(&stage, &config, &e), 0);
    stand_init(&b->stand, stage, STAND_KEEPS);
}

static void bench_fini(struct bench *b)
{
    stand_fini(&b->stand);
    file_io_close(b->io);
    source_close(b->source);
}

static int feed(struct bench *b)
{
    return stand_feed_stream(&b->stand, b->source, 0);
}

static void muxer__copy__is_written_in_any_container(void **state)
{
    static const struct {
        enum job_format format;
        enum job_delivery delivery;
    } cases[] = {
        {JOB_FORMAT_MP4, JOB_COMPLETE},      {JOB_FORMAT_MP4, JOB_GROWING},
        {JOB_FORMAT_MATROSKA, JOB_COMPLETE}, {JOB_FORMAT_MATROSKA, JOB_GROWING},
        {JOB_FORMAT_MPEGTS, JOB_COMPLETE},   {JOB_FORMAT_MPEGTS, JOB_GROWING},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bench b;
        bench_init(&b, "out");
        b.plan.container = container_find(cases[i].format);
        b.plan.delivery = cases[i].delivery;
        print_message("%s\n", b.plan.container->muxer);
        bench_start(&b);
        assert_int_equal(feed(&b), 25);
        assert_int_equal(stand_run(&b.stand), 0);
        assert_int_equal(b.progress.frames, 25);
        assert_int_equal(b.progress.position, SECOND);
        assert_int_equal(b.progress.end, SECOND);
        bench_fini(&b);

        struct source *out = stand_open(folder, "out");
        const struct media_info *info = source_info(out);
        assert_int_equal(info->stream_count, 1);
        assert_int_equal(info->streams[0].codec, AV_CODEC_ID_H264);
        assert_int_equal(info->streams[0].width, 64);
        source_close(out);
    }
}

/* The types of the boxes of a file, in their order. */
static void list_boxes(const char *name, char *ret, size_t size)
{
    AVIOContext *in = NULL;
    int64_t at = 0;

    *ret = '\0';
    assert_int_equal(avio_open(&in, folder_path(folder, name), AVIO_FLAG_READ),
                     0);
    while (at < avio_size(in)) {
        char type[6] = " ";
        assert_int_equal(avio_seek(in, at, SEEK_SET), at);
        uint32_t length = avio_rb32(in);
        assert_int_equal(avio_read(in, (unsigned char *)type + 1, 4), 4);
        assert_true(length >= 8 && strlen(ret) + strlen(type) < size);
        strcat(ret, type);
        at += length;
    }
    assert_int_equal(at, avio_size(in));
    avio_closep(&in);
}

static void assert_same_packets(const char *one, const char *other)
{
    struct source *a = stand_open(folder, one);
    struct source *b = stand_open(folder, other);
    AVPacket *of_a = av_packet_alloc();
    AVPacket *of_b = av_packet_alloc();
    struct error e = {0};
    int more;

    while ((more = source_read(a, of_a, &e)) == 1) {
        assert_int_equal(source_read(b, of_b, &e), 1);
        assert_int_equal(of_a->pts, of_b->pts);
        assert_int_equal(of_a->dts, of_b->dts);
        assert_int_equal(of_a->size, of_b->size);
        assert_memory_equal(of_a->data, of_b->data, (size_t)of_a->size);
        av_packet_unref(of_a);
        av_packet_unref(of_b);
    }
    assert_int_equal(more, 0);
    assert_int_equal(source_read(b, of_b, &e), 0);
    av_packet_free(&of_a);
    av_packet_free(&of_b);
    source_close(a);
    source_close(b);
}

/* Of a whole copy libav is spared to write everything twice. */
static void muxer__mp4__has_its_index_in_front(void **state)
{
    static const struct {
        const char *input;
        int64_t duration;
        const char *boxes;
    } cases[] = {
        {"large.mp4", -1, " ftyp moov free free mdat"},
        {"large.mp4", SECOND, " ftyp moov free mdat"}, // how many are a part?
        {"a.mp4", -1, " ftyp moov free mdat"},         // room would be much
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char boxes[64];
        struct bench b;
        bench_init(&b, "out.mp4");
        source_close(b.source);
        b.source = stand_open(folder, cases[i].input);
        b.plan.container = container_find(JOB_FORMAT_MP4);
        b.duration = cases[i].duration;
        print_message("%s %lld\n", cases[i].input, (long long)b.duration);
        bench_start(&b);
        assert_int_equal(feed(&b), 25);
        assert_int_equal(stand_run(&b.stand), 0);
        bench_fini(&b);
        list_boxes("out.mp4", boxes, sizeof(boxes));
        assert_string_equal(boxes, cases[i].boxes);
        assert_same_packets("out.mp4", cases[i].input);
    }
}

/* Without a key frame to begin a fragment at, time does. */
static void muxer__growing_sound__grows(void **state)
{
    char boxes[64];
    struct bench b;

    (void)state;
    bench_init(&b, "out.mp4");
    source_close(b.source);
    b.source = stand_open(folder, "sound.mp4");
    b.track.kind = MEDIA_AUDIO;
    b.plan.container = container_find(JOB_FORMAT_MP4);
    b.plan.delivery = JOB_GROWING;
    bench_start(&b);
    assert_true(feed(&b) > 100);
    assert_int_equal(stand_run(&b.stand), 0);
    assert_in_range(b.progress.whole, 1900000, 3 * SECOND);
    bench_fini(&b);
    list_boxes("out.mp4", boxes, sizeof(boxes));
    assert_string_equal(boxes, " ftyp moov moof mdat moof mdat moof mdat mfra");
    assert_same_packets("out.mp4", "sound.mp4");
}

static void muxer__metadata__is_kept_unless_dropped(void **state)
{
    static const struct {
        enum job_metadata metadata;
        const char *title;
        const char *language;
    } cases[] = {
        {JOB_METADATA_KEEP, "Film", "fin"},
        {JOB_METADATA_DROP, NULL, NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct bench b;
        bench_init(&b, "out");
        b.plan.metadata = cases[i].metadata;
        bench_start(&b);
        feed(&b);
        assert_int_equal(stand_run(&b.stand), 0);
        bench_fini(&b);

        struct source *out = stand_open(folder, "out");
        const AVFormatContext *format = source_format(out);
        const AVDictionaryEntry *title =
            av_dict_get(format->metadata, "title", NULL, 0);
        const AVDictionaryEntry *language =
            av_dict_get(format->streams[0]->metadata, "language", NULL, 0);
        assert_int_equal(title != NULL, cases[i].title != NULL);
        assert_int_equal(language != NULL, cases[i].language != NULL);
        if (title && language) {
            assert_string_equal(title->value, cases[i].title);
            assert_string_equal(language->value, cases[i].language);
        }
        source_close(out);
    }
}

/* Nothing is written before it is known what the track is; then all is. */
static void muxer__encoded_track__waits_for_its_format(void **state)
{
    struct bench b;
    AVCodecParameters *par = avcodec_parameters_alloc();

    (void)state;
    bench_init(&b, "out");
    b.track.copied = false;
    bench_start(&b);
    assert_int_equal(feed(&b), 25); // before the format
    const AVStream *st = source_format(b.source)->streams[0];
    assert_true(avcodec_parameters_copy(par, st->codecpar) >= 0);
    stand_feed(&b.stand, item_format(par, st->time_base, (AVRational){25, 1}));
    assert_int_equal(stand_run(&b.stand), 0);
    assert_int_equal(b.progress.frames, 25);
    assert_true(file_io_size(b.io) > 1000);
    bench_fini(&b);
}

/* A packet of @size bytes of which none is ever touched. */
static struct item *large_item(int size)
{
    AVPacket *packet = av_packet_alloc();

    assert_int_equal(av_new_packet(packet, size), 0);
    return item_packet(packet, (AVRational){1, 25});
}

/* What a stream that never begins makes others wait for has a bound. */
static void muxer__format_that_never_comes__is_not_waited_for(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b, "out");
    b.track.copied = false;
    b.track.stream = 0;
    bench_start(&b);
    for (int i = 0; i < 9; i++)
        stand_feed(&b.stand, large_item(15 << 20));
    assert_int_equal(stand_run(&b.stand), -ENOBUFS);
    assert_string_equal(b.stand.error.text,
                        "output 0: nothing came out of stream 0 while the "
                        "others sent 128 MiB: leave it out, or begin where it "
                        "begins");
    assert_int_equal(b.stand.stage->blame, OUTCOME_BAD_INPUT);
    bench_fini(&b);
}

static void muxer__nothing__is_no_output(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b, "out");
    bench_start(&b);
    assert_int_equal(stand_run(&b.stand), -ENODATA);
    assert_string_equal(b.stand.error.text,
                        "output 0: nothing came out of the input");
    assert_int_equal(b.stand.stage->blame, OUTCOME_BAD_INPUT);
    bench_fini(&b);
}

static void muxer__full_disk__is_the_outputs_failure(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b, "/dev/full");
    b.plan.delivery = JOB_GROWING;
    bench_start(&b);
    feed(&b);
    assert_int_equal(stand_run(&b.stand), -ENOSPC);
    assert_string_equal(b.stand.error.text,
                        "output 0: cannot write: No space left on device");
    assert_int_equal(b.stand.stage->blame, OUTCOME_OUTPUT_FAILED);
    bench_fini(&b);
}

static void muxer__codec_that_does_not_fit__is_a_bad_request(void **state)
{
    struct bench b;

    (void)state;
    bench_init(&b, "out");
    b.plan.container = container_find(JOB_FORMAT_WEBM);
    bench_start(&b);
    feed(&b);
    assert_true(stand_run(&b.stand) < 0);
    assert_non_null(strstr(b.stand.error.text,
                           "container 'webm' does not take these streams"));
    assert_int_equal(b.stand.stage->blame, OUTCOME_BAD_REQUEST);
    bench_fini(&b);
}

/* Feed all packets, changed by @change, and count what was written. */
static int64_t write_changed(void (*change)(AVPacket *packet, int number))
{
    struct bench b;
    struct error e = {0};
    AVPacket *packet = av_packet_alloc();

    bench_init(&b, "out");
    bench_start(&b);
    const AVStream *st = source_format(b.source)->streams[0];
    for (int n = 0; source_read(b.source, packet, &e) > 0; n++) {
        change(packet, n);
        stand_feed(&b.stand,
                   item_packet(av_packet_clone(packet), st->time_base));
        av_packet_unref(packet);
    }
    av_packet_free(&packet);
    assert_int_equal(stand_run(&b.stand), 0);
    int64_t frames = b.progress.frames;
    bench_fini(&b);
    return frames;
}

static void begin_in_a_gop(AVPacket *packet, int number)
{
    if (number < 10)
        packet->flags &= ~AV_PKT_FLAG_KEY;
}

static void muxer__copied_picture__starts_at_a_key_frame(void **state)
{
    (void)state;
    assert_int_equal(write_changed(begin_in_a_gop), 15);
}

/* The same decoding time again and again, and one that goes back. */
static void stumble(AVPacket *packet, int number)
{
    if (number % 5 == 1)
        packet->pts = packet->dts = packet->dts - packet->duration;
    if (number == 12)
        packet->pts = packet->dts = 0;
}

static void muxer__times_that_do_not_grow__are_moved(void **state)
{
    (void)state;
    assert_int_equal(write_changed(stumble), 25);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(muxer__copy__is_written_in_any_container),
        cmocka_unit_test(muxer__mp4__has_its_index_in_front),
        cmocka_unit_test(muxer__growing_sound__grows),
        cmocka_unit_test(muxer__metadata__is_kept_unless_dropped),
        cmocka_unit_test(muxer__encoded_track__waits_for_its_format),
        cmocka_unit_test(muxer__format_that_never_comes__is_not_waited_for),
        cmocka_unit_test(muxer__nothing__is_no_output),
        cmocka_unit_test(muxer__full_disk__is_the_outputs_failure),
        cmocka_unit_test(muxer__codec_that_does_not_fit__is_a_bad_request),
        cmocka_unit_test(muxer__copied_picture__starts_at_a_key_frame),
        cmocka_unit_test(muxer__times_that_do_not_grow__are_moved),
    };

    return cmocka_run_group_tests(tests, make_clip, remove_clip);
}
