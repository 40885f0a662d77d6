#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <libavformat/avformat.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/memory.h"
#include "media/file_io.h"
#include "media/plan.h"
#include "media/source.h"
#include "pipeline/front.h"
#include "support/clip.h"
#include "support/folder.h"
#include "support/stand.h"

#define MOST 4096

static char *folder;

static int make_clips(void **state)
{
    (void)state;
    av_log_set_level(AV_LOG_QUIET);
    folder = folder_create();
    clip_make(folder,
              "-f lavfi -i testsrc2=size=320x240:rate=25:duration=1,"
              "noise=alls=60:allf=t -f lavfi -i sine=duration=1 -c:v libx264 "
              "-preset ultrafast -qp 5 -pix_fmt yuv420p -c:a aac",
              "large.mp4");
    clip_make(folder, "-i @/large.mp4 -c copy", "large.mkv");
    clip_make(folder, "-i @/large.mp4 -map 0:a -c copy", "sound.mp4");
    clip_make(folder,
              "-i @/large.mp4 -c copy -movflags +frag_keyframe+empty_moov",
              "fragmented.mp4");
    return 0;
}

static int remove_clips(void **state)
{
    (void)state;
    folder_remove(folder);
    return 0;
}

static void front_room__only_where_packets_are_counted(void **state)
{
    static const struct {
        const char *input;
        bool encoded;
        int disposition;
        bool any;
    } cases[] = {
        {"large.mp4", false, 0, true},
        {"large.mp4", true, 0, false},
        {"large.mp4", false, AV_DISPOSITION_ATTACHED_PIC, false},
        {"large.mkv", false, 0, false},
        {"fragmented.mp4", false, 0, false},
        {"sound.mp4", false, 0, false}, // too small for it
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct plan_track track = {.kind = MEDIA_VIDEO,
                                   .copied = !cases[i].encoded};
        struct plan_output plan = {.tracks = &track, .track_count = 1};
        struct source *source = stand_open(folder, cases[i].input);
        AVFormatContext *from = source_format(source);
        AVFormatContext *to = avformat_alloc_context();
        assert_non_null(avformat_new_stream(to, NULL));
        print_message("%s %d %d\n", cases[i].input, cases[i].encoded,
                      cases[i].disposition);
        from->streams[0]->disposition |= cases[i].disposition;
        int64_t room = front_room(&plan, to, from);
        assert_int_equal(room > 0, cases[i].any);
        if (room) {
            assert_true(room > 25 * 40); // of its pictures
            assert_true(room <= avio_size(from->pb) / 64);
            int64_t before = room;
            av_dict_set(&to->metadata, "title", "Film", 0);
            room = front_room(&plan, to, from);
            assert_true(room > before + 8);
        }
        avformat_free_context(to);
        source_close(source);
    }
}

/* What is to be read from a text: ".NAME:SIZE" is a box, "-SIZE" is room, and
 * ".NAME*SIZE" a box whose size is said in 64 bits. Boxes hold the first letter
 * of their name. */
static size_t write_layout(const char *text, unsigned char ret[MOST])
{
    size_t at = 0;

    memset(ret, 0, MOST);
    while (*text) {
        char name[5] = "";
        char how = 0;
        unsigned size = 0;
        int used = 0;
        if (sscanf(text, "-%u %n", &size, &used) == 1) {
            at += size;
        } else {
            assert_int_equal(
                sscanf(text, ".%4[a-z]%c%u %n", name, &how, &size, &used), 3);
            unsigned char *box = ret + at;
            memset(box, name[0], size);
            memcpy(box + 4, name, 4);
            memset(box, 0, 4);
            if (how == '*') {
                box[3] = 1;
                memset(box + 8, 0, 8);
                box += 12;
            }
            box[2] = (unsigned char)(size >> 8);
            box[3] = (unsigned char)size;
            at += size;
        }
        text += used;
    }
    assert_true(at <= MOST);
    return at;
}

