#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <libavformat/avformat.h>

#include "base/error.h"
#include "media/file_io.h"
#include "media/source.h"
#include "support/clip.h"
#include "support/folder.h"

#define PICTURE "-f lavfi -i testsrc2=size=320x180:rate=25:duration=2 "
#define SOUND   "-f lavfi -i sine=duration=2 "
#define ENCODE  "-c:v libx264 -preset ultrafast -g 25 -pix_fmt yuv420p "

static char *folder;

static int make_clips(void **state)
{
    (void)state;
    av_log_set_level(AV_LOG_QUIET);
    folder = folder_create();
    clip_make(folder, PICTURE SOUND ENCODE "-c:a aac -movflags +faststart",
              "a.mp4");
    clip_make(folder, "-i @/a.mp4 -c copy", "a.mkv");
    clip_make(folder, "-i @/a.mp4 -c:a copy -c:v libx264 -bf 3", "b.mkv");
    clip_make(folder, "-i @/a.mp4 -c copy", "a.ts");
    clip_make(folder, "-i @/a.mp4 -c copy -metadata:s:v rotate=90",
              "turned.mp4");
    clip_make(folder, "-i @/a.mp4 -frames:v 1", "still.png");
    folder_put(folder, "empty.mp4", "");
    folder_put(folder, "noise.mp4", "\x13\x37 noise");
    folder_put(folder, "list.m3u8",
               "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n"
               "file:///etc/passwd\n#EXT-X-ENDLIST\n");
    folder_put(folder, "list.ffconcat",
               "ffconcat version 1.0\nfile /etc/passwd\n");
    return 0;
}

