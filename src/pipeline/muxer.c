#include "pipeline/muxer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavformat/avformat.h>

#include "base/error.h"
#include "base/memory.h"
#include "media/averror.h"
#include "media/container.h"
#include "media/file_io.h"
#include "media/plan.h"
#include "media/source.h"
#include "pipeline/adts.h"
#include "pipeline/front.h"
#include "pipeline/growth.h"
#include "pipeline/item.h"
#include "pipeline/parameters.h"
#include "pipeline/queue.h"
#include "pipeline/stage.h"
#include "pipeline/stamps.h"
#include "pipeline/tags.h"

/* Bytes of packets that may wait for a stream whose format is not known yet:
 * two minutes of video at 8 Mbit/s. ffmpeg gives up at 50 MB. */
#define WAITING_MOST (INT64_C(128) << 20)

struct track {
    bool known;       // its format has arrived
    AVStream *stream; // of the output; owned by its context
    struct stamps stamps;
    bool started;      // a copied video starts at its first key frame
    struct adts *adts; // owned; takes headers off copied AAC, or NULL
};

struct muxer {
    struct stage stage;
    struct muxer_config config;
    AVFormatContext *format; // owned
    struct track *tracks;    // owned
    size_t track_count;
    int64_t shift; // µs, added to every time
    int64_t room;  // in front, for an index that is known to fit; 0: none
    int64_t packets;
    struct growth *growth; // owned; of a growing output that has its header
    bool has_video;
    bool copies_video;
    bool written;          // the header is
    struct item **waiting; // owned; packets from before the header
    size_t waiting_count;
    size_t waiting_room;
    int64_t waiting_bytes;
};

/*
 * A muxer may read what it wrote (to move the index to the front), by the name
 * of its own output, and open nothing else.
 */
static int open_own(AVFormatContext *format, AVIOContext **pb, const char *url,
                    int flags, AVDictionary **options)
{
    struct muxer *m = format->opaque;

    (void)options;
    if (strcmp(url, format->url) != 0 || (flags & AVIO_FLAG_WRITE))
        return AVERROR(EACCES);
    *pb = file_io_open_reader(m->config.io);
    return *pb ? 0 : AVERROR(ENOMEM);
}

static int close_own(AVFormatContext *format, AVIOContext *pb)
{
    (void)format;
    file_io_close_reader(pb);
    return 0;
}

static int create_format(struct muxer *m, struct error *e)
{
    const struct container *c = m->config.plan->container;
    char name[32];

    int r = avformat_alloc_output_context2(&m->format, NULL, c->muxer, NULL);
    if (r < 0)
        return averror_set(e, r, "cannot make container '%s'", c->muxer);
    (void)snprintf(name, sizeof(name), "output %d", m->config.number);
    m->format->url = av_strdup(name);
    m->format->pb = file_io_context(m->config.io);
    m->format->flags |= AVFMT_FLAG_CUSTOM_IO;
    m->format->opaque = m;
    m->format->io_open = open_own;
    m->format->io_close2 = close_own;
    m->format->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL;
    // By default libav flushes after each packet where the I/O is not its own.
    m->format->flush_packets = m->config.plan->delivery == JOB_GROWING;
    return m->format->url ? 0 : error_set(e, -ENOMEM, "out of memory");
}

/* A growing MP4 says its header before libav would see what is in the packets,
 * and so leaves this to us. */
static int add_adts(const struct muxer *m, struct track *t, const AVStream *in,
                    struct error *e)
{
    const struct plan_output *plan = m->config.plan;

    if (plan->container->format != JOB_FORMAT_MP4 ||
        plan->delivery != JOB_GROWING || !adts_is_in(in))
        return 0;
    return adts_create(&t->adts, in, e);
}

