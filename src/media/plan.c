#include "media/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavutil/pixdesc.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "media/codec.h"
#include "media/container.h"
#include "media/plan_options.h"
#include "media/plan_video.h"
#include "media/select.h"
#include "model/grant.h"
#include "model/need.h"

/* What planning one output reads and writes. */
struct planning {
    struct plan *plan;
    struct plan_output *out;
    const struct media_info *info;
    plan_available *available;
};

static struct plan_track *add_track(struct plan_output *out,
                                    enum media_kind kind, size_t stream)
{
    out->tracks =
        xrealloc(out->tracks, out->track_count + 1, sizeof(*out->tracks));
    struct plan_track *track = &out->tracks[out->track_count++];
    *track = (struct plan_track){.kind = kind, .stream = stream};
    return track;
}

static int check_taken(const struct plan_output *out, enum media_kind kind,
                       enum AVCodecID codec, struct error *e)
{
    if (container_takes(out->container, codec))
        return 0;
    return error_set(e, -EINVAL, "%s takes no %s of codec %s",
                     job_format_name(out->container->format),
                     media_kind_name(kind), avcodec_get_name(codec));
}

static int plan_copy(struct plan_output *out, enum media_kind kind,
                     size_t stream, const struct media_info *info,
                     struct error *e)
{
    int r = check_taken(out, kind, info->streams[stream].codec, e);

    if (r < 0)
        return r;
    struct plan_track *track = add_track(out, kind, stream);
    track->copied = true;
    (void)snprintf(track->description, sizeof(track->description), "copy");
    return 0;
}

/* A track that is decoded, and encoded as codec @id by @encoder. */
static int plan_encode(struct planning *p, enum media_kind kind, size_t stream,
                       enum AVCodecID id, const char *encoder,
                       struct plan_track **ret, struct error *e)
{
    const struct media_stream *st = &p->info->streams[stream];

    int r = check_taken(p->out, kind, id, e);
    if (r < 0)
        return r;
    if (!st->decodable)
        return error_set(e, -EBADMSG, "there is no decoder for %s, codec %s",
                         media_kind_name(kind), avcodec_get_name(st->codec));
    if (!p->available(encoder))
        return error_set_field(e, -ENOTSUP, "codec",
                               "this machine has no encoder '%s'", encoder);
    *ret = add_track(p->out, kind, stream);
    (void)snprintf((*ret)->encoder, sizeof((*ret)->encoder), "%s", encoder);
    return 0;
}

static int plan_video(struct planning *p, const struct job_video *video,
                      struct error *e)
{
    const struct codec_video *codec = codec_find_video(video->codec);
    struct plan_track *track = NULL;

    if (video->codec == JOB_VIDEO_NONE)
        return 0;
    int stream = codec ? -1 : select_cover(p->info, video->stream);
    if (stream < 0)
        stream = select_stream(p->info, MEDIA_VIDEO, video->stream, e);
    if (stream == -ENOENT && !video->given)
        return 0;
    if (stream < 0)
        return stream;
    if (!codec)
        return plan_copy(p->out, MEDIA_VIDEO, (size_t)stream, p->info, e);
    int r = plan_encode(p, MEDIA_VIDEO, (size_t)stream, codec->id,
                        codec->encoder, &track, e);
    if (r < 0)
        return r;
    return plan_video_encode(track, video, &p->info->streams[stream],
                             p->plan->threads, e);
}

static void plan_sound(struct plan_track *track, const struct job_audio *audio,
                       const struct codec_audio *codec,
                       const struct media_stream *st)
{
    int most = codec->channels_most;

    if (audio->channels > 0 && audio->channels < most)
        most = (int)audio->channels;
    track->audio = (struct plan_audio){
        .channels = most,
        .sample_rate = audio->sample_rate > 0 ? (int)audio->sample_rate : 0,
        .volume = audio->volume,
    };
    if (!codec->lossless && audio->bitrate > 0)
        plan_options_set_integer(&track->options, "b", audio->bitrate);
    (void)snprintf(track->description, sizeof(track->description),
                   "%s%s>aresample>%s", avcodec_get_name(st->codec),
                   audio->volume == 1 ? "" : ">volume", codec->encoder);
}

static int plan_audio(struct planning *p, const struct job_audio *audio,
                      struct error *e)
{
    const struct codec_audio *codec = codec_find_audio(audio->codec);
    struct plan_track *track = NULL;

    int stream = select_stream(p->info, MEDIA_AUDIO, audio->stream, e);
    if (stream == -ENOENT && !audio->given)
        return 0;
    if (stream < 0)
        return stream;
    if (!codec)
        return plan_copy(p->out, MEDIA_AUDIO, (size_t)stream, p->info, e);
    int r = plan_encode(p, MEDIA_AUDIO, (size_t)stream, codec->id,
                        codec->encoder, &track, e);
    if (r == 0)
        plan_sound(track, audio, codec, &p->info->streams[stream]);
    return r;
}

