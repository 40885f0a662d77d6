#include "media/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>

#include "base/error.h"
#include "base/memory.h"
#include "media/codec.h"
#include "media/container.h"
#include "media/plan_device.h"
#include "media/plan_options.h"
#include "media/plan_video.h"
#include "media/select.h"
#include "model/grant.h"
#include "model/survey.h"

/* What planning one output reads and writes. */
struct planning {
    const struct plan_request *request;
    const struct media_info *info; // of the request
    struct plan *plan;
    struct plan_output *out;
    int sessions; // of the device, that are left
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

/* A device's encoders were surveyed; those of the CPU come with libav. */
static int check_encoder(const struct planning *p,
                         const struct plan_track *track, struct error *e)
{
    if (plan_video_is_on_device(track) || p->request->available(track->encoder))
        return 0;
    return error_set_field(e, -ENOTSUP, "codec",
                           "this machine has no encoder '%s'", track->encoder);
}

/* Can @stream be decoded, and its container take what it becomes? */
static int check_decodable(const struct planning *p, enum media_kind kind,
                           size_t stream, enum AVCodecID id, struct error *e)
{
    const struct media_stream *st = &p->info->streams[stream];

    int r = check_taken(p->out, kind, id, e);
    if (r < 0)
        return r;
    if (!st->decodable)
        return error_set(e, -EBADMSG, "there is no decoder for %s, codec %s",
                         media_kind_name(kind), avcodec_get_name(st->codec));
    return 0;
}

/* A track that is decoded, and encoded as codec @id by @encoder. */
static int plan_encode(struct planning *p, enum media_kind kind, size_t stream,
                       enum AVCodecID id, const char *encoder,
                       struct plan_track **ret, struct error *e)
{
    int r = check_decodable(p, kind, stream, id, e);
    if (r < 0)
        return r;
    *ret = add_track(p->out, kind, stream);
    (void)snprintf((*ret)->encoder, sizeof((*ret)->encoder), "%s", encoder);
    return check_encoder(p, *ret, e);
}

/* Why a rendition that has no session of the device's is not there: it takes
 * none, or none was left for it. */
static void explain_rendition(struct planning *p,
                              const struct plan_video_request *q)
{
    struct plan_notes *notes = &p->plan->notes;
    const struct survey_device *device = q->device;
    int32_t lent = p->request->grant->sessions;

    if (plan_device_encoder(device, q->video, q->stream, notes))
        plan_notes_why(notes,
                       lent ? "%s lends %d of its encoder sessions to this job"
                            : "%s lends none of its encoder sessions to this "
                              "job",
                       device->id, (int)lent);
    for (size_t i = 0; !device->encoder_count && i < device->problem_count; i++)
        plan_notes_why(notes, "%s: %s", device->id, device->problems[i]);
}

static int plan_rendition(struct planning *p, const struct job_video *video,
                          size_t stream, struct error *e)
{
    const struct grant *grant = p->request->grant;
    const struct plan_video_request request = {
        .video = video,
        .stream = &p->info->streams[stream],
        .threads = p->plan->threads,
        .device = p->request->device,
        .may_decode = grant->decode,
        .may_encode = p->sessions > 0,
    };
    const struct codec_video *codec =
        codec_find_video(video->codec, MEMORY_SYSTEM);

    int r = check_decodable(p, MEDIA_VIDEO, stream, codec->id, e);
    if (r < 0)
        return r;
    struct plan_track *track = add_track(p->out, MEDIA_VIDEO, stream);
    r = plan_video_encode(track, &request, &p->plan->notes, e);
    if (r < 0)
        return r;
    if (plan_video_is_on_device(track))
        p->sessions--;
    else if (request.device && !request.may_encode)
        explain_rendition(p, &request);
    return check_encoder(p, track, e);
}

static int plan_video(struct planning *p, const struct job_video *video,
                      struct error *e)
{
    const struct codec_video *codec =
        codec_find_video(video->codec, MEMORY_SYSTEM);

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
    return plan_rendition(p, video, (size_t)stream, e);
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
    size_t clamps = p->plan->notes.clamp_count;
    int r = plan_video(p, &wanted->video, e);

    plan_notes_wrap_fields(&p->plan->notes, clamps, "video");
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
    char field[32];

    p->out = out;
    out->container = container_find(job_output_format(job, index));
    out->delivery = job->delivery;
    out->timestamps = wanted->timestamps;
    out->metadata = wanted->metadata;
    if (!out->container)
        return error_set_field(e, -EINVAL, "format",
                               "the path does not say which container it is");
    size_t clamps = p->plan->notes.clamp_count;
    int r = plan_tracks(p, wanted, e);
    (void)snprintf(field, sizeof(field), "outputs[%zu]", index);
    plan_notes_wrap_fields(&p->plan->notes, clamps, field);
    return r;
}

int plan_make(struct plan *ret, const struct plan_request *q, struct error *e)
{
    struct plan plan = {
        .threads = q->grant->threads,
        .start = q->job->input.start,
        .duration = q->job->input.duration,
        .outputs = xcalloc(q->job->output_count, sizeof(*plan.outputs)),
        .output_count = q->job->output_count,
    };
    struct planning p = {
        .request = q,
        .info = q->info,
        .plan = &plan,
        .sessions = q->grant->sessions,
    };

    (void)snprintf(plan.device, sizeof(plan.device), "%s", q->grant->device);
    for (size_t i = 0; i < plan.output_count; i++) {
        int r = plan_output(&p, q->job, i, e);
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

static bool same_options(const struct plan_options *a,
                         const struct plan_options *b)
{
    bool same = a->count == b->count;

    for (size_t i = 0; same && i < a->count; i++)
        same = strcmp(a->list[i].name, b->list[i].name) == 0 &&
               strcmp(a->list[i].value, b->list[i].value) == 0;
    return same;
}

bool plan_same_sound(const struct plan_track *a, const struct plan_track *b)
{
    return a->kind == MEDIA_AUDIO && b->kind == MEDIA_AUDIO &&
           a->stream == b->stream && !a->copied && !b->copied &&
           strcmp(a->encoder, b->encoder) == 0 &&
           a->audio.channels == b->audio.channels &&
           a->audio.sample_rate == b->audio.sample_rate &&
           a->audio.volume == b->audio.volume &&
           same_options(&a->options, &b->options);
}

bool plan_has_encoder(const char *name)
{
    return avcodec_find_encoder_by_name(name) != NULL;
}
