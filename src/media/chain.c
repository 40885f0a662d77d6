#include "media/chain.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <libavutil/pixdesc.h>

#include "media/plan.h"

/* What libav's CUDA filters of every version know, and what they hold the
 * CPU's formats as. */
static const struct {
    enum AVPixelFormat format;
    enum AVPixelFormat device;
} device_formats[] = {
    {AV_PIX_FMT_NV12, AV_PIX_FMT_NV12},
    {AV_PIX_FMT_P010, AV_PIX_FMT_P010},
    {AV_PIX_FMT_YUV420P, AV_PIX_FMT_YUV420P},
    {AV_PIX_FMT_YUV420P10, AV_PIX_FMT_P010},
    {AV_PIX_FMT_YUV444P, AV_PIX_FMT_YUV444P},
};

enum AVPixelFormat chain_device_format(enum AVPixelFormat format)
{
    for (size_t i = 0; i < sizeof(device_formats) / sizeof(device_formats[0]);
         i++) {
        if (device_formats[i].format == format)
            return device_formats[i].device;
    }
    return AV_PIX_FMT_NONE;
}

enum AVPixelFormat chain_plain_format(enum AVPixelFormat format)
{
    static const enum AVPixelFormat pairs[][2] = {
        {AV_PIX_FMT_YUVJ420P, AV_PIX_FMT_YUV420P},
        {AV_PIX_FMT_YUVJ422P, AV_PIX_FMT_YUV422P},
        {AV_PIX_FMT_YUVJ440P, AV_PIX_FMT_YUV440P},
        {AV_PIX_FMT_YUVJ444P, AV_PIX_FMT_YUV444P},
    };

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        if (pairs[i][0] == format)
            return pairs[i][1];
    }
    return format;
}