static int plan_subtitle(struct planning *p,
                         const struct job_subtitle *subtitle, struct error *e)
{
    const struct codec_subtitle *codec = codec_find_subtitle(subtitle->codec);
    struct plan_track *track = NULL;

    int stream = select_stream(p->info, MEDIA_SUBTITLE, subtitle->stream, e);
    if (stream < 0)
        return stream;
    const struct media_stream *st = &p->info->streams[stream];
    if (!codec)
        return plan_copy(p->out, MEDIA_SUBTITLE, (size_t)stream, p->info, e);
    if (!st->text)
        return error_set(e, -EINVAL,
                         "subtitles of codec %s are pictures, not text",
                         avcodec_get_name(st->codec));
    int r = plan_encode(p, MEDIA_SUBTITLE, (size_t)stream, codec->id,
                        codec->encoder, &track, e);
    if (r == 0)
        (void)snprintf(track->description, sizeof(track->description), "%s>%s",
                       avcodec_get_name(st->codec), codec->encoder);
    return r;
}

static void wrap_field(struct error *e, const char *name, size_t index)
{
    char field[32];

    (void)snprintf(field, sizeof(field), "%s[%zu]", name, index);
    error_wrap_field(e, field);
}

static int plan_tracks(struct planning *p, const struct job_output *wanted,
                       struct error *e)
{
    int r = plan_video(p, &wanted->video, e);

    if (r < 0) {
        error_wrap_field(e, "video");
        return r;
    }
    for (size_t i = 0; i < wanted->audio_count; i++) {
        r = plan_audio(p, &wanted->audio[i], e);
        if (r < 0) {
            wrap_field(e, "audio", i);
            return r;
        }
    }
    for (size_t i = 0; i < wanted->subtitle_count; i++) {
        r = plan_subtitle(p, &wanted->subtitles[i], e);
        if (r < 0) {
            wrap_field(e, "subtitles", i);
            return r;
        }
    }
    if (!p->out->track_count)
        return error_set(e, -ENOENT, "the input has no stream for this output");
    return 0;
}

static int plan_output(struct planning *p, const struct job *job, size_t index,
                       struct error *e)
{
    const struct job_output *wanted = &job->outputs[index];
    struct plan_output *out = &p->plan->outputs[index];

    p->out = out;
    out->container = container_find(job_output_format(job, index));
    out->delivery = job->delivery;
    out->timestamps = wanted->timestamps;
    out->metadata = wanted->metadata;
    if (!out->container)
        return error_set_field(e, -EINVAL, "format",
                               "the path does not say which container it is");
    return plan_tracks(p, wanted, e);
}

int plan_make(struct plan *ret, const struct job *job,
              const struct media_info *info, const struct grant *grant,
              plan_available *available, struct error *e)
{
    struct plan plan = {
        .threads = grant->threads,
        .start = job->input.start,
        .duration = job->input.duration,
        .outputs = xcalloc(job->output_count, sizeof(*plan.outputs)),
        .output_count = job->output_count,
    };
    struct planning p = {
        .plan = &plan,
        .info = info,
        .available = available,
    };

    (void)snprintf(plan.device, sizeof(plan.device), "%s", grant->device);
    for (size_t i = 0; i < plan.output_count; i++) {
        int r = plan_output(&p, job, i, e);
        if (r < 0) {
            wrap_field(e, "outputs", i);
            plan_fini(&plan);
            return r;
        }
    }
    *ret = plan;
    return 0;
}

void plan_fini(struct plan *plan)
{
    for (size_t i = 0; i < plan->output_count; i++)
        free(plan->outputs[i].tracks);
    free(plan->outputs);
    *plan = (struct plan){0};
}

bool plan_has_encoder(const char *name)
{
    return avcodec_find_encoder_by_name(name) != NULL;
}

static void need_rendition(struct need *need, const struct plan_track *track,
                           const struct media_stream *st)
{
    struct need_rendition *r = &need->renditions[need->rendition_count];
    const AVCodec *encoder = avcodec_find_encoder_by_name(track->encoder);

    if (!need->decodes_video) {
        need->decodes_video = true;
        (void)snprintf(need->codec, sizeof(need->codec), "%s",
                       avcodec_get_name(st->codec));
        need->width = st->width;
        need->height = st->height;
        need->depth = st->depth;
    }
    if (need->rendition_count == NEED_RENDITIONS_MOST)
        return;
    need->rendition_count++;
    (void)snprintf(r->codec, sizeof(r->codec), "%s",
                   encoder ? avcodec_get_name(encoder->id) : track->encoder);
    r->width = track->video.width;
    r->height = track->video.height;
    r->depth = av_pix_fmt_desc_get(track->video.format)->comp[0].depth;
}

void plan_need(const struct plan *plan, const struct media_info *info,
               struct need *ret)
{
    int64_t left = info->duration < 0 ? -1 : info->duration - plan->start;

    *ret = (struct need){.duration = -1};
    if (plan->duration != JOB_UNSET && (left < 0 || plan->duration < left))
        left = plan->duration;
    if (left >= 0)
        ret->duration = (double)left / (double)SECOND;
    for (size_t o = 0; o < plan->output_count; o++) {
        for (size_t t = 0; t < plan->outputs[o].track_count; t++) {
            const struct plan_track *track = &plan->outputs[o].tracks[t];
            if (track->kind == MEDIA_VIDEO && !track->copied)
                need_rendition(ret, track, &info->streams[track->stream]);
        }
    }
}
