#include "media/plan_device.h"

#include <stdio.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavutil/pixdesc.h>

#include "media/codec.h"
#include "media/info.h"
#include "media/level.h"
#include "media/plan_notes.h"
#include "model/job.h"
#include "model/survey.h"

#define QUALITY_LEAST 1

/* 420, 422, 444; 400 has no colour. */
static int chroma_of(const struct media_stream *st)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(st->format);

    if (!d)
        return 420; // nothing else is known before decoding
    if (d->nb_components < 3)
        return 400;
    if (d->log2_chroma_w == 0)
        return 444;
    return d->log2_chroma_h == 0 ? 422 : 420;
}

bool plan_device_decodes(const struct survey_device *device,
                         const struct media_stream *st,
                         struct plan_notes *notes)
{
    const char *codec = avcodec_get_name(st->codec);
    int chroma = chroma_of(st);
    const struct survey_decoder *d =
        survey_find_decoder(device, codec, st->depth, chroma);

    if (!d) {
        plan_notes_why(notes, "%s does not decode %s %d:%d:%d of %d bits",
                       device->id, codec, chroma / 100, chroma / 10 % 10,
                       chroma % 10, st->depth);
        return false;
    }
    if (st->width > d->width || st->height > d->height ||
        st->width < d->least_width || st->height < d->least_height) {
        plan_notes_why(notes, "%s decodes %s from %dx%d to %dx%d, not %dx%d",
                       device->id, codec, d->least_width, d->least_height,
                       d->width, d->height, st->width, st->height);
        return false;
    }
    return true;
}

/* What the picture that leaves has to be in the encoder's mouth. */
static bool has_profile(const struct survey_device *device,
                        const struct survey_encoder *encoder,
                        const struct codec_video *codec,
                        const struct job_video *video, struct plan_notes *notes)
{
    const struct codec_format *f =
        codec_find_format(codec, video->profile, encoder->depth);

    if (f && av_pix_fmt_desc_get(f->format)->comp[0].depth <= encoder->depth)
        return true;
    plan_notes_why(notes, "%s has no profile '%s' of %s", device->id,
                   video->profile, codec->name);
    return false;
}

static bool has_room(const struct survey_device *device,
                     const struct survey_encoder *encoder, struct size size,
                     struct plan_notes *notes)
{
    if (size.width >= encoder->least_width &&
        size.height >= encoder->least_height)
        return true;
    plan_notes_why(notes, "%s encodes %s from %dx%d on, not %dx%d", device->id,
                   encoder->codec, encoder->least_width, encoder->least_height,
                   size.width, size.height);
    return false;
}

static struct size upright_size(const struct media_stream *st)
{
    if (media_turn_swaps(st->turn))
        return (struct size){st->height, st->width};
    return (struct size){st->width, st->height};
}

const struct survey_encoder *
plan_device_encoder(const struct survey_device *device,
                    const struct job_video *video,
                    const struct media_stream *st, struct plan_notes *notes)
{
    const struct backend *backend = backend_of_device(device->id);
    const struct codec_video *here =
        codec_find_video(video->codec, MEMORY_SYSTEM);
    const struct codec_video *there =
        backend ? codec_find_video(video->codec, backend->memory) : NULL;
    const struct survey_encoder *encoder =
        there ? survey_find_encoder(device, there->name) : NULL;

    if (!encoder || strcmp(encoder->name, there->encoder) != 0) {
        plan_notes_why(notes, "%s does not encode %s", device->id, here->name);
        return NULL;
    }
    if (!has_profile(device, encoder, there, video, notes) ||
        !has_room(device, encoder, size_fit(upright_size(st), video), notes))
        return NULL;
    return encoder;
}

struct size plan_device_size(const struct survey_encoder *encoder,
                             const struct job_video *video, struct size upright,
                             struct plan_notes *notes)
{
    struct size size = size_fit(upright, video);
    struct job_video bounded = *video;

