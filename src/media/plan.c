#include "media/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "media/container.h"
#include "media/select.h"
#include "model/grant.h"
#include "model/need.h"

static struct plan_track *add_track(struct plan_output *out,
                                    enum media_kind kind, size_t stream)
{
    out->tracks =
        xrealloc(out->tracks, out->track_count + 1, sizeof(*out->tracks));
    struct plan_track *track = &out->tracks[out->track_count++];
    *track = (struct plan_track){.kind = kind, .stream = stream};
    return track;
}

static int plan_copy(struct plan_output *out, enum media_kind kind,
                     size_t stream, const struct media_info *info,
                     struct error *e)
{
    enum AVCodecID codec = info->streams[stream].codec;

    if (!container_takes(out->container, codec))
        return error_set(e, -EINVAL, "%s of codec %s cannot be copied into %s",
                         media_kind_name(kind), avcodec_get_name(codec),
                         job_format_name(out->container->format));
    struct plan_track *track = add_track(out, kind, stream);
    track->copied = true;
    (void)snprintf(track->description, sizeof(track->description), "copy");
    return 0;
}

static int plan_video(struct plan_output *out, const struct job_video *video,
                      const struct media_info *info, struct error *e)
{
    if (video->codec == JOB_VIDEO_NONE)
        return 0;
    int stream = select_stream(info, MEDIA_VIDEO, video->stream, e);
    if (stream == -ENOENT && !video->given)
        return 0;
    if (stream < 0)
        return stream;
    if (video->codec == JOB_VIDEO_COPY)
        return plan_copy(out, MEDIA_VIDEO, (size_t)stream, info, e);
    return error_set(e, -ENOTSUP, "only copies are made yet");
}

static int plan_audio(struct plan_output *out, const struct job_audio *audio,
                      const struct media_info *info, struct error *e)
{
    int stream = select_stream(info, MEDIA_AUDIO, audio->stream, e);

    if (stream == -ENOENT && !audio->given)
        return 0;
    if (stream < 0)
        return stream;
    if (audio->codec == JOB_AUDIO_COPY)
        return plan_copy(out, MEDIA_AUDIO, (size_t)stream, info, e);
    return error_set(e, -ENOTSUP, "only copies are made yet");
}

static int plan_subtitle(struct plan_output *out,
                         const struct job_subtitle *subtitle,
                         const struct media_info *info, struct error *e)
{
    int stream = select_stream(info, MEDIA_SUBTITLE, subtitle->stream, e);

    if (stream < 0)
        return stream;
    if (subtitle->codec == JOB_SUBTITLE_COPY)
        return plan_copy(out, MEDIA_SUBTITLE, (size_t)stream, info, e);
    return error_set(e, -ENOTSUP, "only copies are made yet");
}

static void wrap_field(struct error *e, const char *name, size_t index)
{
    char field[32];

    (void)snprintf(field, sizeof(field), "%s[%zu]", name, index);
    error_wrap_field(e, field);
}

static int plan_tracks(struct plan_output *out, const struct job_output *wanted,
                       const struct media_info *info, struct error *e)
{
    int r = plan_video(out, &wanted->video, info, e);

    if (r < 0) {
        error_wrap_field(e, "video");
        return r;
    }
    for (size_t i = 0; i < wanted->audio_count; i++) {
        r = plan_audio(out, &wanted->audio[i], info, e);
        if (r < 0) {
            wrap_field(e, "audio", i);
            return r;
        }
    }
    for (size_t i = 0; i < wanted->subtitle_count; i++) {
        r = plan_subtitle(out, &wanted->subtitles[i], info, e);
        if (r < 0) {
            wrap_field(e, "subtitles", i);
            return r;
        }
    }
    if (!out->track_count)
        return error_set(e, -ENOENT, "the input has no stream for this output");
    return 0;
}

static int plan_output(struct plan_output *out, const struct job *job,
                       size_t index, const struct media_info *info,
                       struct error *e)
{
    const struct job_output *wanted = &job->outputs[index];

    out->container = container_find(job_output_format(job, index));
    out->delivery = job->delivery;
    out->timestamps = wanted->timestamps;
    out->metadata = wanted->metadata;
    if (!out->container)
        return error_set_field(e, -EINVAL, "format",
                               "the path does not say which container it is");
    return plan_tracks(out, wanted, info, e);
}

int plan_make(struct plan *ret, const struct job *job,
              const struct media_info *info, const struct grant *grant,
              struct error *e)
{
    struct plan plan = {
        .threads = grant->threads,
        .start = job->input.start,
        .duration = job->input.duration,
        .outputs = xcalloc(job->output_count, sizeof(*plan.outputs)),
        .output_count = job->output_count,
    };

    (void)snprintf(plan.device, sizeof(plan.device), "%s", grant->device);
    for (size_t i = 0; i < plan.output_count; i++) {
        int r = plan_output(&plan.outputs[i], job, i, info, e);
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

void plan_need(const struct plan *plan, const struct media_info *info,
               struct need *ret)
{
    int64_t left = info->duration < 0 ? -1 : info->duration - plan->start;

    *ret = (struct need){.duration = -1};
    if (plan->duration != JOB_UNSET && (left < 0 || plan->duration < left))
        left = plan->duration;
    if (left >= 0)
        ret->duration = (double)left / (double)SECOND;
}
