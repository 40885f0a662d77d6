#include "media/plan_video.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <libavutil/pixdesc.h>

#include "base/clock.h"
#include "base/error.h"
#include "media/backend.h"
#include "media/codec.h"
#include "media/plan.h"
#include "media/plan_options.h"
#include "media/size.h"

/* Twice the peak rate: what players of HLS and DASH expect at least. */
#define BUFFER_SECONDS 2
/* Frames a second, where nothing says how many. */
#define USUAL_RATE 25

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

static int plan_picture(struct plan_video *v, const struct codec_video *codec,
                        const struct job_video *video,
                        const struct media_stream *st, struct error *e)
{
    struct size upright = {st->width, st->height};

    v->turn = st->turn;
    if (media_turn_swaps(v->turn))
        upright = (struct size){st->height, st->width};
    struct size size = size_fit(upright, video);
    v->width = size.width;
    v->height = size.height;
    v->format = codec_pixel_format(codec, video->profile, st->depth);
    if (v->format == AV_PIX_FMT_NONE)
        return error_set_field(e, -EINVAL, "profile",
                               "%s has no profile '%s' here", codec->name,
                               video->profile);
    return 0;
}

static void plan_preset(struct plan_options *o, const struct codec_video *codec,
                        const char *word)
{
    const char *ours = codec_preset(codec, word);

    if (ours)
        plan_options_set_all(o, ours);
    else
        plan_options_set(o, codec->preset, word);
}

static int plan_quality(struct plan_options *o, const struct codec_video *codec,
                        const struct job_video *video, struct error *e)
{
    double quality = video->quality;

    if (quality > codec->quality_most)
        return error_set_field(e, -EINVAL, "quality",
                               "%g is not between 0 and %g, the scale of %s",
                               quality, codec->quality_most, codec->encoder);
    if (quality < 0 && video->bitrate <= 0)
        quality = codec->quality;
    if (quality >= 0)
        plan_options_set_number(o, "crf", quality);
    if (video->bitrate > 0)
        plan_options_set_integer(o, "b", video->bitrate);
    else if (codec->quality_alone)
        plan_options_set_integer(
            o, "b", video->max_bitrate > 0 ? video->max_bitrate : 0);
    if (video->max_bitrate > 0)
        plan_options_set_integer(o, "maxrate", video->max_bitrate);
    if (video->buffer_size > 0)
        plan_options_set_integer(o, "bufsize", video->buffer_size);
    else if (video->max_bitrate > 0)
        plan_options_set_integer(o, "bufsize",
                                 BUFFER_SECONDS * video->max_bitrate);
    return 0;
}

static void plan_key_frames(struct plan_track *track,
                            const struct codec_video *codec,
                            const struct job_video *video)
{
    AVRational rate = track->video.average_rate;
    double frames =
        video->keyframe_interval * (rate.num ? av_q2d(rate) : USUAL_RATE);

    if (video->keyframe_frames > 0)
        plan_options_set_integer(&track->options, "g", video->keyframe_frames);
    else if (codec->keys_by_length)
        plan_options_set_integer(&track->options, "g", llrint(frames));
    else
        track->video.keyframe_interval =
            llrint(video->keyframe_interval * (double)SECOND);
}

static void plan_level(struct plan_options *o, const struct codec_video *codec,
                       const char *level)
{
    char value[64];

    (void)snprintf(value, sizeof(value), "%s%s", codec->level_prefix, level);
    plan_options_set(o, codec->level, value);
}

static int plan_encoder(struct plan_track *track,
                        const struct codec_video *codec,
                        const struct job_video *video, int threads,
                        struct error *e)
{
    struct plan_options *o = &track->options;

    (void)snprintf(track->encoder, sizeof(track->encoder), "%s",
                   codec->encoder);
    plan_options_set_all(o, codec->always);
    plan_preset(o, codec, video->preset);
    plan_options_set_integer(o, "threads", threads);
    if (video->profile && codec->takes_profile)
        plan_options_set(o, "profile", video->profile);
    if (video->level && codec->level)
        plan_level(o, codec, video->level);
    if (video->b_frames >= 0 && codec->takes_b_frames)
        plan_options_set_integer(o, "bf", video->b_frames);
    plan_key_frames(track, codec, video);
    return plan_quality(o, codec, video, e);
}

/* The same picture by another name: the "j" formats are the plain ones in full
 * range. */
static bool same_format(enum AVPixelFormat from, enum AVPixelFormat to)
{
    static const enum AVPixelFormat pairs[][2] = {
        {AV_PIX_FMT_YUVJ420P, AV_PIX_FMT_YUV420P},
        {AV_PIX_FMT_YUVJ422P, AV_PIX_FMT_YUV422P},
        {AV_PIX_FMT_YUVJ444P, AV_PIX_FMT_YUV444P},
    };

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        if (pairs[i][0] == from && pairs[i][1] == to)
            return true;
    }
    return from == to;
}

static bool is_converted(const struct plan_video *v,
                         const struct media_stream *st)
{
    int width = media_turn_swaps(v->turn) ? st->height : st->width;
    int height = media_turn_swaps(v->turn) ? st->width : st->height;

    if (v->width != width || v->height != height)
        return true;
    if (st->format != AV_PIX_FMT_NONE)
        return !same_format(st->format, v->format);
    return av_pix_fmt_desc_get(v->format)->comp[0].depth != st->depth;
}

static void describe(struct plan_track *track, const struct media_stream *st,
                     const struct backend *backend)
{
    const struct plan_video *v = &track->video;
    const struct {
        enum op op;
        bool wanted;
    } chain[] = {
        {OP_DECODE, true},
        {OP_TURN, v->turn != MEDIA_UPRIGHT},
        {OP_RATE, v->fixed_rate.num != 0},
        {OP_SCALE, is_converted(v, st)},
        {OP_ENCODE, true},
    };
    size_t used = 0;

    for (size_t i = 0; i < sizeof(chain) / sizeof(chain[0]); i++) {
        const char *impl = backend->impl[chain[i].op];
        if (!chain[i].wanted)
            continue;
        used += (size_t)snprintf(track->description + used,
                                 sizeof(track->description) - used, "%s%s",
                                 used ? ">" : "", impl ? impl : track->encoder);
    }
}

int plan_video_encode(struct plan_track *track, const struct job_video *video,
                      const struct media_stream *st, int threads,
                      struct error *e)
{
    const struct codec_video *codec = codec_find_video(video->codec);

    int r = plan_picture(&track->video, codec, video, st, e);
    if (r < 0)
        return r;
    plan_rate(&track->video, video, st);
    r = plan_encoder(track, codec, video, threads, e);
    if (r < 0)
        return r;
    describe(track, st, &backend_cpu);
    return 0;
}
