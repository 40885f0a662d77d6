/*
 * job: what a client asks for, as plain data, and its JSON (DESIGN.md 6).
 *
 * A job never changes after it is accepted. It says what is wanted, never how
 * it is done: that is `media/plan.h`. The table in job_table.c has one row a
 * field: name, type, range, default; the parser, the writer and the drift test
 * of job.schema.json read that table.
 *
 * Times are µs here and seconds (numbers) in JSON. Rates are bit/s, sizes
 * bytes. A value that the client left to us is JOB_UNSET for numbers and NULL
 * for strings, and null in JSON.
 */
#ifndef MODEL_JOB_H
#define MODEL_JOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct json_t; // jansson's

#define JOB_UNSET (-1)

enum job_delivery { JOB_COMPLETE, JOB_GROWING, JOB_DELIVERY_COUNT };
enum job_priority {
    JOB_NORMAL, // the default
    JOB_REALTIME,
    JOB_BATCH,
    JOB_PRIORITY_COUNT
};
enum job_hardware {
    JOB_HARDWARE_AUTO,
    JOB_HARDWARE_PREFER,
    JOB_HARDWARE_REQUIRE,
    JOB_HARDWARE_NONE,
    JOB_HARDWARE_COUNT
};
enum job_format {
    JOB_FORMAT_BY_PATH, // null: by the path's extension, see job_output_format()
    JOB_FORMAT_MP4,
    JOB_FORMAT_MATROSKA,
    JOB_FORMAT_MPEGTS,
    JOB_FORMAT_WEBM,
    JOB_FORMAT_COUNT
};
enum job_video_codec {
    JOB_VIDEO_H264,
    JOB_VIDEO_HEVC,
    JOB_VIDEO_AV1,
    JOB_VIDEO_VP9,
    JOB_VIDEO_COPY,
    JOB_VIDEO_NONE,
    JOB_VIDEO_COUNT
};
enum job_audio_codec {
    JOB_AUDIO_AAC,
    JOB_AUDIO_AC3,
    JOB_AUDIO_EAC3,
    JOB_AUDIO_OPUS,
    JOB_AUDIO_MP3,
    JOB_AUDIO_FLAC,
    JOB_AUDIO_VORBIS,
    JOB_AUDIO_COPY,
    JOB_AUDIO_COUNT
};
enum job_subtitle_codec {
    JOB_SUBTITLE_COPY,
    JOB_SUBTITLE_WEBVTT,
    JOB_SUBTITLE_SRT,
    JOB_SUBTITLE_ASS,
    JOB_SUBTITLE_MOV_TEXT,
    JOB_SUBTITLE_COUNT
};
enum job_switch { JOB_AUTO, JOB_ON, JOB_OFF, JOB_SWITCH_COUNT };
enum job_timestamps {
    JOB_TIMESTAMPS_ZERO,
    JOB_TIMESTAMPS_COPY,
    JOB_TIMESTAMPS_COUNT
};
enum job_metadata { JOB_METADATA_KEEP, JOB_METADATA_DROP, JOB_METADATA_COUNT };

struct job_input {
    char *path;               // owned; absolute, or NULL with a profile
    char *format;             // owned; libav's name, NULL: probe
    int64_t start;            // µs, 0: from the beginning
    int64_t duration;         // µs, JOB_UNSET: to the end
    int64_t probe_size;       // bytes, JOB_UNSET: limits' own
    int64_t analyze_duration; // µs, JOB_UNSET: libav's own
};

struct job_video {
    bool given;     // false: "video" was absent, and none in the input is fine
    int64_t stream; // index in the input, JOB_UNSET: as ffmpeg picks
    enum job_video_codec codec;
    int64_t width; // pixels, JOB_UNSET: by the others and the source
    int64_t height;
    int64_t max_width;
    int64_t max_height;
    double frame_rate; // 1/s, JOB_UNSET: the source's (VFR stays VFR)
    double max_frame_rate;
    int64_t bitrate; // bit/s
    int64_t max_bitrate;
    int64_t buffer_size; // bits
    double quality;      // the encoder's own scale (crf, cq), JOB_UNSET
    char *preset;        // owned; ours, or the encoder's own name; never NULL
    char *profile;       // owned; of the codec ("high", "main10"), or NULL
    char *level;         // owned; "4.1", or NULL
    double keyframe_interval; // seconds between forced IDR frames, 2
    int64_t keyframe_frames;  // GOP length in frames, JOB_UNSET
    int64_t b_frames;         // at most so many between references, JOB_UNSET
    enum job_switch deinterlace; // only JOB_AUTO so far
    enum job_switch tonemap;     // only JOB_AUTO so far
    enum job_switch rotate;      // JOB_AUTO or JOB_OFF; only JOB_AUTO so far
};

struct job_audio {
    bool given; // false: "audio" was absent, and none in the input is fine
    int64_t stream;
    enum job_audio_codec codec;
    int64_t channels;    // 2; not more than the source has
    int64_t bitrate;     // bit/s, 128000; ignored by flac
    int64_t sample_rate; // Hz, JOB_UNSET: the source's, if the codec takes it
    double volume;       // factor, 1.0
};

struct job_subtitle {
    int64_t stream;
    enum job_subtitle_codec codec;
};

struct job_output {
    char *path; // owned; absolute
    enum job_format format;
    struct job_video video;
    struct job_audio *audio; // owned; with "audio" absent one that is not given
    size_t audio_count;
    struct job_subtitle *subtitles; // owned
    size_t subtitle_count;
    enum job_timestamps timestamps;
    enum job_metadata metadata;
};

struct job {
    char *profile; // owned; the profile that it was merged over, or NULL
    char *key;     // owned; the client's own name for it, or NULL
    bool overwrite;
    enum job_delivery delivery;
    enum job_priority priority;
    enum job_hardware hardware;
    char *device;    // owned; id of the only GPU it may use, NULL: of any
    int64_t timeout; // µs from start to end, 0: none
    struct job_input input;
    struct job_output *outputs; // owned
    size_t output_count;
};

/*
 * Read @json, which is borrowed. Unknown fields, wrong types, values outside
 * their range, NaN, \u0000, and what contradicts itself are -EINVAL with
 * e->field and the reason. Nothing on disk is looked at.
 *
 * @ret is initialised on success only; the caller calls job_fini().
 */
int job_from_json(struct job *ret, const struct json_t *json, struct error *e);

/* The same for a document of @size bytes, which may be larger than allowed or
 * no JSON at all. */
int job_from_text(struct job *ret, const char *text, size_t size,
                  struct error *e);

/* Is @json a profile: a document like a job's that may leave out what a job
 * must have, and names no paths? 0, or -EINVAL as above. */
int job_check_template(const struct json_t *json, struct error *e);

/* The whole document, defaults filled in; job_from_json() gives the same job
 * back. The caller owns a new reference. */
struct json_t *job_to_json(const struct job *job);

void job_fini(struct job *job);

/* The container that output @index asks for; JOB_FORMAT_BY_PATH when its path
 * has no extension that we know. */
enum job_format job_output_format(const struct job *job, size_t index);

/* Does it encode any video, and how many renditions is that? */
size_t job_renditions(const struct job *job);

const char *job_priority_name(enum job_priority p);
const char *job_hardware_name(enum job_hardware h);
/* -1 when there is no such wish. */
int job_hardware_from_name(const char *name);
const char *job_format_name(enum job_format f);
const char *job_video_codec_name(enum job_video_codec c);
const char *job_audio_codec_name(enum job_audio_codec c);
const char *job_subtitle_codec_name(enum job_subtitle_codec c);

#endif
