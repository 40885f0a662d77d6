#include "pipeline/decoder.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include <libavformat/avformat.h>

#include "base/error.h"
#include "base/memory.h"
#include "media/averror.h"
#include "media/avlog.h"
#include "media/backend.h"
#include "media/compat.h"
#include "media/hwdevice.h"
#include "media/source.h"
#include "model/limits.h"
#include "pipeline/blame.h"
#include "pipeline/item.h"
#include "pipeline/pool.h"
#include "pipeline/stage.h"

struct decoder {
    struct stage stage;
    struct decoder_config config;
    AVCodecContext *codec; // owned
    AVRational time_base;  // of the packets
    AVRational aspect;     // the container's word on the shape of pixels
    AVRational frame_rate;
    int64_t next;         // expected timestamp of the next frame
    int64_t samples_next; // state of av_rescale_delta()
    int64_t frames;
    int64_t failed; // packets that gave none
    int refused;    // -errno: the device is not used, by what choose_format saw
};

/* Called again without a format that could not be used after all. */
static enum AVPixelFormat choose_format(AVCodecContext *codec,
                                        const enum AVPixelFormat *offered)
{
    struct decoder *d = codec->opaque;
    enum AVPixelFormat wanted = hwdevice_backend(d->config.device)->format;

    while (*offered != AV_PIX_FMT_NONE && *offered != wanted)
        offered++;
    d->refused = -ENOTSUP;
    if (*offered == wanted)
        d->refused =
            averror_code(pool_lend(codec, d->config.device, d->config.kept));
    return d->refused < 0 ? AV_PIX_FMT_NONE : wanted;
}

static int open_decoder(struct stage *s, struct error *e)
{
    struct decoder *d = (struct decoder *)s;

    int r = avcodec_open2(d->codec, d->codec->codec, NULL);
    return r < 0 ? averror_set(e, r, "cannot open decoder '%s'",
                               d->codec->codec->name)
                 : 0;
}

/* Video: what libav thinks best, or where the frame is expected. */
static AVRational stamp_video(struct decoder *d, AVFrame *frame)
{
    int64_t duration = compat_frame_duration(frame);

    frame->pts = frame->best_effort_timestamp;
    if (frame->pts == AV_NOPTS_VALUE)
        frame->pts = d->next == AV_NOPTS_VALUE ? 0 : d->next;
    if (duration <= 0 && d->frame_rate.num)
        duration = av_rescale_q(1, av_inv_q(d->frame_rate), d->time_base);
    d->next = frame->pts + (duration > 0 ? duration : 1);
    if (d->aspect.num)
        frame->sample_aspect_ratio = d->aspect;
    frame->pict_type = AV_PICTURE_TYPE_NONE; // the encoder's own business
    return d->time_base;
}

/* Sound: in samples. */
static AVRational stamp_audio(struct decoder *d, AVFrame *frame)
{
    AVRational samples = {1, frame->sample_rate};

    if (frame->pts == AV_NOPTS_VALUE)
        frame->pts = d->next == AV_NOPTS_VALUE
                         ? 0
                         : av_rescale_q(d->next, samples, d->time_base);
    frame->pts = av_rescale_delta(d->time_base, frame->pts, samples,
                                  frame->nb_samples, &d->samples_next, samples);
    d->next = frame->pts + frame->nb_samples;
    return samples;
}

static void count_failure(struct decoder *d)
{
    d->failed++;
    atomic_fetch_add(d->config.errors, 1);
}

static int send_frame(struct decoder *d, AVFrame *frame)
{
    bool video = d->codec->codec_type == AVMEDIA_TYPE_VIDEO;

    if (!video && (frame->nb_samples <= 0 || frame->sample_rate <= 0)) {
        av_frame_free(&frame);
        count_failure(d);
        return 0;
    }
    AVRational base = video ? stamp_video(d, frame) : stamp_audio(d, frame);

    d->frames++;
    if (frame->decode_error_flags || (frame->flags & AV_FRAME_FLAG_CORRUPT))
        atomic_fetch_add(d->config.errors, 1);
    int r = stage_send_all(&d->stage, item_frame(frame, base));
    // a surface that waits is one that the device must have: the filters are
    // done with it before another is asked for
    return r == 0 && d->config.device ? stage_settle(&d->stage) : r;
}

/* Is it the device that failed, and not the stream? Its driver's errors have a
 * code of their own, and so has a pool that has run out. */
static int check_device(struct decoder *d, int averror, struct error *e)
{
    if (!d->config.device)
        return 0;
    if (d->refused < 0)
        return averror_set(e, d->refused, "it does not decode this stream");
    if (averror == AVERROR_EXTERNAL || averror == AVERROR_UNKNOWN ||
        averror == AVERROR(EIO))
        return averror_set(e, averror, "cannot decode");
    return 0;
}