static int create_tracks(struct muxer *m, struct error *e)
{
    const struct plan_output *plan = m->config.plan;
    AVFormatContext *source = source_format(m->config.source);

    m->track_count = plan->track_count;
    m->tracks = xcalloc(m->track_count, sizeof(*m->tracks));
    for (size_t i = 0; i < m->track_count; i++) {
        const AVStream *in = source->streams[plan->tracks[i].stream];
        AVStream *out = avformat_new_stream(m->format, NULL);
        if (!out)
            return error_set(e, -ENOMEM, "out of memory");
        bool video = plan->tracks[i].kind == MEDIA_VIDEO;
        m->has_video |= video;
        m->copies_video |= video && plan->tracks[i].copied;
        m->tracks[i].stream = out;
        stamps_init(&m->tracks[i].stamps);
        m->tracks[i].stamps.is_copied = plan->tracks[i].copied;
        m->tracks[i].stamps.is_strict =
            !(m->format->oformat->flags & AVFMT_TS_NONSTRICT);
        out->disposition = in->disposition;
        int r = plan->metadata == JOB_METADATA_KEEP
                    ? tags_copy_stream(out, in, e)
                    : 0;
        if (r < 0)
            return r;
        if (!plan->tracks[i].copied)
            continue;
        m->tracks[i].known = true;
        r = parameters_copy(out, in, m->format, plan->container, e);
        if (r == 0)
            r = add_adts(m, &m->tracks[i], in, e);
        if (r < 0)
            return r;
    }
    return 0;
}

static int copy_tags(struct muxer *m, struct error *e)
{
    const AVFormatContext *source = source_format(m->config.source);
    const struct muxer_config *c = &m->config;
    int64_t end = c->duration < 0 ? INT64_MAX : c->start + c->duration;

    if (c->plan->metadata == JOB_METADATA_DROP)
        return 0;
    int r = tags_copy_file(m->format, source, e);
    if (r < 0)
        return r;
    int64_t begin = source_info(c->source)->start;
    return tags_copy_chapters(m->format, source, begin + c->start,
                              end == INT64_MAX ? end : begin + end, m->shift,
                              e);
}

/* Of a part of the input nobody knows how many packets it has. */
static int64_t choose_room(const struct muxer *m)
{
    const struct muxer_config *c = &m->config;
    bool whole = !c->start && c->duration < 0;

    if (!whole || !(m->format->pb->seekable & AVIO_SEEKABLE_NORMAL))
        return 0;
    return front_room(c->plan, m->format, source_format(c->source));
}

/* Does libav write it all, and then all of it once more? */
static void prepare_front(struct muxer *m)
{
    const struct plan_output *plan = m->config.plan;

    if (plan->container->index_in_front && plan->delivery == JOB_COMPLETE) {
        m->room = choose_room(m);
        if (!m->room)
            return;
    }
    file_io_write_once(m->config.io);
}

static int set_options(const struct muxer *m, AVDictionary **ret)
{
    const struct plan_output *plan = m->config.plan;
    const struct container *c = plan->container;
    int r = 0;

    // what has its index in front by room needs no moving
    if (!m->room)
        r = av_dict_parse_string(ret, c->options[plan->delivery], "=", ":", 0);
    if (r >= 0 && plan->delivery == JOB_GROWING && !m->has_video &&
        c->options_of_sound)
        r = av_dict_parse_string(ret, c->options_of_sound, "=", ":", 0);
    return r;
}

static struct growth *begin_growth(const struct muxer *m)
{
    const struct growth_config config = {
        .format = m->format,
        .container = m->config.plan->container,
        .io = m->config.io,
        .progress = m->config.progress,
        .shift = m->shift,
    };

    return growth_create(&config);
}

static int write_header(struct muxer *m, struct error *e)
{
    const struct plan_output *plan = m->config.plan;
    AVDictionary *options = NULL;

    int r = set_options(m, &options);
    if (r >= 0 && m->room)
        r = (int)FFMIN(avio_seek(m->format->pb, m->room, SEEK_SET), 0);
    if (r >= 0)
        r = avformat_write_header(m->format, &options);
    av_dict_free(&options);
    if (r < 0 && file_io_error(m->config.io))
        return error_set_errno(e, file_io_error(m->config.io), "cannot write");
    if (r < 0) {
        m->stage.blame = OUTCOME_BAD_REQUEST;
        return averror_set(e, r, "container '%s' does not take these streams",
                           plan->container->muxer);
    }
    m->written = true;
    if (plan->delivery == JOB_GROWING)
        m->growth = begin_growth(m);
    return 0;
}

