#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <libavformat/avformat.h>

#include "base/clock.h"
#include "media/seek.h"
#include "support/clip.h"
#include "support/folder.h"

static char *folder;

/* Five seconds of small pictures, a key frame every 2 s. */
static int make_clips(void **state)
{
    (void)state;
    av_log_set_level(AV_LOG_QUIET);
    folder = folder_create();
    clip_make(folder,
              "-f lavfi -i testsrc2=size=64x48:rate=25:duration=5 "
              "-f lavfi -i sine=duration=5 -c:v libx264 -preset ultrafast "
              "-g 50 -sc_threshold 0 -pix_fmt yuv420p -c:a aac",
              "a.ts");
    clip_make(folder, "-i @/a.ts -c copy", "a.mkv");
    clip_make(folder, "-i @/a.ts -vn -c copy", "sound.ts");
    return 0;
}

static int remove_clips(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

static AVFormatContext *open_clip(const char *name)
{
    AVFormatContext *format = NULL;

    assert_int_equal(
        avformat_open_input(&format, folder_path(folder, name), NULL, NULL), 0);
    assert_true(avformat_find_stream_info(format, NULL) >= 0);
    return format;
}

/* The time of the next key frame of @stream since the beginning, in ms. */
static int next_key(AVFormatContext *format, int stream)
{
    AVPacket *packet = av_packet_alloc();
    int64_t time = INT64_MIN;

    assert_non_null(packet);
    while (time == INT64_MIN && av_read_frame(format, packet) >= 0) {
        if (packet->stream_index == stream && (packet->flags & AV_PKT_FLAG_KEY))
            time = av_rescale_q(packet->pts, format->streams[stream]->time_base,
                                AV_TIME_BASE_Q) -
                   format->start_time;
        av_packet_unref(packet);
    }
    av_packet_free(&packet);
    return (int)((time + 500) / 1000);
}

static void seek_to_key__times__find_the_key_frame_before(void **state)
{
    static const char *const names[] = {"a.ts", "a.mkv"};
    static const struct {
        int time; // ms
        int expect;
    } cases[] = {{0, 0},       {100, 0},     {1900, 0}, {2500, 2000},
                 {3900, 2000}, {4500, 4000}, {500, 0},  {5200, 4000}};

    (void)state;
    for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
        AVFormatContext *format = open_clip(names[n]);
        int stream =
            av_find_best_stream(format, AVMEDIA_TYPE_VIDEO, -1, -1, NULL, 0);
        for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
            print_message("%s at %d ms\n", names[n], cases[i].time);
            // its first picture comes up to 100 ms after its sound
            assert_int_equal(
                seek_to_key(format, format->start_time +
                                        cases[i].time * (SECOND / 1000) +
                                        100000),
                0);
            assert_in_range(next_key(format, stream), cases[i].expect,
                            cases[i].expect + 100);
        }
        avformat_close_input(&format);
    }
}

static void seek_to_key__no_video__is_near_the_time(void **state)
{
    AVFormatContext *format = open_clip("sound.ts");

    (void)state;
    assert_int_equal(seek_to_key(format, format->start_time + 3 * SECOND), 0);
    assert_in_range(next_key(format, 0), 2000, 3100);
    avformat_close_input(&format);
}

/* A stream that nobody reads decides nothing. */
static void seek_to_key__discarded_video__is_none(void **state)
{
    AVFormatContext *format = open_clip("a.ts");
    int sound =
        av_find_best_stream(format, AVMEDIA_TYPE_AUDIO, -1, -1, NULL, 0);

    (void)state;
    format->streams[1 - sound]->discard = AVDISCARD_ALL;
    assert_int_equal(seek_to_key(format, format->start_time + 3800000), 0);
    assert_in_range(next_key(format, sound), 2500, 4000);
    avformat_close_input(&format);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seek_to_key__times__find_the_key_frame_before),
        cmocka_unit_test(seek_to_key__no_video__is_near_the_time),
        cmocka_unit_test(seek_to_key__discarded_video__is_none),
    };

    return cmocka_run_group_tests(tests, make_clips, remove_clips);
}
