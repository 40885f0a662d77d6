#include "pipeline/demuxer.h"

#include <errno.h>
#include <stdlib.h>

#include <libavformat/avformat.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "media/source.h"
#include "pipeline/gate.h"
#include "pipeline/item.h"
#include "pipeline/queue.h"
#include "pipeline/reorder.h"
#include "pipeline/stage.h"
#include "pipeline/timeline.h"

struct route {
    size_t stream;
    size_t output; // of the stage
    size_t track;
    int64_t until; // µs, < 0: to the end
    bool sparse;   // subtitles
    bool ended;
};

struct demuxer {
    struct stage stage;
    struct demuxer_config config;
    int64_t next; // of a raw stream: the time of its next packet, in ticks
    struct reorder *reorders;  // owned; one a stream
    struct timeline *timeline; // owned
    struct route *routes;      // owned
    size_t route_count;
};

/* Key frames of reordered video lie a few frames before where an index of
 * decoding times leads: aim that much earlier. */
#define REORDER_MARGIN (3 * SECOND / 23)
/* Later than any clock in a file says by right: about 570 years. */
#define LATEST (INT64_MAX / 512)

static int64_t seek_target(const AVFormatContext *format, int64_t target)
{
    if (format->iformat->flags & AVFMT_SEEK_TO_PTS)
        return target;
    for (unsigned i = 0; i < format->nb_streams; i++) {
        if (format->streams[i]->codecpar->video_delay)
            return target - REORDER_MARGIN;
    }
    return target;
}

static int open_demuxer(struct stage *s, struct error *e)
{
    struct demuxer *d = (struct demuxer *)s;
    const struct media_info *info = source_info(d->config.source);
    AVFormatContext *format = source_format(d->config.source);
    int64_t target = info->start + d->config.start;

    (void)e;
    d->reorders = xcalloc(info->stream_count, sizeof(*d->reorders));
    for (size_t i = 0; i < info->stream_count; i++)
        reorder_init(&d->reorders[i],
                     format->streams[i]->codecpar->video_delay);
    d->timeline = timeline_create(
        info->stream_count, format->iformat->flags & AVFMT_TS_DISCONT, -target);
    if (d->config.start > 0 &&
        source_seek(d->config.source, seek_target(format, target)) < 0)
        av_log(format, AV_LOG_WARNING,
               "cannot seek in the input: reading up to the start\n");
    return 0;
}

/* µs; none for times that no film has, so that sums of sane ones stay sane. */
static int64_t to_us(int64_t time, AVRational time_base)
{
    int64_t us = av_rescale_q(time, time_base, AV_TIME_BASE_Q);

    if (time == AV_NOPTS_VALUE || us < -LATEST || us > LATEST)
        return AV_NOPTS_VALUE;
    return us;
}

static void drop_insane(AVPacket *packet, AVRational base)
{
    if (to_us(packet->pts, base) == AV_NOPTS_VALUE)
        packet->pts = AV_NOPTS_VALUE;
    if (to_us(packet->dts, base) == AV_NOPTS_VALUE)
        packet->dts = AV_NOPTS_VALUE;
    if (packet->duration < 0 || to_us(packet->duration, base) == AV_NOPTS_VALUE)
        packet->duration = 0;
}

/* Raw streams say no times: frame follows frame. When each is shown is known
 * where they come in that order, too. */
static void stamp(struct demuxer *d, AVPacket *packet, const AVStream *st)
{
    if (st->start_time != AV_NOPTS_VALUE || packet->dts != AV_NOPTS_VALUE ||
        packet->pts != AV_NOPTS_VALUE)
        return;
    packet->dts = d->next;
    if (!st->codecpar->video_delay)
        packet->pts = packet->dts;
    if (packet->duration <= 0 && st->avg_frame_rate.num)
        packet->duration =
            av_rescale_q(1, av_inv_q(st->avg_frame_rate), st->time_base);
    d->next += packet->duration;
}

/* Some containers only say when a picture is shown. */
static void order(struct demuxer *d, AVPacket *packet, const AVStream *st)
{
    int64_t duration = packet->duration;

    if (st->codecpar->codec_type != AVMEDIA_TYPE_VIDEO ||
        packet->dts != AV_NOPTS_VALUE || packet->pts == AV_NOPTS_VALUE)
        return;
    if (duration <= 0 && st->avg_frame_rate.num)
        duration = av_rescale_q(1, av_inv_q(st->avg_frame_rate), st->time_base);
    packet->dts =
        reorder_next(&d->reorders[packet->stream_index], packet->pts, duration);
}

/* A cover is no part of the film: it is there from the beginning. */
static bool place_cover(AVPacket *packet, const AVStream *st)
{
    bool cover = st->disposition & AV_DISPOSITION_ATTACHED_PIC;

    if (cover)
        packet->pts = packet->dts = 0;
    return cover;
}

