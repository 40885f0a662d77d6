/*
 * The kernels of scale_cuda: Subsample_METHOD_FROM_TO, and with _uv behind for
 * the colour planes.
 *
 * All four methods are the same sum: up to four texels a side, each with a
 * weight. A method only says which ones and how much, so it runs once a column
 * and once a row instead of once a pixel.
 */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cuda_error.h"
#include "kernel.h"
#include "memory.h"

#define TAPS      4
#define UNSET     999999.0f // FFmpeg's "no parameter given"
#define PARAMETER 13        // of the method, behind all others

struct taps {
    int at[TAPS];
    float weight[TAPS];
};

typedef void take_taps(struct taps *ret, float step, int i, float parameter);

struct method {
    const char *name;
    take_taps *take;
    float round; // added before the fraction is cut off
};

enum layout {
    LAYOUT_PLANAR,
    LAYOUT_PAIRS,  // two planes: Y, and U with V
    LAYOUT_PACKED, // one plane of four channels
};

struct format {
    const char *name;
    enum layout layout;
    int depth;
    bool red_first; // of packed ones
};

static void take_nearest(struct taps *ret, float step, int i, float parameter)
{
    (void)parameter;
    *ret = (struct taps){.at = {(int)floorf(((float)i + 0.5f) * step)},
                         .weight = {1}};
}

/* Half of a linear interpolation around the position @at. */
static void take_half(struct taps *ret, int first, float at)
{
    float left = floorf(at - 0.5f);
    float part = at - 0.5f - left;

    ret->at[first] = (int)left;
    ret->at[first + 1] = (int)left + 1;
    ret->weight[first] = (1 - part) / 2;
    ret->weight[first + 1] = part / 2;
}

/* Two samples, spread apart the more, the more it shrinks. */
static void take_bilinear(struct taps *ret, float step, int i, float parameter)
{
    float centre = ((float)i + 0.5f) * step;
    float spread = fminf(fmaxf(0.5f * (step - 1), 0), 1);

    (void)parameter;
    spread /= 0.5f + spread;
    take_half(ret, 0, centre - spread);
    take_half(ret, 2, centre + spread);
}

/* Positions of the four texels around; returns how far behind the second. */
static float around(struct taps *ret, float step, int i)
{
    float at = ((float)i + 0.5f) * step - 0.5f;
    float left = floorf(at);

    for (int n = 0; n < TAPS; n++)
        ret->at[n] = (int)left - 1 + n;
    return at - left;
}

static void take_bicubic(struct taps *ret, float step, int i, float parameter)
{
    float x = around(ret, step, i);
    float y = 1 - x;
    float a = parameter == UNSET ? 0 : -parameter;
    float *w = ret->weight;

    w[0] = ((a * (x + 1) - 5 * a) * (x + 1) + 8 * a) * (x + 1) - 4 * a;
    w[1] = ((a + 2) * x - (a + 3)) * x * x + 1;
    w[2] = ((a + 2) * y - (a + 3)) * y * y + 1;
    w[3] = 1 - w[0] - w[1] - w[2];
}

static void take_lanczos(struct taps *ret, float step, int i, float parameter)
{
    float x = around(ret, step, i);
    float sum = 0;

    (void)parameter;
    for (int n = 0; n < TAPS; n++) {
        float t = (float)M_PI * (x + 1 - (float)n);
        ret->weight[n] = t == 0 ? 1 : sinf(t) * sinf(t / 2) / (t * t / 2);
        sum += ret->weight[n];
    }
    for (int n = 0; n < TAPS; n++)
        ret->weight[n] /= sum;
}

// clang-format off
static const struct method methods[] = {
    {"Nearest",  take_nearest,  0},
    {"Bilinear", take_bilinear, 0.5f},
    {"Bicubic",  take_bicubic,  0.001f}, // the card cuts fractions off
    {"Lanczos",  take_lanczos,  0.001f},
};

