/*
 * codec: the encoders as rows of tables, and how our words are said to each.
 *
 * `preset` fastest, fast, medium, slow, slowest mean:
 *
 *   libx264, libx265  ultrafast, veryfast, medium, slow, veryslow
 *   libsvtav1         12, 10, 8, 6, 4
 *   libvpx-vp9        deadline realtime with cpu-used 8, then good with 5, 3, 2
 *                     and 1
 *
 *   NVENC             p1, p2, p4, p6, p7, the last two with look-ahead
 *
 * NVENC's p1 to p7 are spread over them, for the CPU may stand in for it, and
 * x264's words over NVENC's. Any other word is the encoder's own and goes
 * through to it.
 */
#ifndef MEDIA_CODEC_H
#define MEDIA_CODEC_H

#include <stdbool.h>

#include <libavcodec/codec_id.h>
#include <libavutil/pixfmt.h>

#include "media/backend.h"
#include "model/job.h"

#define CODEC_PRESETS 5

/* What a picture is stored as. */
struct codec_format {
    const char *profile; // as the job says it, NULL: none
    int depth;           // of the source, 0: any
    enum AVPixelFormat format;
    const char *option; // how the encoder calls the profile, NULL: as the job
};

struct codec_video {
    const char *name; // ours, "h264"
    enum AVCodecID id;
    const char *encoder; // libav's
    const char *preset;  // the option for an encoder's own preset
    const char *presets[CODEC_PRESETS]; // "option=value:…"
    const char *always;                 // "option=value:…"
    const char *level;                  // the option, NULL: takes none
    const char *level_prefix;           // of its value
    const char *constant; // "option=value:…" of a rate that never varies
    const char *quality_option; // "crf"
    double quality;             // when nothing else says how much
    double quality_most;
    bool quality_alone; // needs bitrate 0 beside its quality
    bool takes_profile; // as its option "profile"
    bool takes_b_frames;
    bool holds_pictures; // in surfaces, which are counted
    bool keys_by_length; // forces no key frames, only has a GOP's length
    const struct codec_format *formats; // the first that fits, ended by none
};

struct codec_audio {
    const char *name;
    enum AVCodecID id;
    const char *encoder;
    bool lossless; // takes no bitrate
    int channels_most;
};

struct codec_subtitle {
    const char *name;
    enum AVCodecID id;
    const char *encoder;
};

/* Of an encoder that takes pictures from @memory; NULL for copy, none, and what
 * there is no such encoder for. */
const struct codec_video *codec_find_video(enum job_video_codec codec,
                                           enum memory memory);
const struct codec_audio *codec_find_audio(enum job_audio_codec codec);
const struct codec_subtitle *codec_find_subtitle(enum job_subtitle_codec codec);

/* "option=value:…" for @word; NULL when it is the encoder's own. */
const char *codec_preset(const struct codec_video *codec, const char *word);

/* The format for a source of @depth bits; NULL when the codec has no such
 * profile. */
const struct codec_format *codec_find_format(const struct codec_video *codec,
                                             const char *profile, int depth);

#endif