static void add(struct chain *c, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void add(struct chain *c, const char *name, const char *format, ...)
{
    va_list ap;

    assert(c->count < CHAIN_STEPS_MOST);
    struct chain_step *step = &c->steps[c->count++];
    step->name = name;
    va_start(ap, format);
    (void)vsnprintf(step->text, sizeof(step->text), format, ap);
    va_end(ap);
}

static const char *format_name(enum AVPixelFormat format)
{
    const char *name = av_get_pix_fmt_name(format);

    return name ? name : "none";
}

static void download(struct chain *c, const struct backend *from,
                     struct chain_picture *at)
{
    add(c, from->download, "%s,format=%s", from->download,
        format_name(at->format));
    at->memory = MEMORY_SYSTEM;
}

/* Formats that the device does not know are changed on the way. */
static void upload(struct chain *c, const struct backend *to,
                   struct chain_picture *at)
{
    const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(at->format);
    bool known = chain_device_format(at->format) == at->format;

    if (!known)
        at->format =
            d && d->comp[0].depth > 8 ? AV_PIX_FMT_P010 : AV_PIX_FMT_NV12;
    add(c, to->upload, "%s%s%s%s",
        known ? "" : "format=", known ? "" : format_name(at->format),
        known ? "" : ",", to->upload);
    at->memory = to->memory;
}

/* @device: the one that is not the CPU; there is one at most in a plan. */
static void move(struct chain *c, const struct backend *device,
                 enum memory memory, struct chain_picture *at)
{
    if (at->memory == memory)
        return;
    if (memory == MEMORY_SYSTEM)
        download(c, device, at);
    else
        upload(c, device, at);
}

static void turn(struct chain *c, const struct plan_video *v,
                 struct chain_picture *at)
{
    static const char *const filters[MEDIA_TURN_COUNT] = {
        [MEDIA_CLOCK] = "transpose=clock",
        [MEDIA_CLOCK_FLIP] = "transpose=clock_flip",
        [MEDIA_HALF] = "hflip,vflip",
        [MEDIA_COUNTER] = "transpose=cclock",
        [MEDIA_COUNTER_FLIP] = "transpose=cclock_flip",
        [MEDIA_HFLIP] = "hflip",
        [MEDIA_VFLIP] = "vflip",
    };

    add(c, v->by[OP_TURN]->impl[OP_TURN], "%s", filters[v->turn]);
    if (media_turn_swaps(v->turn)) {
        int width = at->width;
        at->width = at->height;
        at->height = width;
    }
}

/* The range stays what it is, which the filter would not do by itself. */
static void scale_here(struct chain *c, const struct plan_video *v,
                       struct chain_picture *at)
{
    const char *range = at->full_range ? ":in_range=full:out_range=full" : "";

    add(c, backend_cpu.impl[OP_SCALE], "scale=%d:%d:flags=bicubic%s,format=%s",
        v->width, v->height, range, format_name(v->format));
    at->format = v->format;
    at->width = v->width;
    at->height = v->height;
}

/*
 * "param": the sharpness that the CPU's bicubic filter has, too; libav's
 * default is a blur. "passthrough=0": pictures leave the decoder's pool here,
 * also where nothing changes. Its surfaces are few, for every one costs twice,
 * and an encoder knows its pictures by their address: they must not come out of
 * a pool that ends when the stream changes.
 */
static void scale_there(struct chain *c, const struct plan_video *v,
                        enum AVPixelFormat format, struct chain_picture *at)
{
    const char *name = v->by[OP_SCALE]->impl[OP_SCALE];

    add(c, name,
        "%s=%d:%d:format=%s:interp_algo=bicubic:param=0.6:passthrough=0", name,
        v->width, v->height, format_name(format));
    at->format = format;
    at->width = v->width;
    at->height = v->height;
}

static bool is_other(const struct plan_video *v, enum AVPixelFormat format,
                     const struct chain_picture *at)
{
    return at->width != v->width || at->height != v->height ||
           at->format != format;
}

static void scale(struct chain *c, const struct plan_video *v,
                  const struct backend *device, struct chain_picture *at)
{
    const struct backend *by = v->by[OP_SCALE];
    enum AVPixelFormat format = chain_device_format(v->format);
    bool decoded_there = at->memory != MEMORY_SYSTEM;
    bool encoded_there = v->by[OP_ENCODE]->memory != MEMORY_SYSTEM;

    if (by->memory == MEMORY_SYSTEM) {
        if (is_other(v, v->format, at)) {
            move(c, device, MEMORY_SYSTEM, at);
            scale_here(c, v, at);
        }
        return;
    }
    // what is converted behind the transfer anyway is not converted before
    if (!encoded_there && format != v->format && at->width == v->width &&
        at->height == v->height)
        return;
    if (is_other(v, format, at))
        move(c, device, by->memory, at); // which may have been all
    if (is_other(v, format, at) || (decoded_there && encoded_there))
        scale_there(c, v, format, at);
}

static const struct backend *device_of(const struct plan_video *v)
{
    for (enum op op = OP_DECODE; op < OP_COUNT; op++) {
        if (v->by[op]->memory != MEMORY_SYSTEM)
            return v->by[op];
    }
    return NULL;
}

void chain_make(struct chain *ret, const struct plan_video *v,
                const struct chain_picture *from)
{
    const struct backend *device = device_of(v);
    struct chain_picture at = *from;

    at.format = chain_plain_format(at.format);
    ret->count = 0;
    if (v->turn != MEDIA_UPRIGHT) {
        move(ret, device, v->by[OP_TURN]->memory, &at);
        turn(ret, v, &at);
    }
    if (v->fixed_rate.num)
        add(ret, backend_cpu.impl[OP_RATE], "%s=%d/%d",
            backend_cpu.impl[OP_RATE], v->fixed_rate.num, v->fixed_rate.den);
    scale(ret, v, device, &at);
    move(ret, device, v->by[OP_ENCODE]->memory, &at);
    if (at.memory == MEMORY_SYSTEM && at.format != v->format)
        scale_here(ret, v, &at);
}

void chain_describe(const struct chain *chain, char *text, size_t size)
{
    size_t used = 0;

    (void)snprintf(text, size, "null");
    for (size_t i = 0; i < chain->count && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s",
                                 used ? "," : "", chain->steps[i].text);
}