static int remove_clips(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

static int open_clip(struct source **ret, const char *name, const char *format,
                     struct error *e)
{
    const struct source_request request = {
        .format = format,
        .probe_size = 5000000,
        .analyze_duration = -1,
    };
    struct file_io *io = NULL;
    int fd = open(folder_path(folder, name), O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(file_io_open_input(&io, fd, e), 0);
    return source_open(ret, io, &request, e);
}

static void source_open__media__is_described(void **state)
{
    static const struct {
        const char *name;
        enum media_turn turn;
        bool probed; // does libav decode to find out?
    } cases[] = {
        {"a.mp4", MEDIA_UPRIGHT, false}, {"a.mkv", MEDIA_UPRIGHT, false},
        {"b.mkv", MEDIA_UPRIGHT, false}, // with pictures out of order
        {"a.ts", MEDIA_UPRIGHT, true},   {"turned.mp4", MEDIA_COUNTER, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct source *s = NULL;
        struct error e = {0};
        print_message("%s\n", cases[i].name);
        assert_int_equal(open_clip(&s, cases[i].name, NULL, &e), 0);
        const struct media_info *info = source_info(s);
        assert_int_equal(info->stream_count, 2);
        const struct media_stream *video = &info->streams[0];
        assert_int_equal(video->kind, MEDIA_VIDEO);
        assert_int_equal(video->codec, AV_CODEC_ID_H264);
        assert_int_equal(video->width, 320);
        assert_int_equal(video->height, 180);
        assert_int_equal(video->depth, 8);
        assert_int_equal(video->turn, cases[i].turn);
        assert_int_equal(av_cmp_q(video->frame_rate, (AVRational){25, 1}), 0);
        assert_int_equal(video->format != AV_PIX_FMT_NONE, cases[i].probed);
        assert_int_equal(info->streams[1].kind, MEDIA_AUDIO);
        assert_int_equal(info->streams[1].sample_rate, 44100);
        assert_true(info->duration > 1900000 && info->duration < 2200000);
        source_close(s);
    }
}

static void source_open__no_media__says_what_it_is(void **state)
{
    static const struct {
        const char *name;
        const char *text;
    } cases[] = {
        {"empty.mp4", "the input is empty"},
        {"noise.mp4", "the input is damaged, or of no known format"},
        {"still.png", "the input is a still image"},
        {"list.m3u8", "the input is no media: it only names other files (hls)"},
        {"list.ffconcat",
         "the input is no media: it only names other files (concat)"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct source *s = NULL;
        struct error e = {0};
        print_message("%s\n", cases[i].name);
        assert_int_equal(open_clip(&s, cases[i].name, NULL, &e), -EBADMSG);
        assert_string_equal(e.text, cases[i].text);
    }
}

static void source_open__cut_off__says_how_much_is_missing(void **state)
{
    static const char *const names[] = {"a.mp4", "a.mkv"};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct source *s = NULL;
        struct error e = {0};
        struct stat st;
        assert_int_equal(stat(folder_path(folder, names[i]), &st), 0);
        char *whole = strdup(folder_path(folder, names[i]));
        clip_make(folder,
                  i ? "-i @/a.mp4 -c copy"
                    : "-i @/a.mp4 -c copy -movflags +faststart",
                  i ? "cut.mkv" : "cut.mp4");
        const char *cut = folder_path(folder, i ? "cut.mkv" : "cut.mp4");
        assert_int_equal(truncate(cut, st.st_size / 2), 0);
        assert_int_equal(open_clip(&s, i ? "cut.mkv" : "cut.mp4", NULL, &e),
                         -EBADMSG);
        assert_non_null(strstr(e.text, "the input is cut off"));
        free(whole);
    }
}

static void source_open__format_asked_for__must_exist(void **state)
{
    struct source *s = NULL;
    struct error e = {0};

    (void)state;
    assert_int_equal(open_clip(&s, "a.mp4", "no_such_format", &e), -EINVAL);
    assert_string_equal(e.field, "input.format");
    assert_int_equal(open_clip(&s, "a.mp4", "mov", &e), 0);
    source_close(s);
}

static int count_packets(struct source *s, int64_t *ret_first)
{
    AVPacket *packet = av_packet_alloc();
    struct error e = {0};
    int count = 0;
    int r;

    assert_non_null(packet);
    while ((r = source_read(s, packet, &e)) > 0) {
        if (!count++ && ret_first)
            *ret_first = packet->pts;
        av_packet_unref(packet);
    }
    assert_int_equal(r, 0);
    av_packet_free(&packet);
    return count;
}

static void source_read__from_the_start__misses_nothing(void **state)
{
    static const char *const names[] = {"a.mp4", "a.mkv", "a.ts"};
    static const bool video[] = {true, false};

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct source *s = NULL;
        struct error e = {0};
        print_message("%s\n", names[i]);
        assert_int_equal(open_clip(&s, names[i], NULL, &e), 0);
        source_use(s, video);
        int count = count_packets(s, NULL);
        // what was read ahead may hold sound
        assert_in_range(count, 50, 50 + 20);
        source_close(s);
    }
}

static void source_seek__time__goes_to_the_key_frame_before(void **state)
{
    static const bool video[] = {true, false};
    struct source *s = NULL;
    struct error e = {0};
    int64_t first = 0;

    (void)state;
    assert_int_equal(open_clip(&s, "a.mp4", NULL, &e), 0);
    source_use(s, video);
    assert_int_equal(source_seek(s, 1500000), 0);
    assert_int_equal(count_packets(s, &first), 25);
    const AVStream *st = source_format(s)->streams[0];
    assert_int_equal(av_rescale_q(first, st->time_base, AV_TIME_BASE_Q),
                     1000000);
    source_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(source_open__media__is_described),
        cmocka_unit_test(source_open__no_media__says_what_it_is),
        cmocka_unit_test(source_open__cut_off__says_how_much_is_missing),
        cmocka_unit_test(source_open__format_asked_for__must_exist),
        cmocka_unit_test(source_read__from_the_start__misses_nothing),
        cmocka_unit_test(source_seek__time__goes_to_the_key_frame_before),
    };

    return cmocka_run_group_tests(tests, make_clips, remove_clips);
}
