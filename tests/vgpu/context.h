/*
 * context: CUDA contexts and which one a thread works in.
 *
 * A context owns its memory and textures; destroying it gives all of that
 * back, as a driver does. Handles are checked, so a destroyed context is an
 * error and not a crash. Any thread.
 */
#ifndef VGPU_CONTEXT_H
#define VGPU_CONTEXT_H

#include <stdbool.h>

#include <ffnvcodec/dynlink_cuda.h>

#include "machine.h"

struct context;

enum need {
    NEED_NOTHING,
    NEED_INIT,
    NEED_CONTEXT,
};

/* What every entry asks first: initialised, not lost, a context current. */
CUresult context_enter(enum need need);

/* The cards that CUDA_VISIBLE_DEVICES leaves the process, in its order and, as
 * the driver does it, up to the first that is none; how many. */
int cuda_visible(int ret[MACHINE_CARDS]);

/* The calling thread's, or NULL. */
struct context *context_current(void);

/* The card that it is on. */
int context_card(const struct context *c);

/* Whether it is the handle of a living context. */
bool context_valid(const struct context *c);

#define EXPORT __attribute__((visibility("default")))

#endif