    if (!encoder ||
        (size.width <= encoder->width && size.height <= encoder->height))
        return size;
    if (bounded.max_width <= 0 || bounded.max_width > encoder->width)
        bounded.max_width = encoder->width;
    if (bounded.max_height <= 0 || bounded.max_height > encoder->height)
        bounded.max_height = encoder->height;
    struct size less = size_fit(upright, &bounded);
    plan_notes_clamp(notes, "width", size.width, less.width,
                     "%s takes at most %dx%d", encoder->name, encoder->width,
                     encoder->height);
    plan_notes_clamp(notes, "height", size.height, less.height,
                     "%s takes at most %dx%d", encoder->name, encoder->width,
                     encoder->height);
    return less;
}

static void clamp_b_frames(struct job_video *v,
                           const struct survey_encoder *encoder,
                           struct plan_notes *notes)
{
    if (v->b_frames <= encoder->b_frames)
        return;
    plan_notes_clamp(notes, "b_frames", (double)v->b_frames, encoder->b_frames,
                     "%s on this GPU makes %d in a row at most", encoder->name,
                     encoder->b_frames);
    v->b_frames = encoder->b_frames;
}

/* NVENC's scale begins with 1: 0 is its word for no quality at all. */
static void clamp_quality(struct job_video *v, struct plan_notes *notes)
{
    if (v->quality < 0 || v->quality >= QUALITY_LEAST)
        return;
    plan_notes_clamp(notes, "quality", v->quality, QUALITY_LEAST,
                     "the scale of this GPU's encoders begins with %d",
                     QUALITY_LEAST);
    v->quality = QUALITY_LEAST;
}

/* A level that is too low for the picture is refused, and one that is too high
 * for the chip. */
static void clamp_level(struct job_video *v, const struct level *most,
                        enum AVCodecID codec, struct size size, AVRational rate,
                        struct plan_notes *notes)
{
    const struct level *wanted = v->level ? level_find(codec, v->level) : NULL;
    const struct level *least =
        level_least(codec, size.width, size.height, rate);

    if (!wanted || !least || (wanted >= least && wanted <= most))
        return;
    if (wanted < least)
        plan_notes_clamp(
            notes, "level", wanted->number / 10.0, least->number / 10.0,
            "%dx%d needs level %s at %g frames "
            "a second",
            size.width, size.height, least->name, rate.num ? av_q2d(rate) : 0);
    else
        plan_notes_clamp(
            notes, "level", wanted->number / 10.0, most->number / 10.0,
            "the encoder of this GPU goes up to level %s", most->name);
    v->level = (char *)(wanted < least ? least : most)->name;
}

static void clamp_rate(int64_t *rate, const char *field,
                       const struct level *level, struct plan_notes *notes)
{
    if (*rate <= level->bit_rate)
        return;
    plan_notes_clamp(notes, field, (double)*rate, (double)level->bit_rate,
                     "level %s allows no more", level->name);
    *rate = level->bit_rate;
}

static void clamp_rates(struct job_video *v, const struct level *most,
                        enum AVCodecID codec, struct plan_notes *notes)
{
    const struct level *level = v->level ? level_find(codec, v->level) : most;

    if (!level)
        return;
    clamp_rate(&v->bitrate, "bitrate", level, notes);
    clamp_rate(&v->max_bitrate, "max_bitrate", level, notes);
}

struct job_video plan_device_clamp(const struct survey_encoder *encoder,
                                   const struct job_video *video,
                                   struct size size, AVRational rate,
                                   struct plan_notes *notes)
{
    struct job_video v = *video;
    enum AVCodecID codec = codec_find_video(v.codec, MEMORY_SYSTEM)->id;

    const struct level *most = level_highest(codec, encoder->level);

    clamp_b_frames(&v, encoder, notes);
    clamp_quality(&v, notes);
    clamp_level(&v, most, codec, size, rate, notes);
    clamp_rates(&v, most, codec, notes);
    return v;
}
