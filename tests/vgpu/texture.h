/*
 * texture: texture objects over pitched device memory. Any thread.
 */
#ifndef VGPU_TEXTURE_H
#define VGPU_TEXTURE_H

#include <stddef.h>
#include <stdint.h>

#include <ffnvcodec/dynlink_cuda.h>

/* A texture as a kernel sees it, for the time of a launch. */
struct texture {
    const uint8_t *texels;
    size_t pitch; // bytes
    int width;    // texels
    int height;
    int channels;
    int bytes; // of a channel, 1 or 2
};

/* False when @object is no texture, or its memory is gone. */
int texture_open(struct texture *ret, CUtexObject object);

/* Channel @c of the texel, which is the nearest one when it lies outside. */
static inline int texture_fetch(const struct texture *t, int x, int y, int c)
{
    x = x < 0 ? 0 : x >= t->width ? t->width - 1 : x;
    y = y < 0 ? 0 : y >= t->height ? t->height - 1 : y;
    const uint8_t *row = t->texels + (size_t)y * t->pitch;
    size_t i = (size_t)(x * t->channels + c);

    return t->bytes == 1 ? row[i] : ((const uint16_t *)(const void *)row)[i];
}

#endif
