#include "media/plan_video.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

#include <libavutil/pixdesc.h>

#include "base/error.h"
#include "media/chain.h"
#include "media/codec.h"
#include "media/plan.h"
#include "media/plan_device.h"
#include "media/plan_encoder.h"
#include "media/size.h"
#include "model/survey.h"

/* What planning one rendition reads and writes. */
struct planning {
    const struct plan_video_request *request;
    const struct backend *device;         // NULL: the CPU does everything
    const struct survey_encoder *encoder; // of the device; NULL: the CPU's
    const struct codec_video *codec;
    const struct codec_format *format;
    struct plan_track *track;
    struct plan_notes *notes;
};

/* 29.97 means 30000/1001. */
static AVRational rate_from_number(double rate)
{
    double whole = round(rate * 1.001);

    if (fabs(rate - whole / 1.001) < 0.002 && fabs(rate - round(rate)) > 0.01)
        return (AVRational){(int)whole * 1000, 1001};
    return av_d2q(rate, 1001000);
}

static void plan_rate(struct plan_video *v, const struct job_video *video,
                      const struct media_stream *st)
{
    v->frame_rate = st->frame_rate;
    v->average_rate = st->average_rate;
    v->fixed_rate = (AVRational){0, 1};
    if (video->frame_rate > 0)
        v->fixed_rate = rate_from_number(video->frame_rate);
    else if (video->max_frame_rate > 0 &&
             (!st->frame_rate.num ||
              av_q2d(st->frame_rate) > video->max_frame_rate + 0.002))
        v->fixed_rate = rate_from_number(video->max_frame_rate);
    if (v->fixed_rate.num)
        v->frame_rate = v->average_rate = v->fixed_rate;
}

static void plan_size(struct planning *p)
{
    const struct media_stream *st = p->request->stream;
    struct plan_video *v = &p->track->video;
    struct size upright = {st->width, st->height};

    v->turn = st->turn;
    if (media_turn_swaps(v->turn))
        upright = (struct size){st->height, st->width};
    struct size size =
        plan_device_size(p->encoder, p->request->video, upright, p->notes);
    v->width = size.width;
    v->height = size.height;
}

/* Who encodes, and what. */
static int plan_codec(struct planning *p, struct error *e)
{
    const struct plan_video_request *q = p->request;
    enum memory memory = MEMORY_SYSTEM;
    int depth = q->stream->depth;

    if (p->device && q->may_encode)
        p->encoder =
            plan_device_encoder(q->device, q->video, q->stream, p->notes);
    if (p->encoder)
        memory = p->device->memory;
    if (p->encoder && depth > p->encoder->depth)
        depth = p->encoder->depth;
    p->codec = codec_find_video(q->video->codec, memory);
    p->format = codec_find_format(p->codec, q->video->profile, depth);
    if (!p->format)
        return error_set_field(e, -EINVAL, "profile",
                               "%s has no profile '%s' here", p->codec->name,
                               q->video->profile);
    p->track->video.format = p->format->format;
    return 0;
}

/* The granted backend where it can, the CPU where not. */
static void plan_backends(struct planning *p)
{
    const struct plan_video_request *q = p->request;
    const struct backend *there = p->device;
    struct plan_video *v = &p->track->video;

    for (enum op op = OP_DECODE; op < OP_COUNT; op++)
        v->by[op] = &backend_cpu;
    if (!there)
        return;
    if (q->may_decode && plan_device_decodes(q->device, q->stream, p->notes))
        v->by[OP_DECODE] = there;
    if (p->encoder)
        v->by[OP_ENCODE] = there;
    // it scales what it has anyway: before, or behind
    bool has_before = v->by[OP_DECODE] == there && v->turn == MEDIA_UPRIGHT;
    if ((has_before || v->by[OP_ENCODE] == there) &&
        survey_has_filter(q->device, there->impl[OP_SCALE]) &&
        chain_device_format(v->format) != AV_PIX_FMT_NONE)
        v->by[OP_SCALE] = there;
}

/* What comes out of the decoder, as far as it is known before. */
static struct chain_picture decoded(const struct plan_video *v,
                                    const struct media_stream *st)
{
    struct chain_picture picture = {
        .memory = v->by[OP_DECODE]->memory,
        .format = st->format,
        .width = st->width,
        .height = st->height,
    };
    int depth = av_pix_fmt_desc_get(v->format)->comp[0].depth;

    if (picture.memory != MEMORY_SYSTEM)
        picture.format = st->depth > 8 ? AV_PIX_FMT_P010 : AV_PIX_FMT_NV12;
    else if (picture.format == AV_PIX_FMT_NONE && depth == st->depth)
        picture.format = v->by[OP_ENCODE]->memory == MEMORY_SYSTEM
                             ? v->format
                             : AV_PIX_FMT_YUV420P;
    return picture;
}

static void describe(struct plan_track *track, const struct media_stream *st)
{
    const struct plan_video *v = &track->video;
    const struct chain_picture from = decoded(v, st);
    size_t size = sizeof(track->description);
    struct chain chain;

    chain_make(&chain, v, &from);
    size_t used = (size_t)snprintf(track->description, size, "%s",
                                   v->by[OP_DECODE]->impl[OP_DECODE]);
    for (size_t i = 0; i < chain.count; i++)
        used += (size_t)snprintf(track->description + used, size - used, ">%s",
                                 chain.steps[i].name);
    (void)snprintf(track->description + used, size - used, ">%s",
                   track->encoder);
}

static int plan_words(struct planning *p, struct error *e)
{
    const struct plan_video *v = &p->track->video;
    struct job_video video = *p->request->video;
    const struct plan_encoder_request request = {
        .codec = p->codec,
        .format = p->format,
        .video = &video,
        .encoder = p->encoder,
        .threads = p->request->threads,
    };

    if (p->encoder)
        video = plan_device_clamp(p->encoder, &video,
                                  (struct size){v->width, v->height},
                                  v->average_rate, p->notes);
    return plan_encoder(p->track, &request, e);
}

int plan_video_encode(struct plan_track *track,
                      const struct plan_video_request *request,
                      struct plan_notes *notes, struct error *e)
{
    struct planning p = {
        .request = request,
        .device =
            request->device ? backend_of_device(request->device->id) : NULL,
        .track = track,
        .notes = notes,
    };

    int r = plan_codec(&p, e);
    if (r < 0)
        return r;
    plan_rate(&track->video, request->video, request->stream);
    plan_size(&p);
    plan_backends(&p);
    r = plan_words(&p, e);
    if (r < 0)
        return r;
    describe(track, request->stream);
    return 0;
}

bool plan_video_is_on_device(const struct plan_track *track)
{
    const struct backend *by = track->video.by[OP_ENCODE];

    return by && by->memory != MEMORY_SYSTEM;
}
