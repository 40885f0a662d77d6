#include "pipeline/front.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <libavformat/avformat.h>
#include <libavutil/avstring.h>
#include <libavutil/intreadwrite.h>

#include "base/error.h"
#include "base/memory.h"
#include "media/file_io.h"
#include "media/plan.h"
#include "media/source.h"

/* The most that an index says of one packet: its size (4 bytes), a chunk of
 * its own (20) and a duration of its own (8); of a picture also when it is
 * shown (8), whether it is a key frame (4) and whether others need it (1).
 * Between two subtitles libav puts an empty one. */
static const int bytes_of_packet[MEDIA_KIND_COUNT] = {
    [MEDIA_VIDEO] = 48,
    [MEDIA_AUDIO] = 32,
    [MEDIA_SUBTITLE] = 64,
    [MEDIA_OTHER] = 64,
};

/* What is always there, of the file and of a track. */
#define BYTES_OF_FILE    2048
#define BYTES_OF_TRACK   2048
#define BYTES_OF_CHAPTER 400 // its title twice, and a place in a track
#define BYTES_OF_TAG     64  // besides its words

/* Of the input's size the room may be so small a part at most. */
#define PART      64
#define ROOM_MOST (INT64_C(1) << 30)

/* What counts its packets in its header, one by one. */
#define COUNTING "mp4"

#define BOX_HEAD 8

struct box {
    int64_t start;
    int64_t size;
    uint32_t type;
};

static int64_t bytes_of_tags(const AVDictionary *tags)
{
    const AVDictionaryEntry *tag = NULL;
    int64_t sum = 0;

    while ((tag = av_dict_get(tags, "", tag, AV_DICT_IGNORE_SUFFIX)))
        sum += BYTES_OF_TAG + (int64_t)(strlen(tag->key) + strlen(tag->value));
    return sum;
}

/* 0: not to be known. A cover stands in the index itself. */
static int64_t bytes_of_track(const struct plan_track *track,
                              const AVStream *out, const AVStream *in)
{
    if (!track->copied || in->nb_frames <= 0 || in->nb_frames > ROOM_MOST ||
        (in->disposition & AV_DISPOSITION_ATTACHED_PIC))
        return 0;
    return BYTES_OF_TRACK + bytes_of_tags(out->metadata) +
           out->codecpar->extradata_size +
           in->nb_frames * bytes_of_packet[track->kind];
}

int64_t front_room(const struct plan_output *plan, const AVFormatContext *to,
                   const AVFormatContext *from)
{
    int64_t most = FFMIN(avio_size(from->pb) / PART, ROOM_MOST);
    int64_t room = BYTES_OF_FILE + bytes_of_tags(to->metadata) +
                   (int64_t)to->nb_chapters * BYTES_OF_CHAPTER;

    if (!av_match_name(COUNTING, from->iformat->name))
        return 0;
    for (size_t i = 0; i < plan->track_count; i++) {
        int64_t track = bytes_of_track(&plan->tracks[i], to->streams[i],
                                       from->streams[plan->tracks[i].stream]);
        if (!track)
            return 0;
        room += track;
    }
    return room <= most ? room : 0;
}

static int read_box(AVIOContext *in, int64_t end, struct box *ret)
{
    ret->start = avio_tell(in);
    ret->size = avio_rb32(in);
    ret->type = avio_rl32(in);
    if (ret->size == 1)
        ret->size = (int64_t)avio_rb64(in);
    if (avio_feof(in) || ret->size < BOX_HEAD || ret->size > end - ret->start)
        return -EIO;
    return avio_seek(in, ret->start + ret->size, SEEK_SET) < 0 ? -EIO : 0;
}

/* The first and the last box between @start and @end. */
static int find_boxes(AVIOContext *in, int64_t start, int64_t end,
                      struct box *ret_type, struct box *ret_index)
{
    if (avio_seek(in, start, SEEK_SET) < 0)
        return -EIO;
    int r = read_box(in, end, ret_type);
    *ret_index = *ret_type;
    while (r == 0 && ret_index->start + ret_index->size < end)
        r = read_box(in, end, ret_index);
    if (r == 0 && (ret_type->type != MKTAG('f', 't', 'y', 'p') ||
                   ret_index->type != MKTAG('m', 'o', 'o', 'v')))
        r = -EIO;
    return r;
}

static int copy_box(AVIOContext *in, const struct box *box, uint8_t **at)
{
    if (avio_seek(in, box->start, SEEK_SET) < 0 ||
        avio_read(in, *at, (int)box->size) != box->size)
        return -EIO;
    *at += box->size;
    return 0;
}

/* A box of nothing up to where the first box ends by now. */
static void put_rest(uint8_t **at, int64_t size)
{
    AV_WB32(*at, (uint32_t)size);
    AV_WL32(*at + 4, MKTAG('f', 'r', 'e', 'e'));
    *at += BOX_HEAD;
}

static int write_front(struct file_io *io, const uint8_t *front, int64_t size)
{
    AVIOContext *out = file_io_context(io);

    if (avio_seek(out, 0, SEEK_SET) < 0)
        return -EIO;
    avio_write(out, front, (int)size);
    avio_flush(out);
    return file_io_error(io);
}

static int fill(struct file_io *io, AVIOContext *in, int64_t room)
{
    struct box type;
    struct box index;

    int r = find_boxes(in, room, file_io_size(io), &type, &index);
    if (r < 0)
        return r;
    bool fits = index.size + BOX_HEAD <= room;
    int64_t most = type.size + (fits ? index.size : 0) + BOX_HEAD;
    uint8_t *front = xcalloc(1, (size_t)most);
    uint8_t *at = front;
    r = copy_box(in, &type, &at);
    if (r == 0 && fits)
        r = copy_box(in, &index, &at);
    put_rest(&at, room - (fits ? index.size : 0));
    if (r == 0)
        r = write_front(io, front, at - front);
    if (r == 0 && fits)
        r = file_io_truncate(io, index.start);
    free(front);
    return r;
}

int front_fill(struct file_io *io, int64_t room, struct error *e)
{
    AVIOContext *in = file_io_open_reader(io);
    int r = in ? fill(io, in, room) : -ENOMEM;

    file_io_close_reader(in);
    return r < 0 ? error_set_errno(e, r, "cannot put the index in front") : 0;
}
