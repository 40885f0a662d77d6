#include "model/job_table.h"

#include "model/job_check.h"
#include "model/limits.h"

#define SECONDS_MOST 1e7  // of media and of waiting: 115 days
#define RATE_MOST    2e9  // bit/s
#define FRAMES_MOST  1000 // a second
#define STREAM_MOST  1023 // the highest index of a stream

// clang-format off
const char *const job_delivery_names[JOB_DELIVERY_COUNT] = {
    [JOB_COMPLETE] = "complete",
    [JOB_GROWING]  = "growing",
};
const char *const job_priority_names[JOB_PRIORITY_COUNT] = {
    [JOB_NORMAL]   = "normal",
    [JOB_REALTIME] = "realtime",
    [JOB_BATCH]    = "batch",
};
const char *const job_hardware_names[JOB_HARDWARE_COUNT] = {
    [JOB_HARDWARE_AUTO]    = "auto",
    [JOB_HARDWARE_PREFER]  = "prefer",
    [JOB_HARDWARE_REQUIRE] = "require",
    [JOB_HARDWARE_NONE]    = "none",
};
const char *const job_format_names[JOB_FORMAT_COUNT] = {
    [JOB_FORMAT_BY_PATH]  = NULL,
    [JOB_FORMAT_MP4]      = "mp4",
    [JOB_FORMAT_MATROSKA] = "matroska",
    [JOB_FORMAT_MPEGTS]   = "mpegts",
    [JOB_FORMAT_WEBM]     = "webm",
};
const char *const job_video_codec_names[JOB_VIDEO_COUNT] = {
    [JOB_VIDEO_H264] = "h264",
    [JOB_VIDEO_HEVC] = "hevc",
    [JOB_VIDEO_AV1]  = "av1",
    [JOB_VIDEO_VP9]  = "vp9",
    [JOB_VIDEO_COPY] = "copy",
    [JOB_VIDEO_NONE] = "none",
};
const char *const job_audio_codec_names[JOB_AUDIO_COUNT] = {
    [JOB_AUDIO_AAC]    = "aac",
    [JOB_AUDIO_AC3]    = "ac3",
    [JOB_AUDIO_EAC3]   = "eac3",
    [JOB_AUDIO_OPUS]   = "opus",
    [JOB_AUDIO_MP3]    = "mp3",
    [JOB_AUDIO_FLAC]   = "flac",
    [JOB_AUDIO_VORBIS] = "vorbis",
    [JOB_AUDIO_COPY]   = "copy",
};
const char *const job_subtitle_codec_names[JOB_SUBTITLE_COUNT] = {
    [JOB_SUBTITLE_COPY]     = "copy",
    [JOB_SUBTITLE_WEBVTT]   = "webvtt",
    [JOB_SUBTITLE_SRT]      = "srt",
    [JOB_SUBTITLE_ASS]      = "ass",
    [JOB_SUBTITLE_MOV_TEXT] = "mov_text",
};
static const char *const timestamps_names[JOB_TIMESTAMPS_COUNT] = {
    [JOB_TIMESTAMPS_ZERO] = "zero",
    [JOB_TIMESTAMPS_COPY] = "copy",
};
static const char *const metadata_names[JOB_METADATA_COUNT] = {
    [JOB_METADATA_KEEP] = "keep",
    [JOB_METADATA_DROP] = "drop",
};
static const char *const switch_names[] = {[JOB_AUTO] = "auto"};

// They come with the operations of our own, and with segments.
static const char *const switches_to_come[] = {"on", "off", NULL};
static const char *const formats_to_come[] = {"hls", NULL};

/* A value that null leaves to us. */
#define OPEN .flags = FIELD_NULLABLE, .fallback = "null"

