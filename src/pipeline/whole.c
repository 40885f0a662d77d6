#include "pipeline/whole.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <libavformat/avformat.h>

#include "base/memory.h"
#include "media/container.h"

struct part {
    const AVStream *stream; // not owned
    bool counts;
    size_t kept_back; // packets that the container may hold though it writes
    int64_t *shown;   // owned; when those are, that are not known to be written
    size_t first;     // of them
    size_t end;       // behind the last of them
    size_t room;
    int64_t written; // packets, in all
    int64_t marked;
    int64_t next; // not before this is shown what will be given
};

struct whole {
    struct part *parts; // owned; one a stream
    size_t count;
};

static bool counts(const AVStream *st)
{
    enum AVMediaType type = st->codecpar->codec_type;

    return (type == AVMEDIA_TYPE_VIDEO || type == AVMEDIA_TYPE_AUDIO) &&
           !(st->disposition & AV_DISPOSITION_ATTACHED_PIC);
}

struct whole *whole_create(const AVFormatContext *format,
                           const struct container *container)
{
    struct whole *w = xcalloc(1, sizeof(*w));

    w->count = format->nb_streams;
    w->parts = xcalloc(w->count, sizeof(*w->parts));
    for (size_t i = 0; i < w->count; i++) {
        const AVStream *st = format->streams[i];
        w->parts[i] = (struct part){
            .stream = st,
            .counts = counts(st),
            .kept_back =
                container_keeps_back(container, st->codecpar->codec_id),
            .next = INT64_MIN,
        };
    }
    return w;
}

void whole_destroy(struct whole *w)
{
    if (!w)
        return;
    for (size_t i = 0; i < w->count; i++)
        free(w->parts[i].shown);
    free(w->parts);
    free(w);
}

static void append(struct part *p, int64_t shown)
{
    if (p->end == p->room && p->first > p->room / 2) {
        p->end -= p->first;
        memmove(p->shown, p->shown + p->first, p->end * sizeof(*p->shown));
        p->first = 0;
    }
    p->shown = xgrow(p->shown, &p->room, p->end + 1, sizeof(*p->shown));
    p->shown[p->end++] = shown;
}

/* What follows is decoded later, and nothing is shown before it is decoded. A
 * picture that is shown at once stays until the next one is. */
static int64_t next_behind(const AVPacket *packet)
{
    if (packet->pts == packet->dts)
        return packet->dts + packet->duration;
    return packet->dts;
}

void whole_give(struct whole *w, const AVPacket *packet)
{
    struct part *p = &w->parts[packet->stream_index];
    int64_t shown = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;

    if (!p->counts)
        return;
    append(p, shown != AV_NOPTS_VALUE ? shown : p->next);
    if (packet->dts != AV_NOPTS_VALUE)
        p->next = next_behind(packet);
}

void whole_mark(struct whole *w)
{
    for (size_t i = 0; i < w->count; i++)
        w->parts[i].marked = w->parts[i].stream->nb_frames;
}

static void forget_written(struct part *p)
{
    int64_t written = p->marked - (int64_t)p->kept_back;

    while (p->written < written && p->first < p->end) {
        p->written++;
        p->first++;
    }
}

static int64_t end_of(const struct part *p)
{
    int64_t end = p->next;

    for (size_t i = p->first; i < p->end; i++)
        end = FFMIN(end, p->shown[i]);
    return av_rescale_q_rnd(end, p->stream->time_base, AV_TIME_BASE_Q,
                            AV_ROUND_DOWN);
}

int64_t whole_settle(struct whole *w)
{
    int64_t end = INT64_MAX;

    for (size_t i = 0; i < w->count; i++) {
        struct part *p = &w->parts[i];
        if (!p->counts)
            continue;
        forget_written(p);
        end = FFMIN(end, p->written ? end_of(p) : INT64_MIN);
    }
    return end == INT64_MAX ? INT64_MIN : end;
}
