#include "media/codec.h"

#include <stddef.h>
#include <string.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

// clang-format off
/* H.264 is 8 bits deep unless asked for more: few players take High 10. */
static const struct codec_format h264_formats[] = {
    {NULL,       0, AV_PIX_FMT_YUV420P, NULL},
    {"baseline", 0, AV_PIX_FMT_YUV420P, NULL},
    {"main",     0, AV_PIX_FMT_YUV420P, NULL},
    {"high",     0, AV_PIX_FMT_YUV420P, NULL},
    {"high10",   0, AV_PIX_FMT_YUV420P10, NULL},
    {"high422",  0, AV_PIX_FMT_YUV422P10, NULL},
    {"high444",  0, AV_PIX_FMT_YUV444P, NULL},
    {NULL,       0, AV_PIX_FMT_NONE, NULL},
};

static const struct codec_format hevc_formats[] = {
    {NULL,     8, AV_PIX_FMT_YUV420P, NULL},
    {NULL,     0, AV_PIX_FMT_YUV420P10, NULL},
    {"main",   0, AV_PIX_FMT_YUV420P, NULL},
    {"main10", 0, AV_PIX_FMT_YUV420P10, NULL},
    {"main12", 0, AV_PIX_FMT_YUV420P12, NULL},
    {NULL,     0, AV_PIX_FMT_NONE, NULL},
};

static const struct codec_format av1_formats[] = {
    {NULL,   8, AV_PIX_FMT_YUV420P, NULL},
    {NULL,   0, AV_PIX_FMT_YUV420P10, NULL},
    {"main", 8, AV_PIX_FMT_YUV420P, NULL},
    {"main", 0, AV_PIX_FMT_YUV420P10, NULL},
    {NULL,   0, AV_PIX_FMT_NONE, NULL},
};

static const struct codec_format vp9_formats[] = {
    {NULL, 8, AV_PIX_FMT_YUV420P, NULL},
    {NULL, 0, AV_PIX_FMT_YUV420P10, NULL},
    {"0",  0, AV_PIX_FMT_YUV420P, NULL},
    {"1",  0, AV_PIX_FMT_YUV444P, NULL},
    {"2",  0, AV_PIX_FMT_YUV420P10, NULL},
    {"3",  0, AV_PIX_FMT_YUV444P10, NULL},
    {NULL, 0, AV_PIX_FMT_NONE, NULL},
};

static const struct codec_format h264_nvenc_formats[] = {
    {NULL,       0, AV_PIX_FMT_NV12, "high"},
    {"baseline", 0, AV_PIX_FMT_NV12, "baseline"},
    {"main",     0, AV_PIX_FMT_NV12, "main"},
    {"high",     0, AV_PIX_FMT_NV12, "high"},
    {NULL,       0, AV_PIX_FMT_NONE, NULL},
};

static const struct codec_format hevc_nvenc_formats[] = {
    {NULL,     8, AV_PIX_FMT_NV12, "main"},
    {NULL,     0, AV_PIX_FMT_P010, "main10"},
    {"main",   0, AV_PIX_FMT_NV12, "main"},
    {"main10", 0, AV_PIX_FMT_P010, "main10"},
    {NULL,     0, AV_PIX_FMT_NONE, NULL},
};

static const struct codec_video on_cpu[JOB_VIDEO_COUNT] = {
    [JOB_VIDEO_H264] = {
        .name = "h264", .id = AV_CODEC_ID_H264, .encoder = "libx264",
        .preset = "preset",
        .presets = {"preset=ultrafast", "preset=veryfast", "preset=medium",
                    "preset=slow", "preset=veryslow"},
        .always = "forced-idr=1",
        .level = "level", .level_prefix = "",
        .quality_option = "crf", .quality = 23, .quality_most = 51,
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
        .quality_option = "crf", .quality = 28, .quality_most = 51,
        .takes_profile = true, .takes_b_frames = true,
        .formats = hevc_formats,
    },
    [JOB_VIDEO_AV1] = {
        .name = "av1", .id = AV_CODEC_ID_AV1, .encoder = "libsvtav1",
        .preset = "preset",
        .presets = {"preset=12", "preset=10", "preset=8", "preset=6",
                    "preset=4"},
        .quality_option = "crf", .quality = 35, .quality_most = 63,
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
        .quality_option = "crf", .quality = 31, .quality_most = 63, .quality_alone = true,
        .takes_profile = true,
        .formats = vp9_formats,
    },
};