#define V struct job_video
static const struct field video_fields[] = {
    {.type = FIELD_GIVEN, .offset = OPTION_FIELD(V, given, bool)},
    {"stream", ROW_INTEGER(V, stream), .most = STREAM_MOST, OPEN},
    {"codec", ROW_ENUM(V, codec, enum job_video_codec, job_video_codec_names),
     .fallback = "\"h264\""},
    {"width", ROW_INTEGER(V, width), .least = 16, .most = LIMITS_SIDE,
     .flags = FIELD_NULLABLE | FIELD_EVEN, .fallback = "null"},
    {"height", ROW_INTEGER(V, height), .least = 16, .most = LIMITS_SIDE,
     .flags = FIELD_NULLABLE | FIELD_EVEN, .fallback = "null"},
    {"max_width", ROW_INTEGER(V, max_width), .least = 16, .most = LIMITS_SIDE,
     OPEN},
    {"max_height", ROW_INTEGER(V, max_height), .least = 16, .most = LIMITS_SIDE,
     OPEN},
    {"frame_rate", ROW_NUMBER(V, frame_rate), .least = 0.1, .most = FRAMES_MOST,
     OPEN},
    {"max_frame_rate", ROW_NUMBER(V, max_frame_rate), .least = 0.1,
     .most = FRAMES_MOST, OPEN},
    {"bitrate", ROW_INTEGER(V, bitrate), .least = 1000, .most = RATE_MOST, OPEN},
    {"max_bitrate", ROW_INTEGER(V, max_bitrate), .least = 1000,
     .most = RATE_MOST, OPEN},
    {"buffer_size", ROW_INTEGER(V, buffer_size), .least = 1000,
     .most = RATE_MOST, OPEN},
    {"quality", ROW_NUMBER(V, quality), .most = 63, OPEN},
    {"preset", ROW_TEXT(V, preset), .bytes = 16, .check = job_check_text,
     .fallback = "\"medium\""},
    {"profile", ROW_TEXT(V, profile), .bytes = 32, .check = job_check_text,
     OPEN},
    {"level", ROW_TEXT(V, level), .bytes = 8, .check = job_check_text, OPEN},
    {"keyframe_interval", ROW_NUMBER(V, keyframe_interval), .most = 600,
     .fallback = "2"},
    {"keyframe_frames", ROW_INTEGER(V, keyframe_frames), .least = 1,
     .most = 100000, OPEN},
    {"b_frames", ROW_INTEGER(V, b_frames), .most = 16, OPEN},
    {"deinterlace", ROW_ENUM(V, deinterlace, enum job_switch, switch_names),
     .reserved = switches_to_come, .fallback = "\"auto\""},
    {"tonemap", ROW_ENUM(V, tonemap, enum job_switch, switch_names),
     .reserved = switches_to_come, .fallback = "\"auto\""},
    {"rotate", ROW_ENUM(V, rotate, enum job_switch, switch_names),
     .reserved = switches_to_come, .fallback = "\"auto\""},
    {"burn_subtitle", .type = FIELD_RESERVED, OPEN},
};
static const struct record video_record = {RECORD(V, video_fields)};
#undef V

#define A struct job_audio
static const struct field audio_fields[] = {
    {.type = FIELD_GIVEN, .offset = OPTION_FIELD(A, given, bool)},
    {"stream", ROW_INTEGER(A, stream), .most = STREAM_MOST, OPEN},
    {"codec", ROW_ENUM(A, codec, enum job_audio_codec, job_audio_codec_names),
     .fallback = "\"aac\""},
    {"channels", ROW_INTEGER(A, channels), .least = 1, .most = 8,
     .fallback = "2"},
    {"bitrate", ROW_INTEGER(A, bitrate), .least = 6000, .most = 6144000,
     .fallback = "128000"},
    {"sample_rate", ROW_INTEGER(A, sample_rate), .least = 8000, .most = 192000,
     OPEN},
    {"volume", ROW_NUMBER(A, volume), .most = 16, .fallback = "1.0"},
};
static const struct record audio_record = {RECORD(A, audio_fields)};
#undef A