/* The size and name of each box of the first @size bytes. */
static const char *read_layout(const unsigned char *bytes, size_t size)
{
    static char text[256];
    size_t at = 0;

    *text = '\0';
    while (at + 8 <= size) {
        char box[32];
        unsigned length = (unsigned)bytes[at + 2] << 8 | bytes[at + 3];
        if (length == 1)
            length = (unsigned)bytes[at + 14] << 8 | bytes[at + 15];
        (void)snprintf(box, sizeof(box), ".%.4s:%u ",
                       (const char *)bytes + at + 4, length);
        assert_true(strlen(text) + strlen(box) < sizeof(text));
        strcat(text, box);
        at += length;
    }
    assert_int_equal(at, size);
    return text;
}

/* Its bytes behind front_fill(), and how many. */
static int fill(const char *layout, int64_t room, unsigned char ret[MOST],
                size_t *ret_size)
{
    struct file_io *io = NULL;
    struct error e = {0};
    int fd = open(folder_path(folder, "out"),
                  O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int own = dup(fd);

    size_t size = write_layout(layout, ret);
    assert_int_equal(file_io_open_output(&io, fd, &e), 0);
    avio_write(file_io_context(io), ret, (int)size);
    avio_flush(file_io_context(io));
    int r = front_fill(io, room, &e);
    assert_int_equal(*e.text != '\0', r < 0);
    ssize_t n = pread(own, ret, MOST, 0);
    assert_true(n >= 0);
    assert_int_equal(file_io_size(io), n);
    *ret_size = (size_t)n;
    file_io_close(io);
    fd_close(&own);
    return r;
}

static void front_fill__index_that_fits__comes_in_front(void **state)
{
    static const struct {
        const char *before;
        int64_t room;
        const char *after;
    } cases[] = {
        {"-100 .ftyp:32 .free:8 .mdat:500 .moov:60", 100,
         ".ftyp:32 .moov:60 .free:40 .free:8 .mdat:500 "},
        {"-68 .ftyp:32 .free:8 .mdat:500 .moov:60", 68,
         ".ftyp:32 .moov:60 .free:8 .free:8 .mdat:500 "},
        {"-100 .ftyp:24 .mdat*500 .moov:60", 100,
         ".ftyp:24 .moov:60 .free:40 .mdat:500 "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned char bytes[MOST];
        unsigned char before[MOST];
        size_t size;
        print_message("%s\n", cases[i].before);
        assert_int_equal(fill(cases[i].before, cases[i].room, bytes, &size), 0);
        assert_string_equal(read_layout(bytes, size), cases[i].after);
        // nothing of the media has moved, and the index is whole
        assert_int_equal(write_layout(cases[i].before, before), size + 60);
        size_t media = size - 500;
        assert_memory_equal(bytes + media, before + media, 500);
        const unsigned char *index = memmem(bytes, size, "moov", 4);
        assert_memory_equal(index - 4, before + size, 60);
    }
}

static void front_fill__index_too_long__stays_at_the_end(void **state)
{
    unsigned char bytes[MOST];
    size_t size;

    (void)state;
    for (int64_t room = 60; room < 68; room++) { // a box of nothing takes 8
        char layout[80];
        (void)snprintf(layout, sizeof(layout),
                       "-%d .ftyp:32 .free:8 .mdat:500 .moov:60", (int)room);
        assert_int_equal(fill(layout, room, bytes, &size), 0);
        (void)snprintf(layout, sizeof(layout),
                       ".ftyp:32 .free:%d .free:8 .mdat:500 .moov:60 ",
                       (int)room);
        assert_string_equal(read_layout(bytes, size), layout);
    }
}

static void front_fill__what_is_no_mp4__is_refused(void **state)
{
    static const char *const cases[] = {
        "-100",                             // nothing
        "-100 .moov:60",                    // no type
        "-100 .ftyp:32 .mdat:500",          // no index
        "-100 .ftyp:32 .moov:60 .mdat:500", // not at the end
        "-100 .ftyp:32 -60 .moov:60",       // holes
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        unsigned char bytes[MOST];
        size_t size;
        print_message("%s\n", cases[i]);
        assert_int_equal(fill(cases[i], 100, bytes, &size), -EIO);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(front_room__only_where_packets_are_counted),
        cmocka_unit_test(front_fill__index_that_fits__comes_in_front),
        cmocka_unit_test(front_fill__index_too_long__stays_at_the_end),
        cmocka_unit_test(front_fill__what_is_no_mp4__is_refused),
    };

    return cmocka_run_group_tests(tests, make_clips, remove_clips);
}
