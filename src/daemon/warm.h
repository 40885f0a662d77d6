/*
 * warm: a worker that is started ahead of its job, so that a job never waits
 * for a program to load. It takes the next job and is replaced soon; one
 * that dies by itself is replaced after growing pauses.
 *
 * One of a GPU's has made its CUDA context, too, which a driver may take long
 * over, or for ever: it counts as ready when it has said so.
 */
#ifndef DAEMON_WARM_H
#define DAEMON_WARM_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

struct cgroup;
struct child;
struct configuration;
struct error;
struct event_sandbox;
struct warm;

struct warm_config {
    const struct cgroup *group;                // lent
    const struct configuration *configuration; // lent
    const char *device;                        // "cpu", "cuda:0"
    const char *uuid;                          // of the card, NULL: the CPU's
};

/* For one of a GPU's, which takes VRAM. */
struct warm_ops {
    /* May it stand there now? */
    bool (*may_stand)(void *user);
    /* Is the card well, whatever its VRAM? */
    bool (*is_well)(void *user);
    /* The process that does, 0: none. */
    void (*stands)(void *user, int pid);
};

/* @ops are NULL where it may always. */
struct warm *warm_create(uv_loop_t *loop, const struct warm_config *config,
                         const struct warm_ops *ops, void *user);
void warm_destroy(struct warm *w); // NULL is allowed

/* The configuration is another. If workers are to be started in another way
 * now, the one that stands ready is replaced. */
void warm_configure(struct warm *w);

/* What may_stand says may be another. */
void warm_refresh(struct warm *w);

/* The one that stands there ends now, and the next one comes by warm_refresh().
 * True: there is one; `stands` will say when its VRAM is free. */
bool warm_dismiss(struct warm *w);

/* Can it be had at once, with all that was to be done ahead? */
bool warm_is_ready(const struct warm *w);

/* What the last worker said that it is confined by; NULL before one has. It
 * lives until the next one does. */
const struct event_sandbox *warm_sandbox(const struct warm *w);

/* A worker that has no job yet, for the caller to own; where none is ready a
 * fresh one of the same kind, which does no more than start the driver, where
 * that is well. 0 or -errno. */
int warm_take(struct warm *w, struct child **ret, struct error *e);

#endif
