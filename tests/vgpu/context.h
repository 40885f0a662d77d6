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

struct context;

enum need {
    NEED_NOTHING,
    NEED_INIT,
    NEED_CONTEXT,
};

/* What every entry asks first: initialised, not lost, a context current. */
CUresult context_enter(enum need need);

/* The calling thread's, or NULL. */
struct context *context_current(void);

/* The card that it is on. */
int context_card(const struct context *c);

/* Whether it is the handle of a living context. */
bool context_valid(const struct context *c);

#define EXPORT __attribute__((visibility("default")))

#endif
