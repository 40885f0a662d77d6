/*
 * attempt: one run of a worker for a job, with its opener where the job has no
 * file channel of its own. Turns what happens into events of the state machine
 * (task.h) and carries out its actions. Knows nothing of queues and stores.
 *
 * The worker is not trusted: whatever it says or does costs this attempt at
 * most.
 */
#ifndef DAEMON_ATTEMPT_H
#define DAEMON_ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "model/event.h"
#include "model/grant.h"
#include "model/job.h"
#include "model/limits.h"
#include "task.h"

struct attempt;
struct error;
struct inventory;
struct json_t;
struct warm;

struct attempt_result {
    enum outcome outcome;
    enum task_reason reason; // why we stopped it, if we did
    bool was_ready;          // it had begun to write
    bool was_given_up; // it hangs in the kernel, where nothing can kill it
    const char *text;  // words for a person
    const struct event_outcome *said; // the worker's own, or NULL
    const struct json_t *log;         // last lines, an array
};

struct attempt_ops {
    /* It wants a grant; attempt_grant() then, now or later. */
    void (*needs)(void *user, const struct need *need);
    /* ready, progress, clamp, fallback, log: lent, to be stamped. */
    void (*told)(void *user, struct event *ev);
    /* The last call. The owner destroys. */
    void (*ended)(void *user, const struct attempt_result *result);
};

enum attempt_purpose { ATTEMPT_WORK, ATTEMPT_PLAN };

struct attempt_config {
    uv_loop_t *loop;
    struct warm *warm;
    const struct inventory *inventory; // not owned: what it may be granted
    const struct limits *limits;       // not owned; must outlive it
    const struct log *log;             // likewise
    enum attempt_purpose purpose;
    int64_t id;                  // of the job, for words
    int64_t number;              // from 1
    const struct job *job;       // for the call
    int channel;                 // the worker's end; stays the caller's; -1
    const char *opener;          // program for jobs without a channel
    const struct json_t *rights; // what the opener may do, borrowed: its
                                 // document but for "job"
};

/* 0, or -errno when no process could be started: the job's fault never. */
int attempt_start(struct attempt **ret, const struct attempt_config *config,
                  const struct attempt_ops *ops, void *user, struct error *e);

/* Kills what lives, and tells nobody. NULL is allowed. */
void attempt_destroy(struct attempt *a);

void attempt_grant(struct attempt *a, const struct grant *grant);

/* For a grant, and for nothing else? */
bool attempt_is_waiting(const struct attempt *a);

/* Of its worker. */
int attempt_pid(const struct attempt *a);

/* 0, or -EBUSY when it is in no state for it. */
int attempt_pause(struct attempt *a);
int attempt_resume(struct attempt *a);

/* Monotonic µs when somebody is to deal with its silence; 0: it may be silent,
 * or somebody does. */
int64_t attempt_due(const struct attempt *a);

/* End it, politely first. The first @reason is the one that counts. */
void attempt_stop(struct attempt *a, enum task_reason reason);
/* End it at once: nobody wants any more of what it writes. */
void attempt_kill(struct attempt *a, enum task_reason reason);

#endif
