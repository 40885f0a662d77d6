/*
 * driver: NVIDIA's driver as CUDA shows it: its cards, by UUID, and words where
 * it cannot be used. Its libraries are loaded when they are asked for, never
 * linked.
 *
 * Any call may block for ever where a driver hangs.
 */
#ifndef MEDIA_DRIVER_H
#define MEDIA_DRIVER_H

#include <stdint.h>

struct driver;
struct error;

struct driver_card {
    char uuid[64];   // "GPU-…"
    char name[64];   // "Quadro P1000"
    int32_t compute; // capability, 10 × major + minor
    int64_t vram;    // bytes in all
};

/* 0; -ENOENT where there is no driver or no card, -EACCES where its nodes are
 * not permitted, -ENODEV where it does not work, each with words that say what
 * is wrong and what to do. */
int driver_open(struct driver **ret, struct error *e);

/* What was made with it stays: contexts are libav's. NULL is allowed. */
void driver_close(struct driver *d);

/* Cards that CUDA shows: CUDA_VISIBLE_DEVICES is heeded. */
int driver_count(const struct driver *d);

/* The card of number @index. 0 or -EIO with words. */
int driver_card(const struct driver *d, int index, struct driver_card *ret,
                struct error *e);

/* CUDA's number of the card @uuid; -ENODEV with words: it is not there. */
int driver_find(const struct driver *d, const char *uuid, struct error *e);

/* Bytes that nobody uses of the card that the CUDA context @context is on, -1
 * where it does not say. */
int64_t driver_free_memory(const struct driver *d, void *context);

/* "470.256.02", or "" where nobody says. */
const char *driver_version(const struct driver *d);

/* Why can there be no context on card @index? Tries it: -ENOMEM or -ENODEV with
 * CUDA's words, or 0 when there can. */
int driver_try_context(const struct driver *d, int index, struct error *e);

/* Make @context the calling thread's; what was before comes back with the
 * other. 0 or -ENODEV with words. */
int driver_enter(const struct driver *d, void *context, struct error *e);
void driver_leave(const struct driver *d);

/* CUDA's own words for a result of it. */
const char *driver_words(const struct driver *d, int result);

#endif
