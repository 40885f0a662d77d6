/*
 * The kernels of yadif_cuda: lines of one field stay, those of the other are
 * guessed from their neighbours in the picture and in time.
 */
#include <stdlib.h>
#include <string.h>

#include "cuda_error.h"
#include "kernel.h"
#include "memory.h"

enum parameter {
    TARGET,
    PREVIOUS,
    CURRENT,
    NEXT,
    WIDTH,
    HEIGHT,
    PITCH, // in elements, which are pairs for the colours of NV12
    SOURCE_WIDTH,
    SOURCE_HEIGHT,
    PARITY,
    TOP_FIRST,
    NO_SPATIAL_CHECK,
    PARAMETERS
};

struct element {
    const char *name;
    int channels;
    int bytes;
};

static const struct element elements[] = {
    {"yadif_uchar", 1, 1},
    {"yadif_ushort", 1, 2},
    {"yadif_uchar2", 2, 1},
    {"yadif_ushort2", 2, 2},
};

/* What one channel of one launch reads. */
struct view {
    struct texture previous, current, next;
    const struct texture *before, *after; // frames of the missing field
    int channel;
    int skip_check;
};

static int least(int a, int b)
{
    return a < b ? a : b;
}

static int most(int a, int b)
{
    return a > b ? a : b;
}

/* How unlike the lines above and below are along a direction. */
static int score(const struct view *v, int x, int y, int slant)
{
    int sum = 0;

    for (int i = -1; i <= 1; i++) {
        int above =
            texture_fetch(&v->current, x + i + slant, y - 1, v->channel);
        int below =
            texture_fetch(&v->current, x + i - slant, y + 1, v->channel);
        sum += abs(above - below);
    }
    return sum;
}

static int along(const struct view *v, int x, int y, int slant)
{
    return (texture_fetch(&v->current, x + slant, y - 1, v->channel) +
            texture_fetch(&v->current, x - slant, y + 1, v->channel)) /
           2;
}

/* The mean along the direction in which the picture changes least; the steep
 * ones are tried only behind a shallow one that was better. */
static int spatial(const struct view *v, int x, int y)
{
    int best = score(v, x, y, 0);
    int slant = 0;

    for (int side = -1; side <= 1; side += 2) {
        for (int step = 1; step <= 2; step++) {
            int s = score(v, x, y, side * step);
            if (s >= best)
                break;
            best = s;
            slant = side * step;
        }
    }
    return along(v, x, y, slant);
}

/* The mean of both neighbours in time. */
static int between(const struct view *v, int x, int y)
{
    return (texture_fetch(v->before, x, y, v->channel) +
            texture_fetch(v->after, x, y, v->channel)) /
           2;
}

static int moved(const struct view *v, const struct texture *other, int x,
                 int y)
{
    int c = v->channel;

    return (abs(texture_fetch(other, x, y - 1, c) -
                texture_fetch(&v->current, x, y - 1, c)) +
            abs(texture_fetch(other, x, y + 1, c) -
                texture_fetch(&v->current, x, y + 1, c))) /
           2;
}

/* Keep the spatial guess as near to the temporal one as there is movement. */
static int guess(const struct view *v, int x, int y)
{
    int c = v->channel;
    int p0 = between(v, x, y - 2), p2 = between(v, x, y);
    int p4 = between(v, x, y + 2);
    int p1 = texture_fetch(&v->current, x, y - 1, c);
    int p3 = texture_fetch(&v->current, x, y + 1, c);
    int diff = abs(texture_fetch(v->before, x, y, c) -
                   texture_fetch(v->after, x, y, c));

    diff = most(diff,
                most(moved(v, &v->previous, x, y), moved(v, &v->next, x, y)));
    if (!v->skip_check) {
        int high = most(most(p2 - p3, p2 - p1), least(p0 - p1, p4 - p3));
        int low = least(least(p2 - p3, p2 - p1), most(p0 - p1, p4 - p3));
        diff = most(diff, most(low, -high));
    }
    return most(least(spatial(v, x, y), p2 + diff), p2 - diff);
}

static int open_view(struct view *v, const struct launch *l)
{
    int second = !(kernel_int(l, PARITY) ^ kernel_int(l, TOP_FIRST));

    if (!kernel_texture(&v->previous, l, PREVIOUS) ||
        !kernel_texture(&v->current, l, CURRENT) ||
        !kernel_texture(&v->next, l, NEXT))
        return 0;
    v->before = second ? &v->current : &v->previous;
    v->after = second ? &v->next : &v->current;
    v->skip_check = *(const unsigned char *)l->parameters[NO_SPATIAL_CHECK];
    return 1;
}

static CUresult run(const struct kernel *k, const struct launch *l)
{
    const struct element *e = k->detail[0];
    int width = kernel_int(l, WIDTH), height = kernel_int(l, HEIGHT);
    size_t size = (size_t)(e->channels * e->bytes);
    size_t pitch = (size_t)kernel_int(l, PITCH) * size;
    struct view v = {0};

    if (width <= 0 || height <= 0)
        return (CUresult)CUDA_INVALID_VALUE;
    uint8_t *target = memory_rows(kernel_pointer(l, TARGET), pitch,
                                  (size_t)width * size, (size_t)height);
    if (!target || !open_view(&v, l) || v.current.channels != e->channels ||
        v.current.bytes != e->bytes)
        return (CUresult)CUDA_ILLEGAL_ADDRESS;

    for (int y = 0; y < height; y++) {
        uint8_t *row = target + (size_t)y * pitch;
        for (int i = 0; i < width * e->channels; i++) {
            int x = i / e->channels;
            v.channel = i % e->channels;
            int value = y % 2 == kernel_int(l, PARITY)
                            ? texture_fetch(&v.current, x, y, v.channel)
                            : guess(&v, x, y);
            if (e->bytes == 1)
                row[i] = (uint8_t)value;
            else
                ((uint16_t *)(void *)row)[i] = (uint16_t)value;
        }
    }
    return CUDA_SUCCESS;
}

int kernel_find_yadif(struct kernel *ret, const char *name)
{
    for (size_t i = 0; i < sizeof(elements) / sizeof(elements[0]); i++) {
        if (strcmp(elements[i].name, name))
            continue;
        *ret = (struct kernel){
            .run = run, .parameters = PARAMETERS, .detail = {&elements[i]}};
        return 1;
    }
    return 0;
}
