/* Input formats, taken apart into planes. */
#include <stddef.h>
#include <string.h>

#include "nvenc.h"

#define SPARE_BITS 6 // of 16, below the 10 that are used

// clang-format off
static const struct {
    NV_ENC_BUFFER_FORMAT format;
    int depth;
    bool pairs;       // U and V of a pixel side by side
    bool v_first;
    bool full_chroma;
} formats[] = {
    {NV_ENC_BUFFER_FORMAT_NV12,         8,  true,  false, false},
    {NV_ENC_BUFFER_FORMAT_YV12,         8,  false, true,  false},
    {NV_ENC_BUFFER_FORMAT_IYUV,         8,  false, false, false},
    {NV_ENC_BUFFER_FORMAT_YUV444,       8,  false, false, true},
    {NV_ENC_BUFFER_FORMAT_YUV420_10BIT, 10, true,  false, false},
    {NV_ENC_BUFFER_FORMAT_YUV444_10BIT, 10, false, false, true},
};
// clang-format on

static int find(NV_ENC_BUFFER_FORMAT format)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (formats[i].format == format)
            return (int)i;
    }
    return -1;
}

int planar_depth(NV_ENC_BUFFER_FORMAT format)
{
    int i = find(format);

    return i < 0 ? 0 : formats[i].depth;
}

int planar_bytes(NV_ENC_BUFFER_FORMAT format)
{
    return planar_depth(format) > 8 ? 2 : 1;
}

bool planar_full_chroma(NV_ENC_BUFFER_FORMAT format)
{
    int i = find(format);

    return i >= 0 && formats[i].full_chroma;
}

size_t planar_size(NV_ENC_BUFFER_FORMAT format, size_t pitch, size_t height)
{
    size_t luma;
    int i = find(format);

    if (i < 0 || height > 65536 || __builtin_mul_overflow(pitch, height, &luma))
        return 0;
    return formats[i].full_chroma ? 3 * luma : luma + luma / 2;
}

/* One row: samples @step apart, moved down if there are spare bits. */
static void copy_row(uint8_t *to, const uint8_t *from, int width, int step,
                     int depth)
{
    const uint16_t *wide = (const void *)from;

    if (depth == 8 && step == 1) {
        memcpy(to, from, (size_t)width);
        return;
    }
    for (int x = 0; x < width && depth > 8; x++)
        ((uint16_t *)(void *)to)[x] = (uint16_t)(wide[x * step] >> SPARE_BITS);
    for (int x = 0; x < width && depth == 8; x++)
        to[x] = from[x * step];
}

void planar_split(struct inner_picture *p, uint8_t *room,
                  const struct inner_config *c, const uint8_t *from,
                  size_t pitch, size_t height, NV_ENC_BUFFER_FORMAT format)
{
    int f = find(format);
    int bytes = planar_bytes(format);
    bool full = formats[f].full_chroma, pairs = formats[f].pairs;

    for (int i = 0; i < 3; i++) {
        int width = i && !full ? c->width / 2 : c->width;
        int rows = i && !full ? c->height / 2 : c->height;
        size_t stride = i && !full && !pairs ? pitch / 2 : pitch;
        size_t plane_size = full ? pitch * height : pitch * height / 4;
        int place = i == 2 ? !formats[f].v_first : formats[f].v_first;
        const uint8_t *plane = from;

        if (i)
            plane += pitch * height + (pairs ? (size_t)(place * bytes)
                                             : (size_t)place * plane_size);
        p->planes[i] = room;
        p->strides[i] = width * bytes;
        for (int y = 0; y < rows; y++) {
            copy_row(room, plane + (size_t)y * stride, width,
                     i && pairs ? 2 : 1, formats[f].depth);
            room += width * bytes;
        }
    }
}