static int write_failed(struct muxer *m, int r, struct error *e)
{
    int system = file_io_error(m->config.io);

    if (system)
        return error_set_errno(e, system, "cannot write");
    m->stage.blame = OUTCOME_BAD_INPUT; // the disk took all there was
    return averror_set(e, r, "container '%s' does not take what the input has",
                       m->config.plan->container->muxer);
}

static void raise_to(atomic_llong *value, int64_t to)
{
    if (to > atomic_load(value)) // only this thread writes
        atomic_store(value, to);
}

static void count(struct muxer *m, const AVPacket *packet, const AVStream *st)
{
    struct muxer_progress *p = m->config.progress;
    bool video = st->codecpar->codec_type == AVMEDIA_TYPE_VIDEO;
    int64_t time = packet->pts != AV_NOPTS_VALUE ? packet->pts : packet->dts;
    int64_t end =
        av_rescale_q(time + packet->duration, st->time_base, AV_TIME_BASE_Q) -
        m->shift;

    atomic_fetch_add(&p->frames, video);
    raise_to(&p->end, end);
    if (video || !m->has_video)
        raise_to(&p->position, end);
}

/* A copied picture starts at a key frame, and copied sound with it, be that
 * before the job's start; beside an encoded picture sound starts at the start.
 */
static bool may_start(const struct muxer *m, const struct item *item)
{
    const struct track *t = &m->tracks[item->track];
    const AVPacket *packet = item->packet;

    // an encoder's first sound may lie before the start: players skip it
    if (t->started || !m->config.plan->tracks[item->track].copied)
        return true;
    if (t->stream->codecpar->codec_type == AVMEDIA_TYPE_VIDEO)
        return packet->flags & AV_PKT_FLAG_KEY;
    return !m->config.start || m->copies_video ||
           packet->pts == AV_NOPTS_VALUE || packet->pts >= 0;
}

static int write_packet(struct muxer *m, struct item *item, struct error *e)
{
    struct track *t = &m->tracks[item->track];

    if (!may_start(m, item)) {
        item_destroy(item);
        return 0;
    }
    t->started = true;
    AVRational from = item->time_base;
    AVPacket *packet = item_take_packet(item);
    stamps_place(&t->stamps, packet, t->stream->codecpar, from,
                 t->stream->time_base, m->shift);
    packet->stream_index = t->stream->index;
    packet->pos = -1;
    if (packet->dts != AV_NOPTS_VALUE || packet->pts != AV_NOPTS_VALUE)
        count(m, packet, t->stream);

    m->packets++;
    int r = t->adts ? adts_strip(t->adts, packet) : 0;
    if (r >= 0)
        r = m->growth ? growth_write(m->growth, packet)
                      : av_interleaved_write_frame(m->format, packet);
    av_packet_free(&packet);
    return r < 0 ? write_failed(m, r, e) : 0;
}

static bool all_known(const struct muxer *m)
{
    for (size_t i = 0; i < m->track_count; i++) {
        if (!m->tracks[i].known)
            return false;
    }
    return true;
}

/* Write the header once it can be, and then what waited for it. */
static int begin(struct muxer *m, struct error *e)
{
    if (m->written || !all_known(m))
        return 0;
    int r = write_header(m, e);
    for (size_t i = 0; r == 0 && i < m->waiting_count; i++) {
        r = write_packet(m, m->waiting[i], e);
        m->waiting[i] = NULL;
    }
    if (r == 0)
        m->waiting_count = 0;
    return r;
}

static int open_muxer(struct stage *s, struct error *e)
{
    return begin((struct muxer *)s, e);
}

