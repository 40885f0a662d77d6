#include "media/codec.h"

#include <stddef.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

// clang-format off
/* H.264 is 8 bits deep unless asked for more: few players take High 10. */
static const struct codec_format h264_formats[] = {
    {NULL,       0, AV_PIX_FMT_YUV420P},
    {"baseline", 0, AV_PIX_FMT_YUV420P},
    {"main",     0, AV_PIX_FMT_YUV420P},
    {"high",     0, AV_PIX_FMT_YUV420P},
    {"high10",   0, AV_PIX_FMT_YUV420P10},
    {"high422",  0, AV_PIX_FMT_YUV422P10},
    {"high444",  0, AV_PIX_FMT_YUV444P},
    {NULL,       0, AV_PIX_FMT_NONE},
};

static const struct codec_format hevc_formats[] = {
    {NULL,     8, AV_PIX_FMT_YUV420P},
    {NULL,     0, AV_PIX_FMT_YUV420P10},
    {"main",   0, AV_PIX_FMT_YUV420P},
    {"main10", 0, AV_PIX_FMT_YUV420P10},
    {"main12", 0, AV_PIX_FMT_YUV420P12},
    {NULL,     0, AV_PIX_FMT_NONE},
};

static const struct codec_format av1_formats[] = {
    {NULL,   8, AV_PIX_FMT_YUV420P},
    {NULL,   0, AV_PIX_FMT_YUV420P10},
    {"main", 8, AV_PIX_FMT_YUV420P},
    {"main", 0, AV_PIX_FMT_YUV420P10},
    {NULL,   0, AV_PIX_FMT_NONE},
};

static const struct codec_format vp9_formats[] = {
    {NULL, 8, AV_PIX_FMT_YUV420P},
    {NULL, 0, AV_PIX_FMT_YUV420P10},
    {"0",  0, AV_PIX_FMT_YUV420P},
    {"1",  0, AV_PIX_FMT_YUV444P},
    {"2",  0, AV_PIX_FMT_YUV420P10},
    {"3",  0, AV_PIX_FMT_YUV444P10},
    {NULL, 0, AV_PIX_FMT_NONE},
};

static const struct codec_video videos[JOB_VIDEO_COUNT] = {
    [JOB_VIDEO_H264] = {
        .name = "h264", .id = AV_CODEC_ID_H264, .encoder = "libx264",
        .preset = "preset",
        .presets = {"preset=ultrafast", "preset=veryfast", "preset=medium",
                    "preset=slow", "preset=veryslow"},
        .always = "forced-idr=1",
        .level = "level", .level_prefix = "",
        .quality = 23, .quality_most = 51,
        .takes_profile = true, .takes_b_frames = true,
        .formats = h264_formats,
    },
    [JOB_VIDEO_HEVC] = {
        .name = "hevc", .id = AV_CODEC_ID_HEVC, .encoder = "libx265",
        .preset = "preset",
        .presets = {"preset=ultrafast", "preset=veryfast", "preset=medium",
                    "preset=slow", "preset=veryslow"},
        .always = "forced-idr=1:x265-params=log-level=warning",
        .level = "x265-params",
        .level_prefix = "log-level=warning:level-idc=",
        .quality = 28, .quality_most = 51,
        .takes_profile = true, .takes_b_frames = true,
        .formats = hevc_formats,
    },
    [JOB_VIDEO_AV1] = {
        .name = "av1", .id = AV_CODEC_ID_AV1, .encoder = "libsvtav1",
        .preset = "preset",
        .presets = {"preset=12", "preset=10", "preset=8", "preset=6",
                    "preset=4"},
        .quality = 35, .quality_most = 63,
        .keys_by_length = true,
        .formats = av1_formats,
    },
    [JOB_VIDEO_VP9] = {
        .name = "vp9", .id = AV_CODEC_ID_VP9, .encoder = "libvpx-vp9",
        .preset = "cpu-used",
        .presets = {"deadline=realtime:cpu-used=8", "deadline=good:cpu-used=5",
                    "deadline=good:cpu-used=3", "deadline=good:cpu-used=2",
                    "deadline=good:cpu-used=1"},
        .always = "row-mt=1",
        .quality = 31, .quality_most = 63, .quality_alone = true,
        .takes_profile = true,
        .formats = vp9_formats,
    },
};

static const struct codec_audio audios[JOB_AUDIO_COUNT] = {
    [JOB_AUDIO_AAC]    = {"aac",    AV_CODEC_ID_AAC,    "aac",        false, 8},
    [JOB_AUDIO_AC3]    = {"ac3",    AV_CODEC_ID_AC3,    "ac3",        false, 6},
    [JOB_AUDIO_EAC3]   = {"eac3",   AV_CODEC_ID_EAC3,   "eac3",       false, 6},
    [JOB_AUDIO_OPUS]   = {"opus",   AV_CODEC_ID_OPUS,   "libopus",    false, 8},
    [JOB_AUDIO_MP3]    = {"mp3",    AV_CODEC_ID_MP3,    "libmp3lame", false, 2},
    [JOB_AUDIO_FLAC]   = {"flac",   AV_CODEC_ID_FLAC,   "flac",       true,  8},
    [JOB_AUDIO_VORBIS] = {"vorbis", AV_CODEC_ID_VORBIS, "libvorbis",  false, 8},
};

static const struct codec_subtitle subtitles[JOB_SUBTITLE_COUNT] = {
    [JOB_SUBTITLE_WEBVTT]   = {"webvtt",   AV_CODEC_ID_WEBVTT,   "webvtt"},
    [JOB_SUBTITLE_SRT]      = {"srt",      AV_CODEC_ID_SUBRIP,   "srt"},
    [JOB_SUBTITLE_ASS]      = {"ass",      AV_CODEC_ID_ASS,      "ass"},
    [JOB_SUBTITLE_MOV_TEXT] = {"mov_text", AV_CODEC_ID_MOV_TEXT, "mov_text"},
};
// clang-format on

const struct codec_video *codec_find_video(enum job_video_codec codec)
{
    return videos[codec].name ? &videos[codec] : NULL;
}

const struct codec_audio *codec_find_audio(enum job_audio_codec codec)
{
    return audios[codec].name ? &audios[codec] : NULL;
}

const struct codec_subtitle *codec_find_subtitle(enum job_subtitle_codec codec)
{
    return subtitles[codec].name ? &subtitles[codec] : NULL;
}

const char *codec_preset(const struct codec_video *codec, const char *word)
{
    // NVENC's names mean the same on the CPU, which may have to stand in
    static const struct {
        const char *word;
        size_t preset;
    } words[] = {
        {"fastest", 0}, {"fast", 1}, {"medium", 2}, {"slow", 3},
        {"slowest", 4}, {"p1", 0},   {"p2", 1},     {"p3", 1},
        {"p4", 2},      {"p5", 2},   {"p6", 3},     {"p7", 4},
    };

    for (size_t i = 0; i < COUNT(words); i++) {
        if (strcmp(words[i].word, word) == 0)
            return codec->presets[words[i].preset];
    }
    return NULL;
}

static bool fits(const struct codec_format *f, const char *profile, int depth)
{
    bool same =
        profile ? f->profile && strcmp(f->profile, profile) == 0 : !f->profile;

    return same && (!f->depth || depth <= f->depth);
}

enum AVPixelFormat codec_pixel_format(const struct codec_video *codec,
                                      const char *profile, int depth)
{
    const struct codec_format *f = codec->formats;

    while (f->format != AV_PIX_FMT_NONE && !fits(f, profile, depth))
        f++;
    return f->format;
}
