/*
 * warm: a worker that is started ahead of its job, so that a job never waits
 * for a program to load. It takes the next job and is replaced soon; one
 * that dies by itself is replaced after growing pauses.
 */
#ifndef DAEMON_WARM_H
#define DAEMON_WARM_H

#include <stddef.h>
#include <uv.h>

struct cgroup;
struct child;
struct configuration;
struct error;
struct json_t;
struct warm;

/* What a worker may use. */
enum warm_kind {
    WARM_CPU,
    WARM_GPU, // any, if it is granted
    WARM_KIND_COUNT
};

/* Workers get control groups below @group, which is lent. @configuration is
 * borrowed for the call. */
struct warm *warm_create(uv_loop_t *loop, const struct cgroup *group,
                         const struct configuration *configuration);
void warm_destroy(struct warm *w); // NULL is allowed

/* If workers are now to be started in another way, the one that stands ready
 * is replaced. */
void warm_configure(struct warm *w, const struct configuration *configuration);

/* What the last worker said it is confined by: an array of texts, a new
 * reference; empty before one has spoken. */
struct json_t *warm_sandbox_to_json(const struct warm *w);

/* A worker that has no job yet, for the caller to own; a fresh one when none of
 * this kind stands ready. 0 or -errno. */
int warm_take(struct warm *w, enum warm_kind kind, struct child **ret,
              struct error *e);

#endif
