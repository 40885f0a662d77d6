#include "model/job.h"

#include <string.h>
#include <strings.h>

#include <jansson.h>

#include "base/error.h"
#include "model/document.h"
#include "model/field.h"
#include "model/job_table.h"
#include "model/limits.h"

int job_from_json(struct job *ret, const struct json_t *json, struct error *e)
{
    return record_from_json(&job_record, ret, json, RECORD_WHOLE, e);
}

int job_from_text(struct job *ret, const char *text, size_t size,
                  struct error *e)
{
    json_t *json = NULL;
    int r = document_parse(&json, text, size, LIMITS_DOCUMENT, e);

    if (r == 0)
        r = job_from_json(ret, json, e);
    json_decref(json);
    return r;
}

int job_check_template(const struct json_t *json, struct error *e)
{
    struct job job;
    int r = record_from_json(&job_record, &job, json, RECORD_TEMPLATE, e);

    if (r == 0)
        job_fini(&job);
    return r;
}

struct json_t *job_to_json(const struct job *job)
{
    return record_to_json(&job_record, job);
}

void job_fini(struct job *job)
{
    record_fini(&job_record, job);
}

/* The container that a file of this name is expected to be. */
static enum job_format format_by_path(const char *path)
{
    // clang-format off
    static const struct {
        const char *extension;
        enum job_format format;
    } extensions[] = {
        {".mp4",  JOB_FORMAT_MP4},      {".m4v", JOB_FORMAT_MP4},
        {".m4a",  JOB_FORMAT_MP4},      {".mov", JOB_FORMAT_MP4},
        {".mkv",  JOB_FORMAT_MATROSKA}, {".mka", JOB_FORMAT_MATROSKA},
        {".mks",  JOB_FORMAT_MATROSKA}, {".ts",  JOB_FORMAT_MPEGTS},
        {".m2ts", JOB_FORMAT_MPEGTS},   {".mts", JOB_FORMAT_MPEGTS},
        {".webm", JOB_FORMAT_WEBM},
    };
    // clang-format on
    const char *dot = path ? strrchr(path, '.') : NULL;

    for (size_t i = 0; dot && i < sizeof(extensions) / sizeof(extensions[0]);
         i++) {
        if (strcasecmp(dot, extensions[i].extension) == 0)
            return extensions[i].format;
    }
    return JOB_FORMAT_BY_PATH;
}

enum job_format job_output_format(const struct job *job, size_t index)
{
    const struct job_output *o = &job->outputs[index];

    return o->format != JOB_FORMAT_BY_PATH ? o->format
                                           : format_by_path(o->path);
}

size_t job_renditions(const struct job *job)
{
    size_t n = 0;

    for (size_t i = 0; i < job->output_count; i++) {
        enum job_video_codec codec = job->outputs[i].video.codec;
        n += codec != JOB_VIDEO_COPY && codec != JOB_VIDEO_NONE;
    }
    return n;
}

const char *job_priority_name(enum job_priority p)
{
    return job_priority_names[p];
}

const char *job_hardware_name(enum job_hardware h)
{
    return job_hardware_names[h];
}

int job_hardware_from_name(const char *name)
{
    return field_name_index(job_hardware_names, JOB_HARDWARE_COUNT, name);
}

const char *job_format_name(enum job_format f)
{
    return job_format_names[f];
}

const char *job_video_codec_name(enum job_video_codec c)
{
    return job_video_codec_names[c];
}

const char *job_audio_codec_name(enum job_audio_codec c)
{
    return job_audio_codec_names[c];
}

const char *job_subtitle_codec_name(enum job_subtitle_codec c)
{
    return job_subtitle_codec_names[c];
}
