#include "media/absence.h"

#include <stdbool.h>
#include <stdio.h>

#include <libavcodec/avcodec.h>
#include <libavfilter/avfilter.h>

#include "model/diagnosis.h"

static bool has_encoder(const char *name)
{
    return avcodec_find_encoder_by_name(name);
}

static bool has_filter(const char *name)
{
    return avfilter_get_by_name(name);
}

/* libav's own decoder of that name, with NVDEC under it. */
static bool has_nvdec(const char *name)
{
    const AVCodec *codec = avcodec_find_decoder_by_name(name);
    const AVCodecHWConfig *how;

    for (int i = 0; codec && (how = avcodec_get_hw_config(codec, i)); i++) {
        if (how->device_type == AV_HWDEVICE_TYPE_CUDA)
            return true;
    }
    return false;
}

enum need { NEED_RARE, NEED_COMMON };
enum place { PLACE_CPU, PLACE_GPU };

// clang-format off
static const struct {
    const char *kind;
    bool (*has)(const char *name);
    const char *name;
    enum place place;
    enum need need;
} parts[] = {
    {"encoder", has_encoder, "libx264",       PLACE_CPU, NEED_COMMON},
    {"encoder", has_encoder, "libx265",       PLACE_CPU, NEED_COMMON},
    {"encoder", has_encoder, "libsvtav1",     PLACE_CPU, NEED_RARE},
    {"encoder", has_encoder, "libvpx-vp9",    PLACE_CPU, NEED_RARE},
    {"encoder", has_encoder, "aac",           PLACE_CPU, NEED_COMMON},
    {"encoder", has_encoder, "ac3",           PLACE_CPU, NEED_RARE},
    {"encoder", has_encoder, "eac3",          PLACE_CPU, NEED_RARE},
    {"encoder", has_encoder, "libopus",       PLACE_CPU, NEED_RARE},
    {"encoder", has_encoder, "libmp3lame",    PLACE_CPU, NEED_RARE},
    {"encoder", has_encoder, "flac",          PLACE_CPU, NEED_RARE},
    {"encoder", has_encoder, "libvorbis",     PLACE_CPU, NEED_RARE},
    {"filter",  has_filter,  "scale",         PLACE_CPU, NEED_COMMON},
    {"filter",  has_filter,  "fps",           PLACE_CPU, NEED_COMMON},
    {"filter",  has_filter,  "transpose",     PLACE_CPU, NEED_COMMON},
    {"filter",  has_filter,  "yadif",         PLACE_CPU, NEED_COMMON},
    {"filter",  has_filter,  "aresample",     PLACE_CPU, NEED_COMMON},
    {"nvdec",   has_nvdec,   "h264",          PLACE_GPU, NEED_COMMON},
    {"nvdec",   has_nvdec,   "hevc",          PLACE_GPU, NEED_COMMON},
    {"nvdec",   has_nvdec,   "vp9",           PLACE_GPU, NEED_RARE},
    {"nvdec",   has_nvdec,   "mpeg2video",    PLACE_GPU, NEED_RARE},
    {"filter",  has_filter,  "scale_cuda",    PLACE_GPU, NEED_COMMON},
    {"filter",  has_filter,  "hwupload_cuda", PLACE_GPU, NEED_COMMON},
    {"filter",  has_filter,  "yadif_cuda",    PLACE_GPU, NEED_RARE},
    {"encoder", has_encoder, "h264_nvenc",    PLACE_GPU, NEED_COMMON},
    {"encoder", has_encoder, "hevc_nvenc",    PLACE_GPU, NEED_COMMON},
};
// clang-format on

size_t absence_find(struct diagnosis_absence *ret, size_t room)
{
    size_t count = 0;

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (parts[i].has(parts[i].name) || count++ >= room)
            continue;
        struct diagnosis_absence *a = &ret[count - 1];
        (void)snprintf(a->kind, sizeof(a->kind), "%s", parts[i].kind);
        (void)snprintf(a->name, sizeof(a->name), "%s", parts[i].name);
        a->is_gpu = parts[i].place == PLACE_GPU;
        a->is_needed = parts[i].need == NEED_COMMON;
    }
    return count;
}
