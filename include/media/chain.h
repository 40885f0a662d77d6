/*
 * chain: what happens to pictures between their decoder and their encoder.
 *
 * Pure: a plan of a picture and the pictures as they come → steps in order,
 * each by the backend that was planned for it, with one transfer where
 * neighbours live in different memories. Planning reads the steps' names; the
 * filter stage, the description that libavfilter takes.
 */
#ifndef MEDIA_CHAIN_H
#define MEDIA_CHAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "media/backend.h"

struct plan_video;

#define CHAIN_STEPS_MOST 8

struct chain_picture {
    enum memory memory;
    enum AVPixelFormat format; // of what it shows, also in a device's memory
    int width;                 // pixels as coded
    int height;
    bool full_range;
};

struct chain_step {
    const char *name; // libav's: "hwdownload"
    char text[160];   // for libavfilter: "hwdownload,format=nv12"
};

struct chain {
    struct chain_step steps[CHAIN_STEPS_MOST];
    size_t count; // 0: pictures stay as they are
};

void chain_make(struct chain *ret, const struct plan_video *video,
                const struct chain_picture *from);

/* All texts with commas between them, "null" where there are none. */
void chain_describe(const struct chain *chain, char *text, size_t size);

/* The same picture without the deprecated names for full range. */
enum AVPixelFormat chain_plain_format(enum AVPixelFormat format);

/* What a device's memory holds pictures as, that shall be @format in the end;
 * AV_PIX_FMT_NONE: its filters know nothing like it. */
enum AVPixelFormat chain_device_format(enum AVPixelFormat format);

#endif
