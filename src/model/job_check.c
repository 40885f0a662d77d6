#include "model/job_check.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "model/job.h"
#include "model/job_table.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))
#define BIT(n)       (1u << (n))

/* What a container takes, as bit masks of codecs. */
struct container {
    const char *name; // for a person
    unsigned video;
    unsigned audio;
    unsigned subtitles;
};

// clang-format off
#define VIDEO_ANY    (BIT(JOB_VIDEO_COUNT) - 1)
#define AUDIO_ANY    (BIT(JOB_AUDIO_COUNT) - 1)
#define VIDEO_AS_IS  (BIT(JOB_VIDEO_COPY) | BIT(JOB_VIDEO_NONE))

static const struct container containers[JOB_FORMAT_COUNT] = {
    [JOB_FORMAT_MP4] = {
        "MP4",
        VIDEO_ANY,
        AUDIO_ANY & ~BIT(JOB_AUDIO_VORBIS), // the muxer would, players do not
        BIT(JOB_SUBTITLE_MOV_TEXT) | BIT(JOB_SUBTITLE_COPY),
    },
    [JOB_FORMAT_MATROSKA] = {
        "Matroska",
        VIDEO_ANY,
        AUDIO_ANY,
        BIT(JOB_SUBTITLE_WEBVTT) | BIT(JOB_SUBTITLE_SRT) |
            BIT(JOB_SUBTITLE_ASS) | BIT(JOB_SUBTITLE_COPY),
    },
    [JOB_FORMAT_MPEGTS] = {
        "MPEG-TS",
        BIT(JOB_VIDEO_H264) | BIT(JOB_VIDEO_HEVC) | VIDEO_AS_IS,
        BIT(JOB_AUDIO_AAC) | BIT(JOB_AUDIO_AC3) | BIT(JOB_AUDIO_EAC3) |
            BIT(JOB_AUDIO_MP3) | BIT(JOB_AUDIO_OPUS) | BIT(JOB_AUDIO_COPY),
        BIT(JOB_SUBTITLE_COPY),
    },
    [JOB_FORMAT_WEBM] = {
        "WebM",
        BIT(JOB_VIDEO_VP9) | BIT(JOB_VIDEO_AV1) | VIDEO_AS_IS,
        BIT(JOB_AUDIO_OPUS) | BIT(JOB_AUDIO_VORBIS) | BIT(JOB_AUDIO_COPY),
        BIT(JOB_SUBTITLE_WEBVTT) | BIT(JOB_SUBTITLE_COPY),
    },
};

/* What an encoder of a video codec can be told. Names become encoders' options
 * later, so that nothing but these may pass. */
struct video_terms {
    double quality;                // the scale's end
    const char *const *presets;    // besides ours
    const char *const *profiles;
    const char *const *levels;     // NULL: the encoder sets it, and its frames' order, itself
};

static const char *const our_presets[] = {
    "fastest", "fast", "medium", "slow", "slowest", NULL,
};
static const char *const x26x_presets[] = { // of libx264, libx265 and nvenc
    "ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow",
    "slower", "veryslow", "placebo", "p1", "p2", "p3", "p4", "p5", "p6", "p7",
    NULL,
};
static const char *const av1_presets[] = { // of libsvtav1 and nvenc
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13",
    "p1", "p2", "p3", "p4", "p5", "p6", "p7", NULL,
};
static const char *const vp9_presets[] = { // of libvpx: deadline, cpu-used
    "good", "best", "realtime", "0", "1", "2", "3", "4", "5", "6", "7", "8",
    NULL,
};
static const char *const h264_profiles[] = {
    "baseline", "main", "high", "high10", "high422", "high444", NULL,
};
static const char *const hevc_profiles[] = {"main", "main10", NULL};
static const char *const av1_profiles[] = {"main", NULL};
static const char *const vp9_profiles[] = {"0", "2", NULL};
static const char *const h264_levels[] = {
    "1", "1.0", "1b", "1.1", "1.2", "1.3", "2", "2.0", "2.1", "2.2", "3", "3.0",
    "3.1", "3.2", "4", "4.0", "4.1", "4.2", "5", "5.0", "5.1", "5.2", "6",
    "6.0", "6.1", "6.2", NULL,
};
static const char *const hevc_levels[] = {
    "1", "1.0", "2", "2.0", "2.1", "3", "3.0", "3.1", "4", "4.0", "4.1", "5",
    "5.0", "5.1", "5.2", "6", "6.0", "6.1", "6.2", NULL,
};
static const struct video_terms video_terms[JOB_VIDEO_COUNT] = {
    [JOB_VIDEO_H264] = {51, x26x_presets, h264_profiles, h264_levels},
    [JOB_VIDEO_HEVC] = {51, x26x_presets, hevc_profiles, hevc_levels},
    [JOB_VIDEO_AV1]  = {63, av1_presets, av1_profiles, NULL},
    [JOB_VIDEO_VP9]  = {63, vp9_presets, vp9_profiles, NULL},
};