#define S struct job_subtitle
static const struct field subtitle_fields[] = {
    {"stream", ROW_INTEGER(S, stream), .most = STREAM_MOST, OPEN},
    {"codec", ROW_ENUM(S, codec, enum job_subtitle_codec,
                       job_subtitle_codec_names),
     .fallback = "\"copy\""},
};
static const struct record subtitle_record = {RECORD(S, subtitle_fields)};
#undef S

#define O struct job_output
static const struct field output_fields[] = {
    {"path", ROW_TEXT(O, path), .bytes = LIMITS_PATH, .check = job_check_path,
     .flags = FIELD_OWN},
    {"format", ROW_ENUM(O, format, enum job_format, job_format_names),
     .reserved = formats_to_come, OPEN},
    {"video", ROW_OBJECT(O, video, &video_record), OPEN},
    {"audio", ROW_LIST(O, audio, struct job_audio *, audio_count,
                       &audio_record),
     .most = LIMITS_STREAMS, OPEN},
    {"subtitles", ROW_LIST(O, subtitles, struct job_subtitle *, subtitle_count,
                           &subtitle_record),
     .most = LIMITS_STREAMS, .fallback = "[]"},
    {"hls", .type = FIELD_RESERVED, OPEN},
    {"timestamps", ROW_ENUM(O, timestamps, enum job_timestamps,
                            timestamps_names),
     .fallback = "\"zero\""},
    {"metadata", ROW_ENUM(O, metadata, enum job_metadata, metadata_names),
     .fallback = "\"keep\""},
};
static const struct record output_record = {RECORD(O, output_fields)};
#undef O

#define I struct job_input
static const struct field input_fields[] = {
    {"path", ROW_TEXT(I, path), .bytes = LIMITS_PATH, .check = job_check_path,
     .flags = FIELD_OWN},
    {"format", ROW_TEXT(I, format), .bytes = LIMITS_TEXT,
     .check = job_check_text, OPEN},
    {"start", ROW_TIME(I, start), .most = SECONDS_MOST, .fallback = "0"},
    {"duration", ROW_TIME(I, duration), .least = 0.001,
     .most = SECONDS_MOST, OPEN},
    {"probe_size", ROW_INTEGER(I, probe_size), .least = 32, .most = 1 << 30,
     OPEN},
    {"analyze_duration", ROW_TIME(I, analyze_duration), .most = 3600, OPEN},
};
static const struct record input_record = {RECORD(I, input_fields)};
#undef I

#define J struct job
static const struct field job_fields[] = {
    {"profile", ROW_TEXT(J, profile), .bytes = LIMITS_TEXT,
     .check = job_check_name, .flags = FIELD_NULLABLE | FIELD_OWN,
     .fallback = "null"},
    {"key", ROW_TEXT(J, key), .bytes = LIMITS_TEXT, .check = job_check_text,
     .flags = FIELD_NULLABLE | FIELD_OWN, .fallback = "null"},
    {"overwrite", ROW_BOOL(J, overwrite), .fallback = "false"},
    {"delivery", ROW_ENUM(J, delivery, enum job_delivery, job_delivery_names),
     .fallback = "\"complete\""},
    {"priority", ROW_ENUM(J, priority, enum job_priority, job_priority_names),
     .fallback = "\"normal\""},
    {"hardware", ROW_ENUM(J, hardware, enum job_hardware, job_hardware_names),
     .fallback = "\"auto\""},
    {"device", ROW_TEXT(J, device), .bytes = LIMITS_DEVICE,
     .check = job_check_device, .flags = FIELD_NULLABLE | FIELD_LATE,
     .fallback = "null"},
    {"timeout", ROW_TIME(J, timeout), .most = SECONDS_MOST, .fallback = "0"},
    {"input", ROW_OBJECT(J, input, &input_record)},
    {"outputs", ROW_LIST(J, outputs, struct job_output *, output_count,
                         &output_record),
     .least = 1, .most = LIMITS_OUTPUTS},
};
#undef J
// clang-format on

const struct record job_record = {
    RECORD(struct job, job_fields),
    .check = job_check,
};
