/* libnvcuvid: what the decoder can do. */
#include "cuvid_caps.h"

#include <string.h>

#include "context.h"
#include "cuda_error.h"
#include "rebuild.h"
#include "settings.h"

#define OLD_CODECS_MAX 4096 // width and height of H.264 and MPEG-2

static const struct {
    const struct rebuilder *rebuilder;
    size_t depth; // the setting with the greatest one
    bool old;
    unsigned least_width;
    unsigned least_height;
} codecs[] = {
    {&rebuilder_h264, offsetof(struct settings, decode_h264), true, 48, 16},
    {&rebuilder_hevc, offsetof(struct settings, decode_hevc), false, 144, 144},
    {&rebuilder_vp9, offsetof(struct settings, decode_vp9), false, 128, 128},
    {&rebuilder_mpeg2, offsetof(struct settings, decode_mpeg2), true, 48, 16},
};

static unsigned short least(int64_t a, bool old)
{
    return (unsigned short)(old && a > OLD_CODECS_MAX ? OLD_CODECS_MAX : a);
}

const struct rebuilder *cuvid_find(cudaVideoCodec codec)
{
    for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
        if (codecs[i].rebuilder->codec == codec)
            return codecs[i].rebuilder;
    }
    return NULL;
}

static void fill(CUVIDDECODECAPS *c, size_t i)
{
    const struct settings *s = settings();
    const char *base = (const char *)s;
    int64_t depth = *(const int64_t *)(const void *)(base + codecs[i].depth);

    if (c->eChromaFormat != cudaVideoChromaFormat_420 ||
        (c->nBitDepthMinus8 % 2) || c->nBitDepthMinus8 + 8 > depth)
        return;
    c->bIsSupported = 1;
    c->nNumNVDECs = 1;
    c->nOutputFormatMask = (unsigned short)(1 << cudaVideoSurfaceFormat_NV12);
    if (c->nBitDepthMinus8)
        c->nOutputFormatMask |= 1 << cudaVideoSurfaceFormat_P016;
    c->nMaxWidth = least(s->decode_width, codecs[i].old);
    c->nMaxHeight = least(s->decode_height, codecs[i].old);
    c->nMaxMBCount = c->nMaxWidth * c->nMaxHeight / 256;
    c->nMinWidth = (unsigned short)codecs[i].least_width;
    c->nMinHeight = (unsigned short)codecs[i].least_height;
}

void cuvid_caps(CUVIDDECODECAPS *c)
{
    CUVIDDECODECAPS empty = {.eCodecType = c->eCodecType,
                             .eChromaFormat = c->eChromaFormat,
                             .nBitDepthMinus8 = c->nBitDepthMinus8};

    *c = empty;
    for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++) {
        if (codecs[i].rebuilder->codec == c->eCodecType)
            fill(c, i);
    }
}

EXPORT tcuvidGetDecoderCaps cuvidGetDecoderCaps;
CUresult cuvidGetDecoderCaps(CUVIDDECODECAPS *c)
{
    CUresult r = context_enter(NEED_CONTEXT);

    if (r == CUDA_SUCCESS)
        cuvid_caps(c);
    return r;
}