/* What an audio codec takes. */
struct audio_terms {
    int64_t channels;
    const int64_t *rates; // ended by 0; NULL: any
};

static const int64_t ac3_rates[] = {32000, 44100, 48000, 0};
static const int64_t opus_rates[] = {8000, 12000, 16000, 24000, 48000, 0};
static const int64_t mp3_rates[] = {8000, 11025, 12000, 16000, 22050, 24000,
                                    32000, 44100, 48000, 0};
static const int64_t aac_rates[] = {8000, 11025, 12000, 16000, 22050, 24000,
                                    32000, 44100, 48000, 64000, 88200, 96000,
                                    0};

static const struct audio_terms audio_terms[JOB_AUDIO_COUNT] = {
    [JOB_AUDIO_AAC]    = {8, aac_rates},
    [JOB_AUDIO_AC3]    = {6, ac3_rates},
    [JOB_AUDIO_EAC3]   = {6, ac3_rates},
    [JOB_AUDIO_OPUS]   = {8, opus_rates},
    [JOB_AUDIO_MP3]    = {2, mp3_rates},
    [JOB_AUDIO_FLAC]   = {8, NULL},
    [JOB_AUDIO_VORBIS] = {8, NULL},
    [JOB_AUDIO_COPY]   = {8, NULL},
};
// clang-format on

/*
 * Texts.
 */

static bool has_control(const char *s)
{
    for (; *s; s++) {
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            return true;
    }
    return false;
}

int job_check_text(const char *text, struct error *e)
{
    if (!*text)
        return error_set(e, -EINVAL, "must not be empty");
    if (has_control(text))
        return error_set(e, -EINVAL, "contains control characters");
    return 0;
}

int job_check_name(const char *name, struct error *e)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";

    if (!*name || *name == '.' || name[strspn(name, letters)])
        return error_set(e, -EINVAL,
                         "must be letters, digits, '.', '_' and '-'");
    return 0;
}

int job_check_device(const char *id, struct error *e)
{
    static const char gpu[] = "cuda:";
    const char *number = id + sizeof(gpu) - 1;

    if (strcmp(id, "cpu") == 0)
        return error_set(e, -EINVAL,
                         "is for GPUs; 'hardware': 'none' asks for the CPU");
    if (strncmp(id, gpu, sizeof(gpu) - 1) != 0 || !*number ||
        number[strspn(number, "0123456789")])
        return error_set(e, -EINVAL, "must be the id of a GPU, as 'cuda:0'");
    return 0;
}

/* Is the component of @length bytes at @s one that leads astray? */
static bool is_odd_component(const char *s, size_t length)
{
    return length == 0 || (length == 1 && s[0] == '.') ||
           (length == 2 && s[0] == '.' && s[1] == '.');
}

int job_check_path(const char *path, struct error *e)
{
    if (has_control(path))
        return error_set(e, -EINVAL, "contains control characters");
    if (path[0] != '/')
        return error_set(e, -EINVAL, "must be an absolute path");
    if (path[strlen(path) - 1] == '/')
        return error_set(e, -EINVAL, "names a folder, not a file");
    for (const char *s = path + 1;; s++) {
        size_t length = strcspn(s, "/");
        if (is_odd_component(s, length))
            return error_set(e, -EINVAL, "has an empty, '.' or '..' component");
        if (length > NAME_MAX)
            return error_set(e, -EINVAL, "has a name longer than %d bytes",
                             NAME_MAX);
        s += length;
        if (!*s)
            return 0;
    }
}

/*
 * Streams.
 */

static bool is_listed(const char *const *list, const char *name)
{
    for (; *list; list++) {
        if (strcmp(*list, name) == 0)
            return true;
    }
    return false;
}