/* Put the packet on the pipeline's clock; returns its time in µs. */
static int64_t place(struct demuxer *d, AVPacket *packet, const AVStream *st)
{
    AVRational base = st->time_base;

    drop_insane(packet, base);
    if (place_cover(packet, st))
        return 0;
    stamp(d, packet, st);
    order(d, packet, st);
    int64_t dts = to_us(packet->dts, base);
    bool guides = st->codecpar->codec_type == AVMEDIA_TYPE_VIDEO ||
                  st->codecpar->codec_type == AVMEDIA_TYPE_AUDIO;
    int64_t shift =
        timeline_shift(d->timeline, (size_t)packet->stream_index, guides, dts,
                       to_us(packet->pts, base), to_us(packet->duration, base));

    int64_t ticks = av_rescale_q(shift, AV_TIME_BASE_Q, base);
    if (packet->pts != AV_NOPTS_VALUE)
        packet->pts += ticks;
    if (packet->dts != AV_NOPTS_VALUE)
        packet->dts += ticks;
    return to_us(packet->dts != AV_NOPTS_VALUE ? packet->dts : packet->pts,
                 base);
}

/* Nobody wants any more: neither those who are still served, nor subtitles,
 * which may have to wait long for the packet that ends them. */
static bool all_ended(const struct demuxer *d)
{
    bool others = false;
    bool sparse = false;

    for (size_t i = 0; i < d->route_count; i++) {
        const struct route *route = &d->routes[i];
        if (route->sparse) {
            sparse |= !route->ended;
            continue;
        }
        if (!route->ended)
            return false;
        others = true;
    }
    return others || !sparse;
}

/* Subtitles that are shown when the job begins are shown from its beginning.
 * false: it is over by then. */
static bool cut_before(AVPacket *packet)
{
    int64_t late = -packet->pts;

    if (packet->pts == AV_NOPTS_VALUE || late <= 0)
        return true;
    packet->pts = packet->dts = 0;
    packet->duration -= late;
    return packet->duration > 0;
}

static int send_route(struct demuxer *d, struct route *route,
                      const AVPacket *packet, int64_t time, AVRational base)
{
    if (route->ended)
        return 0;
    if (route->until >= 0 && time != AV_NOPTS_VALUE && time >= route->until) {
        route->ended = true;
        return 0;
    }
    AVPacket *copy = av_packet_clone(packet);
    if (!copy)
        return -ENOMEM;
    if (route->sparse && d->config.start > 0 && !cut_before(copy)) {
        av_packet_free(&copy);
        return 0;
    }
    struct item *item = item_packet(copy, base);
    item->track = route->track;
    int r = stage_send(&d->stage, route->output, item);
    route->ended |= d->stage.out[route->output].closed;
    return r;
}

static int distribute(struct demuxer *d, AVPacket *packet)
{
    AVFormatContext *format = source_format(d->config.source);
    size_t stream = (size_t)packet->stream_index;

    // streams that appeared since the input was inspected are nobody's
    if (stream >= source_info(d->config.source)->stream_count)
        return 1;
    const AVStream *st = format->streams[stream];
    int64_t time = place(d, packet, st);
    for (size_t i = 0; i < d->route_count; i++) {
        if (d->routes[i].stream != stream)
            continue;
        int r = send_route(d, &d->routes[i], packet, time, st->time_base);
        if (r < 0)
            return r;
    }
    return !all_ended(d);
}

static int process(struct stage *s, struct item *item, struct error *e)
{
    struct demuxer *d = (struct demuxer *)s;
    AVPacket *packet = av_packet_alloc();

    (void)item; // a source has no input
    if (!packet)
        return error_set(e, -ENOMEM, "out of memory");
    if (d->config.gate)
        gate_pass(d->config.gate);
    int r = source_read(d->config.source, packet, e);
    if (r > 0)
        r = distribute(d, packet);
    av_packet_free(&packet);
    return r;
}

static void destroy(struct stage *s)
{
    struct demuxer *d = (struct demuxer *)s;

    timeline_destroy(d->timeline);
    free(d->reorders);
    free(d->routes);
    stage_fini(s);
    free(d);
}

static const struct stage_ops ops = {
    .kind = "demuxer",
    .blame = OUTCOME_BAD_INPUT,
    .open = open_demuxer,
    .process = process,
    .destroy = destroy,
};

struct stage *demuxer_create(const struct demuxer_config *config)
{
    struct demuxer *d = xcalloc(1, sizeof(*d));

    stage_init(&d->stage, &ops, "demuxer");
    d->config = *config;
    return &d->stage;
}

static size_t output_to(struct stage *s, struct queue *queue)
{
    for (size_t i = 0; i < s->out_count; i++) {
        if (s->out[i].queue == queue)
            return i;
    }
    return stage_connect(s, queue);
}

void demuxer_route(struct stage *demuxer, size_t stream, struct queue *queue,
                   size_t track, int64_t until)
{
    struct demuxer *d = (struct demuxer *)demuxer;

    d->routes = xrealloc(d->routes, d->route_count + 1, sizeof(*d->routes));
    d->routes[d->route_count++] = (struct route){
        .stream = stream,
        .output = output_to(demuxer, queue),
        .track = track,
        .until = until,
        .sparse = source_info(d->config.source)->streams[stream].kind ==
                  MEDIA_SUBTITLE,
    };
}
