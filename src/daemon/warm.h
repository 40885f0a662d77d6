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
struct error;
struct warm;

/* Workers get control groups below @group, which is lent. */
struct warm *warm_create(uv_loop_t *loop, const struct cgroup *group,
                         const char *program, size_t log_lines);
void warm_destroy(struct warm *w); // NULL is allowed

/* Another program from now on; the worker that stands ready is replaced. */
void warm_configure(struct warm *w, const char *program, size_t log_lines);

/* A worker that has no job yet, for the caller to own; a fresh one when none
 * stands ready. 0 or -errno. */
int warm_take(struct warm *w, struct child **ret, struct error *e);

#endif