/* Options that NVENC's API 11.1 has, and every libav: "surfaces" and what goes
 * with it are planned. A forced key frame is no IDR picture without saying so. */
static const struct codec_video on_cuda[JOB_VIDEO_COUNT] = {
    [JOB_VIDEO_H264] = {
        .name = "h264", .id = AV_CODEC_ID_H264, .encoder = "h264_nvenc",
        .preset = "preset",
        .presets = {"preset=p1", "preset=p2", "preset=p4",
                    "preset=p6:rc-lookahead=16", "preset=p7:rc-lookahead=16"},
        .always = "forced-idr=1:rc=vbr", .constant = "rc=cbr",
        .level = "level", .level_prefix = "",
        .quality_option = "cq", .quality = 25, .quality_most = 51,
        .quality_alone = true,
        .takes_profile = true, .takes_b_frames = true, .holds_pictures = true,
        .formats = h264_nvenc_formats,
    },
    [JOB_VIDEO_HEVC] = {
        .name = "hevc", .id = AV_CODEC_ID_HEVC, .encoder = "hevc_nvenc",
        .preset = "preset",
        .presets = {"preset=p1", "preset=p2", "preset=p4",
                    "preset=p6:rc-lookahead=16", "preset=p7:rc-lookahead=16"},
        .always = "forced-idr=1:rc=vbr", .constant = "rc=cbr",
        .level = "level", .level_prefix = "",
        .quality_option = "cq", .quality = 28, .quality_most = 51,
        .quality_alone = true,
        .takes_profile = true, .takes_b_frames = true, .holds_pictures = true,
        .formats = hevc_nvenc_formats,
    },
};

static const struct codec_video *const videos[MEMORY_COUNT] = {
    [MEMORY_SYSTEM] = on_cpu,
    [MEMORY_CUDA]   = on_cuda,
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

const struct codec_video *codec_find_video(enum job_video_codec codec,
                                           enum memory memory)
{
    const struct codec_video *row = &videos[memory][codec];

    return row->name ? row : NULL;
}

const struct codec_audio *codec_find_audio(enum job_audio_codec codec)
{
    return audios[codec].name ? &audios[codec] : NULL;
}

const struct codec_subtitle *codec_find_subtitle(enum job_subtitle_codec codec)
{
    return subtitles[codec].name ? &subtitles[codec] : NULL;
}

/* Of our five presets. */
struct word {
    const char *word;
    size_t preset;
};

static int find_word(const struct word *words, size_t count, const char *word)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(words[i].word, word) == 0)
            return (int)words[i].preset;
    }
    return -1;
}

const char *codec_preset(const struct codec_video *codec, const char *word)
{
    static const struct word ours[] = {
        {"fastest", 0}, {"fast", 1}, {"medium", 2}, {"slow", 3}, {"slowest", 4},
    };
    // who stands in for somebody is told in his own words
    static const struct word nvencs[] = {
        {"p1", 0}, {"p2", 1}, {"p3", 1}, {"p4", 2},
        {"p5", 2}, {"p6", 3}, {"p7", 4},
    };
    static const struct word x264s[] = {
        {"ultrafast", 0}, {"superfast", 0}, {"veryfast", 1}, {"faster", 1},
        {"slower", 3},    {"veryslow", 4},  {"placebo", 4},
    };
    int i = find_word(ours, COUNT(ours), word);

    if (i < 0)
        i = codec->holds_pictures ? find_word(x264s, COUNT(x264s), word)
                                  : find_word(nvencs, COUNT(nvencs), word);
    return i < 0 ? NULL : codec->presets[i];
}

static bool fits(const struct codec_format *f, const char *profile, int depth)
{
    bool same =
        profile ? f->profile && strcmp(f->profile, profile) == 0 : !f->profile;

    return same && (!f->depth || depth <= f->depth);
}

const struct codec_format *codec_find_format(const struct codec_video *codec,
                                             const char *profile, int depth)
{
    const struct codec_format *f = codec->formats;

    while (f->format != AV_PIX_FMT_NONE && !fits(f, profile, depth))
        f++;
    return f->format == AV_PIX_FMT_NONE ? NULL : f;
}