/* A packet, or what came of it, is lost. */
static int survive(struct decoder *d, int averror, struct error *e)
{
    if (averror == AVERROR(ENOMEM))
        return error_set(e, -ENOMEM, "out of memory");
    int r = check_device(d, averror, e);
    if (r == 0)
        count_failure(d);
    return r;
}

/* Hand on all frames that are ready. */
static int drain(struct decoder *d, struct error *e)
{
    for (;;) {
        AVFrame *frame = av_frame_alloc();
        int r =
            frame ? avcodec_receive_frame(d->codec, frame) : AVERROR(ENOMEM);
        if (r == 0)
            r = send_frame(d, frame); // consumes
        else
            av_frame_free(&frame);

        if (r == -EPIPE || r == -ECANCELED)
            return r;
        if (r == AVERROR(EAGAIN) || r == AVERROR_EOF)
            return 0;
        if (r < 0)
            r = survive(d, r, e);
        if (r < 0)
            return r;
    }
}

static int decode(struct decoder *d, const AVPacket *packet, struct error *e)
{
    int r = avcodec_send_packet(d->codec, packet);

    while (r == AVERROR(EAGAIN)) {
        r = drain(d, e);
        if (r < 0)
            return r;
        r = avcodec_send_packet(d->codec, packet);
    }
    if (r < 0 && r != AVERROR_EOF)
        r = survive(d, r, e);
    return r < 0 && r != AVERROR_EOF ? r : drain(d, e);
}

static int finish(struct decoder *d, struct error *e)
{
    int r = decode(d, NULL, e);

    if (r < 0)
        return r;
    // the ffmpeg program's bound
    if (3 * d->failed > 2 * (d->failed + d->frames))
        return error_set(e, -EBADMSG,
                         "it cannot be decoded: it is damaged or encrypted");
    return 0;
}

static int work(struct decoder *d, struct item *item, struct error *e)
{
    if (!item)
        return finish(d, e);
    AVPacket *packet = item_take_packet(item);
    int r = decode(d, packet, e);
    av_packet_free(&packet);
    return r < 0 ? r : 1;
}

static int process(struct stage *s, struct item *item, struct error *e)
{
    struct decoder *d = (struct decoder *)s;

    avlog_forget_errors();
    int r = work(d, item, e);
    if (r < 0 && r != -EBADMSG && d->config.device)
        return blame_device(s, d->config.device, OUTCOME_PART_DECODE, r, e);
    return r;
}

static void destroy(struct stage *s)
{
    struct decoder *d = (struct decoder *)s;

    avcodec_free_context(&d->codec);
    stage_fini(s);
    free(d);
}

static const struct stage_ops ops = {
    .kind = "decoder",
    .blame = OUTCOME_BAD_INPUT,
    .open = open_decoder,
    .process = process,
    .destroy = destroy,
};

/* One thread: each more would hold a surface, and the device is not faster. */
static void use_device(struct decoder *d)
{
    d->codec->opaque = d;
    d->codec->get_format = choose_format;
    d->codec->thread_count = 1;
    d->codec->hwaccel_flags |= COMPAT_HWACCEL_UNSAFE_OUTPUT;
}

static const AVCodec *find_codec(const struct decoder *d, enum AVCodecID id)
{
    if (!d->config.device)
        return avcodec_find_decoder(id);
    return hwdevice_find_decoder(id, hwdevice_backend(d->config.device)->type);
}

static int create_codec(struct decoder *d, const AVStream *st, struct error *e)
{
    const AVCodec *codec = find_codec(d, st->codecpar->codec_id);

    if (!codec)
        return error_set(e, -ENOTSUP, "there is no decoder for %s",
                         avcodec_get_name(st->codecpar->codec_id));
    d->codec = avcodec_alloc_context3(codec);
    if (!d->codec)
        return error_set(e, -ENOMEM, "out of memory");
    int r = avcodec_parameters_to_context(d->codec, st->codecpar);
    if (r < 0)
        return averror_set(e, r, "cannot take over stream parameters");
    d->codec->pkt_timebase = st->time_base;
    d->codec->framerate = st->avg_frame_rate;
    d->codec->max_pixels = LIMITS_PIXELS;
    d->codec->thread_count = d->config.threads;
    if (d->config.device)
        use_device(d);
    return 0;
}

int decoder_create(struct stage **ret, const struct decoder_config *config,
                   struct error *e)
{
    struct decoder *d = xcalloc(1, sizeof(*d));
    const AVStream *st = source_format(config->source)->streams[config->stream];

    stage_init(&d->stage, &ops, "stream %zu", config->stream);
    d->config = *config;
    d->time_base = st->time_base;
    d->aspect = st->sample_aspect_ratio;
    d->frame_rate = st->avg_frame_rate;
    d->next = AV_NOPTS_VALUE;
    d->samples_next = AV_NOPTS_VALUE;
    int r = create_codec(d, st, e);
    if (r < 0) {
        destroy(&d->stage);
        return r;
    }
    *ret = &d->stage;
    return 0;
}
