#include "media/plan_encoder.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "media/codec.h"
#include "media/plan.h"
#include "media/plan_options.h"
#include "model/survey.h"

/* Twice the peak rate: what players of HLS and DASH expect at least. */
#define BUFFER_SECONDS 2
/* Frames a second, where nothing says how many. */
#define USUAL_RATE 25
/* In a row, where the job does not say: more hold more memory and gain little. */
#define USUAL_B_FRAMES 2

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
        plan_options_set_number(o, codec->quality_option, quality);
    if (video->bitrate > 0)
        plan_options_set_integer(o, "b", video->bitrate);
    else if (codec->quality_alone)
        plan_options_set_integer(
            o, "b", video->max_bitrate > 0 ? video->max_bitrate : 0);
    if (codec->constant && video->bitrate > 0 &&
        video->bitrate == video->max_bitrate)
        plan_options_set_all(o, codec->constant);
    return 0;
}

static void plan_buffer(struct plan_options *o, const struct job_video *video)
{
    if (video->max_bitrate > 0)
        plan_options_set_integer(o, "maxrate", video->max_bitrate);
    if (video->buffer_size > 0)
        plan_options_set_integer(o, "bufsize", video->buffer_size);
    else if (video->max_bitrate > 0)
        plan_options_set_integer(o, "bufsize",
                                 BUFFER_SECONDS * video->max_bitrate);
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

static int look_ahead_of(const struct plan_options *o)
{
    const char *value = plan_options_get(o, "rc-lookahead");

    return value ? atoi(value) : 0;
}

static int larger(int a, int b)
{
    return a > b ? a : b;
}

static int b_frames_of(const struct survey_encoder *encoder,
                       const struct job_video *video)
{
    int most = encoder->b_frames;

    if (video->profile && strcmp(video->profile, "baseline") == 0)
        return 0; // it has none
    if (video->b_frames >= 0)
        return (int)video->b_frames;
    return most < USUAL_B_FRAMES ? most : USUAL_B_FRAMES;
}

/*
 * B-frames and look-ahead as the chip has them, and as many surfaces as they
 * take, by the formula of libav's NVENC. Packets are taken as soon as they are
 * ready: libav would keep all surfaces filled, and each holds a picture.
 */
static void plan_surfaces(struct plan_options *o,
                          const struct survey_encoder *encoder,
                          const struct job_video *video)
{
    int b_frames = b_frames_of(encoder, video);

    if (!encoder->lookahead)
        plan_options_set_integer(o, "rc-lookahead", 0);
    int ahead = look_ahead_of(o);
    int surfaces = larger(4, 4 * (b_frames + 1));
    if (ahead > 0)
        surfaces = larger(surfaces, ahead + b_frames + 1 + 5);
    plan_options_set_integer(o, "bf", b_frames);
    plan_options_set(o, "b_ref_mode",
                     encoder->b_frame_refs && b_frames > 1 ? "middle"
                                                           : "disabled");
    plan_options_set_integer(o, "surfaces", surfaces);
    plan_options_set_integer(o, "delay", b_frames + 2);
}

int plan_encoder(struct plan_track *track, const struct plan_encoder_request *q,
                 struct error *e)
{
    const struct job_video *video = q->video;
    const struct codec_video *codec = q->codec;
    struct plan_options *o = &track->options;
    const char *profile =
        q->format->option ? q->format->option : video->profile;

    (void)snprintf(track->encoder, sizeof(track->encoder), "%s",
                   codec->encoder);
    plan_options_set_all(o, codec->always);
    plan_preset(o, codec, video->preset);
    plan_options_set_integer(o, "threads", q->threads);
    if (profile && codec->takes_profile)
        plan_options_set(o, "profile", profile);
    if (video->level && codec->level)
        plan_level(o, codec, video->level);
    if (codec->holds_pictures)
        plan_surfaces(o, q->encoder, video);
    else if (video->b_frames >= 0 && codec->takes_b_frames)
        plan_options_set_integer(o, "bf", video->b_frames);
    plan_key_frames(track, codec, video);
    plan_buffer(o, video);
    return plan_quality(o, codec, video, e);
}