/* A copied stream keeps what it has. */
static int check_copied_video(const struct job_video *v, struct error *e)
{
    const struct {
        const char *field;
        bool asked;
    } changes[] = {
        {"width", v->width != JOB_UNSET},
        {"height", v->height != JOB_UNSET},
        {"max_width", v->max_width != JOB_UNSET},
        {"max_height", v->max_height != JOB_UNSET},
        {"frame_rate", v->frame_rate != JOB_UNSET},
        {"max_frame_rate", v->max_frame_rate != JOB_UNSET},
        {"bitrate", v->bitrate != JOB_UNSET},
        {"max_bitrate", v->max_bitrate != JOB_UNSET},
        {"buffer_size", v->buffer_size != JOB_UNSET},
        {"quality", v->quality != JOB_UNSET},
        {"profile", v->profile},
        {"level", v->level},
        {"keyframe_frames", v->keyframe_frames != JOB_UNSET},
        {"b_frames", v->b_frames != JOB_UNSET},
    };

    for (size_t i = 0; i < COUNT(changes); i++) {
        if (changes[i].asked)
            return error_set_field(e, -EINVAL, changes[i].field,
                                   "cannot be had with a copied stream");
    }
    return 0;
}

static int check_rates(const struct job_video *v, struct error *e)
{
    if (v->bitrate != JOB_UNSET && v->quality != JOB_UNSET)
        return error_set_field(e, -EINVAL, "quality",
                               "contradicts 'bitrate': only one can be kept");
    if (v->max_bitrate != JOB_UNSET && v->max_bitrate < v->bitrate)
        return error_set_field(e, -EINVAL, "max_bitrate",
                               "is less than 'bitrate'");
    if (v->buffer_size != JOB_UNSET && v->max_bitrate == JOB_UNSET &&
        v->bitrate == JOB_UNSET)
        return error_set_field(e, -EINVAL, "buffer_size",
                               "needs 'max_bitrate' or 'bitrate'");
    return 0;
}

static int check_encoded_video(const struct job_video *v, struct error *e)
{
    const struct video_terms *t = &video_terms[v->codec];
    const char *codec = job_video_codec_name(v->codec);

    if (v->quality > t->quality)
        return error_set_field(e, -EINVAL, "quality",
                               "must be between 0 and %g with %s", t->quality,
                               codec);
    if (!is_listed(our_presets, v->preset) && !is_listed(t->presets, v->preset))
        return error_set_field(e, -EINVAL, "preset", "'%s' is no preset for %s",
                               v->preset, codec);
    if (v->profile && !is_listed(t->profiles, v->profile))
        return error_set_field(e, -EINVAL, "profile",
                               "'%s' is no profile of %s", v->profile, codec);
    if (v->level && !t->levels)
        return error_set_field(e, -EINVAL, "level",
                               "is for h264 and hevc, not for %s", codec);
    if (v->b_frames > 0 && !t->levels)
        return error_set_field(e, -EINVAL, "b_frames",
                               "is for h264 and hevc, not for %s", codec);
    if (v->level && !is_listed(t->levels, v->level))
        return error_set_field(e, -EINVAL, "level", "'%s' is no level of %s",
                               v->level, codec);
    return check_rates(v, e);
}

static int check_video(const struct job_video *v, struct error *e)
{
    switch (v->codec) {
    case JOB_VIDEO_NONE:
        return 0;
    case JOB_VIDEO_COPY:
        return check_copied_video(v, e);
    case JOB_VIDEO_H264:
    case JOB_VIDEO_HEVC:
    case JOB_VIDEO_AV1:
    case JOB_VIDEO_VP9:
    case JOB_VIDEO_COUNT:
        break;
    }
    return check_encoded_video(v, e);
}

static int check_copied_audio(const struct job_audio *a, struct error *e)
{
    if (a->volume != 1.0)
        return error_set_field(e, -EINVAL, "volume",
                               "cannot be had with a copied stream");
    if (a->sample_rate != JOB_UNSET)
        return error_set_field(e, -EINVAL, "sample_rate",
                               "cannot be had with a copied stream");
    return 0;
}

static int check_audio(const struct job_audio *a, struct error *e)
{
    const struct audio_terms *t = &audio_terms[a->codec];
    const char *codec = job_audio_codec_name(a->codec);

    if (a->codec == JOB_AUDIO_COPY)
        return check_copied_audio(a, e);
    if (a->channels > t->channels)
        return error_set_field(e, -EINVAL, "channels",
                               "%s takes no more than %" PRId64, codec,
                               t->channels);
    if (a->sample_rate == JOB_UNSET || !t->rates)
        return 0;
    for (const int64_t *rate = t->rates; *rate; rate++) {
        if (*rate == a->sample_rate)
            return 0;
    }
    return error_set_field(e, -EINVAL, "sample_rate",
                           "%s takes no %" PRId64 " Hz", codec, a->sample_rate);
}

