#include "media/survey_decoders.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <libavcodec/avcodec.h>

#include "base/error.h"
#include "base/memory.h"
#include "media/hwdevice.h"
#include "media/library.h"
#include "media/survey_words.h"
#include "model/survey.h"

#define LIBRARY "libnvcuvid.so.1"

/* Of NVDEC's ABI, as far as it is needed: CUVIDDECODECAPS. */
struct decode_caps {
    int32_t codec;
    int32_t chroma;
    uint32_t depth_minus_8;
    uint32_t reserved1[3];
    uint8_t is_supported;
    uint8_t engines;
    uint16_t outputs;
    uint32_t width;
    uint32_t height;
    uint32_t macroblocks;
    uint16_t least_width;
    uint16_t least_height;
    uint32_t reserved2[11];
};

struct nvcuvid {
    int (*get_caps)(struct decode_caps *);
};

// clang-format off
static const struct library_symbol symbols[] = {
    {"cuvidGetDecoderCaps", offsetof(struct nvcuvid, get_caps), LIBRARY_NEEDED},
};

/* cudaVideoCodec, by libav's number. */
static const struct {
    enum AVCodecID id;
    int32_t codec;
    int32_t depth; // bits at most that the codec has
} codecs[] = {
    {AV_CODEC_ID_MPEG1VIDEO, 0, 8},
    {AV_CODEC_ID_MPEG2VIDEO, 1, 8},
    {AV_CODEC_ID_MPEG4, 2, 8},
    {AV_CODEC_ID_VC1, 3, 8},
    {AV_CODEC_ID_WMV3, 3, 8},
    {AV_CODEC_ID_H264, 4, 10},
    {AV_CODEC_ID_MJPEG, 5, 8},
    {AV_CODEC_ID_HEVC, 8, 12},
    {AV_CODEC_ID_VP8, 9, 8},
    {AV_CODEC_ID_VP9, 10, 12},
    {AV_CODEC_ID_AV1, 11, 10},
};

/* cudaVideoChromaFormat, by what people call it. */
static const struct {
    int32_t name;
    int32_t chroma;
} chromas[] = {{420, 1}, {422, 2}, {444, 3}};
// clang-format on

static void add(struct survey_device *ret, enum AVCodecID id, int32_t chroma,
                const struct decode_caps *caps)
{
    if (ret->decoder_count == SURVEY_CODECS_MOST)
        return;
    ret->decoders =
        xrealloc(ret->decoders, ret->decoder_count + 1, sizeof(*ret->decoders));
    struct survey_decoder *d = &ret->decoders[ret->decoder_count++];
    *d = (struct survey_decoder){
        .depth = (int32_t)caps->depth_minus_8 + 8,
        .chroma = chroma,
        .least_width = caps->least_width,
        .least_height = caps->least_height,
        .width = (int32_t)caps->width,
        .height = (int32_t)caps->height,
    };
    (void)snprintf(d->codec, sizeof(d->codec), "%s", avcodec_get_name(id));
}

static void ask_codec(struct survey_device *ret, const struct nvcuvid *nvcuvid,
                      size_t row)
{
    size_t count = sizeof(chromas) / sizeof(chromas[0]);

    for (int32_t depth = 8; depth <= codecs[row].depth; depth += 2) {
        for (size_t i = 0; i < count; i++) {
            struct decode_caps caps = {
                .codec = codecs[row].codec,
                .chroma = chromas[i].chroma,
                .depth_minus_8 = (uint32_t)depth - 8,
            };
            if (nvcuvid->get_caps(&caps) == 0 && caps.is_supported)
                add(ret, codecs[row].id, chromas[i].name, &caps);
        }
    }
}

static bool ask(struct survey_device *ret, const struct nvcuvid *nvcuvid)
{
    size_t offered = 0;

    for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
        if (!hwdevice_find_decoder(codecs[i].id, AV_HWDEVICE_TYPE_CUDA))
            continue;
        offered++;
        ask_codec(ret, nvcuvid, i);
    }
    if (offered == 0)
        survey_add_problem(ret, "this build of FFmpeg has no NVDEC: it needs "
                                "--enable-nvdec");
    else if (ret->decoder_count == 0)
        survey_add_problem(ret, "the card decodes nothing that FFmpeg would "
                                "give it");
    return offered == 0 || ret->decoder_count > 0;
}

bool survey_decoders(struct survey_device *ret, struct hwdevice *h)
{
    bool is_sure = false;
    struct nvcuvid nvcuvid;
    struct error e = {0};
    void *library = NULL;

    if (library_open(&library, LIBRARY, symbols,
                     sizeof(symbols) / sizeof(symbols[0]), &nvcuvid, &e) < 0 ||
        hwdevice_enter(h, &e) < 0) {
        survey_add_problem(ret, "there is no decoder (NVDEC): %s", e.text);
    } else {
        is_sure = ask(ret, &nvcuvid);
        hwdevice_leave(h);
    }
    library_close(library);
    return is_sure;
}