static const struct format formats[] = {
    {"yuv420p",     LAYOUT_PLANAR, 8,  false},
    {"nv12",        LAYOUT_PAIRS,  8,  false},
    {"yuv444p",     LAYOUT_PLANAR, 8,  false},
    {"p010le",      LAYOUT_PAIRS,  10, false},
    {"p016le",      LAYOUT_PAIRS,  16, false},
    {"yuv444p16le", LAYOUT_PLANAR, 16, false},
    {"rgb0",        LAYOUT_PACKED, 8,  true},
    {"bgr0",        LAYOUT_PACKED, 8,  false},
};
// clang-format on

/* 10 bit are kept in the upper bits of 16, as all CUDA formats do. */
static int convert(int value, int from, int to)
{
    if (from == to)
        return value;
    if (to == 8)
        return value >> 8;
    if (from == 8)
        value |= value << 8;
    else if (to == 16)
        return (value & 0xffc0) | (value >> 10);
    return to == 10 ? value & 0xffc0 : value;
}

/* The lines of the texture that make one line of the target. */
struct lines {
    const uint8_t *at[TAPS];
    float weight[TAPS];
    int count;
};

static int clamp(int value, int size)
{
    return value < 0 ? 0 : value >= size ? size - 1 : value;
}

/* What lies outside of a texture is the same as its edge. */
static void find_lines(struct lines *ret, const struct texture *t,
                       const struct taps *row)
{
    ret->count = 0;
    for (int i = 0; i < TAPS; i++) {
        if (row->weight[i] == 0)
            continue;
        ret->at[ret->count] =
            t->texels + (size_t)clamp(row->at[i], t->height) * t->pitch;
        ret->weight[ret->count++] = row->weight[i];
    }
}

static float sample(const struct lines *lines, const struct taps *column,
                    const struct texture *t, int channel)
{
    float sum = 0;
    int at[TAPS];

    for (int i = 0; i < TAPS; i++)
        at[i] = clamp(column->at[i], t->width) * t->channels + channel;
    for (int j = 0; j < lines->count; j++) {
        const uint8_t *bytes = lines->at[j];
        const uint16_t *words = (const void *)bytes;
        float line = 0;
        for (int i = 0; i < TAPS; i++)
            line += column->weight[i] *
                    (float)(t->bytes == 1 ? bytes[at[i]] : words[at[i]]);
        sum += lines->weight[j] * line;
    }
    return sum;
}

/* One channel: where it comes from, and where its samples go. */
struct channel {
    struct texture texture;
    int from;       // channel of the texture
    uint8_t *bytes; // of the plane
    int to;         // channel of the plane
    int step;       // channels of the plane
};

struct scaling {
    const struct method *method;
    const struct format *from;
    const struct format *to;
    int width;
    int height;
    int pitch; // of the target's planes, bytes
    struct taps *columns;
};

static void put(const struct scaling *s, const struct channel *c, int x, int y,
                float value)
{
    int most = s->from->depth == 8 ? 0xff : 0xffff;
    int v = (int)(value + s->method->round);
    uint8_t *row = c->bytes + (size_t)y * (size_t)s->pitch;
    size_t i = (size_t)(x * c->step + c->to);

    v = convert(v < 0 ? 0 : v > most ? most : v, s->from->depth, s->to->depth);
    if (s->to->depth == 8)
        row[i] = (uint8_t)v;
    else
        ((uint16_t *)(void *)row)[i] = (uint16_t)v;
}

static void scale_channel(const struct scaling *s, const struct channel *c,
                          float step, float parameter)
{
    for (int y = 0; y < s->height; y++) {
        struct taps row = {0};
        struct lines lines;
        s->method->take(&row, step, y, parameter);
        find_lines(&lines, &c->texture, &row);
        for (int x = 0; x < s->width; x++)
            put(s, c, x, y,
                sample(&lines, &s->columns[x], &c->texture, c->from));
    }
}