/*
 * Outputs.
 */

/* Says which of @names are in @mask: "aac, opus, copy". */
static int refuse_codec(struct error *e, const struct container *c,
                        const char *const *names, size_t count, size_t codec,
                        unsigned mask)
{
    char taken[128];
    size_t used = 0;

    for (size_t i = 0; i < count && used < sizeof(taken); i++) {
        if (mask & BIT(i))
            used += (size_t)snprintf(taken + used, sizeof(taken) - used, "%s%s",
                                     used ? ", " : "", names[i]);
    }
    return error_set_field(e, -EINVAL, "codec", "%s takes no %s, but %s",
                           c->name, names[codec], taken);
}

/* "audio" and 3: puts "audio[3]" before the field at fault. */
static int wrap_element(struct error *e, const char *list, size_t i)
{
    char name[32];

    (void)snprintf(name, sizeof(name), "%s[%zu]", list, i);
    error_wrap_field(e, name);
    return -EINVAL;
}

static int check_container(const struct job_output *o,
                           const struct container *c, struct error *e)
{
    if (!(c->video & BIT(o->video.codec))) {
        (void)refuse_codec(e, c, job_video_codec_names, JOB_VIDEO_COUNT,
                           o->video.codec, c->video);
        error_wrap_field(e, "video");
        return -EINVAL;
    }
    for (size_t i = 0; i < o->audio_count; i++) {
        enum job_audio_codec codec = o->audio[i].codec;
        if (!(c->audio & BIT(codec))) {
            (void)refuse_codec(e, c, job_audio_codec_names, JOB_AUDIO_COUNT,
                               codec, c->audio);
            return wrap_element(e, "audio", i);
        }
    }
    for (size_t i = 0; i < o->subtitle_count; i++) {
        enum job_subtitle_codec codec = o->subtitles[i].codec;
        if (!(c->subtitles & BIT(codec))) {
            (void)refuse_codec(e, c, job_subtitle_codec_names,
                               JOB_SUBTITLE_COUNT, codec, c->subtitles);
            return wrap_element(e, "subtitles", i);
        }
    }
    return 0;
}

static int check_streams(const struct job_output *o, struct error *e)
{
    if (o->video.codec == JOB_VIDEO_NONE && o->audio_count == 0 &&
        o->subtitle_count == 0)
        return error_set(e, -EINVAL, "has no stream");

    int r = check_video(&o->video, e);
    if (r < 0) {
        error_wrap_field(e, "video");
        return r;
    }
    for (size_t i = 0; i < o->audio_count; i++) {
        if (check_audio(&o->audio[i], e) < 0)
            return wrap_element(e, "audio", i);
    }
    return 0;
}

static int check_output(const struct job *job, size_t index, struct error *e)
{
    const struct job_output *o = &job->outputs[index];
    enum job_format format = job_output_format(job, index);

    if (format != JOB_FORMAT_BY_PATH) {
        int r = check_container(o, &containers[format], e);
        if (r < 0)
            return r;
    } else if (o->path) {
        return error_set_field(e, -EINVAL, "format",
                               "the name '%s' does not tell the container",
                               strrchr(o->path, '/') + 1);
    }
    return check_streams(o, e);
}

/* An output must not be the input, nor another output. */
static int check_names(const struct job *job, size_t index, struct error *e)
{
    const char *path = job->outputs[index].path;

    if (!path)
        return 0; // a profile
    if (job->input.path && strcmp(path, job->input.path) == 0)
        return error_set_field(e, -EINVAL, "path", "is the input's own");
    for (size_t i = 0; i < index; i++) {
        if (strcmp(path, job->outputs[i].path) == 0)
            return error_set_field(e, -EINVAL, "path", "is outputs[%zu]'s own",
                                   i);
    }
    return 0;
}

int job_check(const void *base, struct error *e)
{
    const struct job *job = base;

    if (job->device && job->hardware == JOB_HARDWARE_NONE)
        return error_set_field(e, -EINVAL, "device",
                               "contradicts 'hardware': 'none' uses no GPU");
    for (size_t i = 0; i < job->output_count; i++) {
        int r = check_names(job, i, e);
        if (r == 0)
            r = check_output(job, i, e);
        if (r < 0)
            return wrap_element(e, "outputs", i);
    }
    return 0;
}
