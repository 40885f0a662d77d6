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
 * NVENC's p1 to p7 are spread over them, for the CPU may stand in for it. Any
 * other word is the encoder's own and goes through to it.
 */
#ifndef MEDIA_CODEC_H
#define MEDIA_CODEC_H

#include <stdbool.h>

#include <libavcodec/codec_id.h>
#include <libavutil/pixfmt.h>

#include "model/job.h"

#define CODEC_PRESETS 5

/* What a picture is stored as. */
struct codec_format {
    const char *profile; // as the job says it, NULL: none
    int depth;           // of the source, 0: any
    enum AVPixelFormat format;
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
    double quality;                     // when nothing else says how much
    double quality_most;
    bool quality_alone; // needs bitrate 0 beside its quality
    bool takes_profile; // as its option "profile"
    bool takes_b_frames;
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

/* NULL for copy and none. */
const struct codec_video *codec_find_video(enum job_video_codec codec);
const struct codec_audio *codec_find_audio(enum job_audio_codec codec);
const struct codec_subtitle *codec_find_subtitle(enum job_subtitle_codec codec);

/* "option=value:…" for @word; NULL when it is the encoder's own. */
const char *codec_preset(const struct codec_video *codec, const char *word);

/* AV_PIX_FMT_NONE when the codec has no such profile. */
enum AVPixelFormat codec_pixel_format(const struct codec_video *codec,
                                      const char *profile, int depth);

#endif