/* The first track that nothing has come from. */
static size_t missing_track(const struct muxer *m)
{
    size_t i = 0;

    while (m->tracks[i].known)
        i++;
    return i;
}

static int refuse_to_wait(struct muxer *m, struct error *e)
{
    size_t track = missing_track(m);

    m->stage.blame = OUTCOME_BAD_INPUT;
    return error_set(e, -ENOBUFS,
                     "nothing came out of stream %zu while the others sent "
                     "%lld MiB: leave it out, or begin where it begins",
                     m->config.plan->tracks[track].stream,
                     (long long)(WAITING_MOST >> 20));
}

static int take_packet(struct muxer *m, struct item *item, struct error *e)
{
    if (m->written)
        return write_packet(m, item, e);
    if (m->waiting_bytes + item->packet->size > WAITING_MOST) {
        item_destroy(item);
        return refuse_to_wait(m, e);
    }
    m->waiting_bytes += item->packet->size;
    m->waiting = xgrow(m->waiting, &m->waiting_room, m->waiting_count + 1,
                       sizeof(struct item *));
    m->waiting[m->waiting_count++] = item;
    return 0;
}

/* What an encoder says about the packets that it will send. */
static int take_format(struct muxer *m, struct item *item, struct error *e)
{
    struct track *t = &m->tracks[item->track];

    int r = parameters_take(t->stream, item, m->config.plan->container, e);
    item_destroy(item);
    if (r < 0)
        return r;
    t->known = true;
    return begin(m, e);
}

static int finish(struct muxer *m, struct error *e)
{
    if (!m->packets) {
        m->stage.blame = OUTCOME_BAD_INPUT;
        return error_set(e, -ENODATA, "nothing came out of the input");
    }
    int r = av_write_trailer(m->format);
    if (r == 0)
        avio_flush(m->format->pb);
    if (r < 0 || file_io_error(m->config.io))
        return write_failed(m, r, e);
    return m->room ? front_fill(m->config.io, m->room, e) : 0;
}

static int process(struct stage *s, struct item *item, struct error *e)
{
    struct muxer *m = (struct muxer *)s;

    if (!item)
        return finish(m, e);
    int r = item->kind == ITEM_FORMAT ? take_format(m, item, e)
                                      : take_packet(m, item, e);
    return r < 0 ? r : 1;
}

/* Whoever reads a growing output shall have all that was made of it. */
static void rescue(struct stage *s)
{
    const struct muxer *m = (const struct muxer *)s;

    if (m->growth)
        growth_end(m->growth);
}

static void destroy(struct stage *s)
{
    struct muxer *m = (struct muxer *)s;

    for (size_t i = 0; i < m->waiting_count; i++)
        item_destroy(m->waiting[i]);
    free(m->waiting);
    growth_destroy(m->growth);
    if (m->format)
        m->format->pb = NULL; // not ours
    avformat_free_context(m->format);
    for (size_t i = 0; i < m->track_count; i++)
        adts_destroy(m->tracks[i].adts);
    free(m->tracks);
    stage_fini(s);
    free(m);
}

static const struct stage_ops ops = {
    .kind = "muxer",
    .blame = OUTCOME_OUTPUT_FAILED,
    .open = open_muxer,
    .process = process,
    .rescue = rescue,
    .destroy = destroy,
};

int muxer_create(struct stage **ret, const struct muxer_config *config,
                 struct error *e)
{
    struct muxer *m = xcalloc(1, sizeof(*m));
    int r;

    stage_init(&m->stage, &ops, "output %d", config->number);
    m->config = *config;
    if (config->plan->timestamps == JOB_TIMESTAMPS_COPY)
        m->shift = source_info(config->source)->start + config->start;
    r = create_format(m, e);
    if (r == 0)
        r = create_tracks(m, e);
    if (r == 0)
        r = copy_tags(m, e);
    if (r < 0) {
        destroy(&m->stage);
        return r;
    }
    prepare_front(m);
    *ret = &m->stage;
    return 0;
}