/* Which channels a launch makes: Y, or the colours, or all of packed ones. */
static int list_channels(struct channel ret[4], const struct scaling *s,
                         bool colours, const struct launch *l)
{
    bool packed = s->to->layout == LAYOUT_PACKED;
    bool from_pairs = s->from->layout == LAYOUT_PAIRS;
    bool to_pairs = s->to->layout == LAYOUT_PAIRS;
    int count = packed ? 4 : colours ? 2 : 1;

    for (int i = 0; i < count; i++) {
        struct channel *c = &ret[i];
        bool swap = packed && s->from->red_first != s->to->red_first && i < 3;
        int texture = colours ? (from_pairs ? 1 : 1 + i) : 0;
        int plane = colours ? (to_pairs ? 1 : 1 + i) : 0;
        size_t bytes = s->to->depth == 8 ? 1 : 2;

        c->from = swap ? 2 - i : packed || (colours && from_pairs) ? i : 0;
        c->to = packed || (colours && to_pairs) ? i : 0;
        c->step = packed ? 4 : colours && to_pairs ? 2 : 1;
        c->bytes = memory_rows(kernel_pointer(l, 4 + plane), (size_t)s->pitch,
                               (size_t)(s->width * c->step) * bytes,
                               (size_t)s->height);
        if (!c->bytes || !kernel_texture(&c->texture, l, texture) ||
            c->from >= c->texture.channels ||
            c->texture.bytes != (s->from->depth == 8 ? 1 : 2))
            return -1;
    }
    return count;
}

static CUresult run(const struct kernel *k, const struct launch *l)
{
    struct channel channels[4];
    float parameter;
    struct scaling s = {
        .method = k->detail[0],
        .from = k->detail[1],
        .to = k->detail[2],
        .width = kernel_int(l, 8),
        .height = kernel_int(l, 9),
        .pitch = kernel_int(l, 10),
    };
    size_t length = strlen(k->name);
    bool colours = length > 3 && !strcmp(k->name + length - 3, "_uv");

    if (s.width <= 0 || s.height <= 0 || s.pitch <= 0 || s.width > l->width ||
        s.height > l->height)
        return (CUresult)CUDA_INVALID_VALUE;
    int count = list_channels(channels, &s, colours, l);
    if (count < 0)
        return (CUresult)CUDA_ILLEGAL_ADDRESS;

    memcpy(&parameter, l->parameters[PARAMETER], sizeof(parameter));
    float step_x = (float)kernel_int(l, 11) / (float)s.width;
    float step_y = (float)kernel_int(l, 12) / (float)s.height;
    s.columns = calloc((size_t)s.width, sizeof(s.columns[0]));
    if (!s.columns)
        abort();
    for (int x = 0; x < s.width; x++)
        s.method->take(&s.columns[x], step_x, x, parameter);
    for (int i = 0; i < count; i++)
        scale_channel(&s, &channels[i], step_y, parameter);
    free(s.columns);
    return CUDA_SUCCESS;
}

static const struct format *find_format(const char *name)
{
    for (size_t i = 0; i < sizeof(formats) / sizeof(formats[0]); i++) {
        if (!strcmp(formats[i].name, name))
            return &formats[i];
    }
    return NULL;
}

static const struct method *find_method(const char *name)
{
    for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
        if (!strcmp(methods[i].name, name))
            return &methods[i];
    }
    return NULL;
}

int kernel_find_scale(struct kernel *ret, const char *name)
{
    char method[16], from[16], to[16], tail[8] = "";
    int fields =
        sscanf(name, "Subsample_%15[A-Za-z]_%15[a-z0-9]_%15[a-z0-9]%7s", method,
               from, to, tail);

    if (fields < 3 || (*tail && strcmp(tail, "_uv")))
        return 0;
    const struct method *m = find_method(method);
    const struct format *f = find_format(from), *t = find_format(to);
    if (!m || !f || !t ||
        (f->layout == LAYOUT_PACKED) != (t->layout == LAYOUT_PACKED))
        return 0;
    *ret = (struct kernel){.run = run, .parameters = 14, .detail = {m, f, t}};
    return 1;
}
