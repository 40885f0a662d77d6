/*
 * scheduler: who starts next, and who gets what. A pure function of what runs,
 * what waits and the limits (DESIGN.md 8).
 *
 * A job starts twice: its worker is given the document and inspects
 * (scheduler_next), then, when it has said what it needs, it is granted a
 * device (scheduler_grant). Only the second step lends anything.
 */
#ifndef DAEMON_SCHEDULER_H
#define DAEMON_SCHEDULER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backlog.h"
#include "model/grant.h"
#include "model/job.h"
#include "model/limits.h"
#include "model/need.h"

/* What runs now. */
struct scheduler_load {
    int64_t attempts;  // workers that have a job
    int64_t ungranted; // of them, that inspect or wait for a grant
    int64_t cpu_jobs;  // of them, that encode video on the CPU
};

/* The job that a worker is to inspect now, or NULL. @now is the wall clock's.
 */
struct backlog_job *scheduler_next(const struct scheduler_load *load,
                                   const struct limits *limits,
                                   const struct backlog *backlog, int64_t now);

/* May a realtime job of an owner with @own attempts start at this moment? If
 * not it is refused: nobody watches a film tomorrow. *@ret_limit is the cap. */
bool scheduler_has_room(const struct scheduler_load *load,
                        const struct limits *limits, int64_t own,
                        int64_t *ret_limit);

/* Does it encode video here, so that it takes one of the CPU's slots? */
bool scheduler_takes_slot(const struct need *need);

/* What a job of @priority with @need gets: true and @ret, or false: later. */
bool scheduler_grant(const struct scheduler_load *load,
                     const struct limits *limits, enum job_priority priority,
                     const struct need *need, struct grant *ret);

#endif
