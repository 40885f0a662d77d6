/*
 * scheduler: who starts next, and who gets what. A pure function of what runs,
 * what waits, the devices and the limits (DESIGN.md 8).
 *
 * A job starts twice: its worker is given the document and inspects
 * (scheduler_next), then, when it has said what it needs, it is granted a
 * device (scheduler_decide). Only the second step lends anything.
 */
#ifndef DAEMON_SCHEDULER_H
#define DAEMON_SCHEDULER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backlog.h"
#include "capacity.h"
#include "fallback.h"
#include "model/grant.h"
#include "model/job.h"
#include "model/limits.h"
#include "model/need.h"
#include "model/outcome.h"

/* What runs now. */
struct scheduler_load {
    int64_t attempts;                  // workers that have a job
    int64_t cpu_jobs;                  // of them, that encode video on the CPU
    int64_t ungranted[BACKLOG_LANES];  // of them, without a grant yet
    int64_t inspecting[BACKLOG_LANES]; // who do not know yet what they need
};

/* A GPU as it is at this moment. */
struct scheduler_device {
    const char *id;
    const struct capacity *capacity;
    struct capacity_use use;
    int64_t warm_vram; // bytes that its warm worker would give up
    bool decodes;      // not in quarantine
    bool encodes;
};

/* Everything that a decision rests on. Decisions change it: what was granted
 * is gone for the jobs that are decided on next. */
struct scheduler_view {
    const struct limits *limits;
    struct scheduler_load load;
    struct scheduler_device devices[NEED_DEVICES_MOST];
    size_t device_count;
    bool has_no_gpu; // a survey has said so: nobody waits for one
    int64_t now;     // monotonic µs
};

/*
 * The job that a worker is to inspect now, or NULL. Inspected jobs hold a
 * process each: in each lane there are not more of them than can go on soon.
 * @wall is the wall clock's.
 */
struct backlog_job *scheduler_next(const struct scheduler_view *view,
                                   const struct backlog *backlog, int64_t wall);

/* May a realtime job of an owner with @own attempts start at this moment? If
 * not it is refused: nobody watches a film tomorrow. *@ret_limit is the cap. */
bool scheduler_has_room(const struct scheduler_load *load,
                        const struct limits *limits, int64_t own,
                        int64_t *ret_limit);

/* A job that waits for a grant. */
struct scheduler_job {
    enum job_priority priority;
    enum job_hardware hardware;
    const char *device; // the only one that it may use, NULL: any
    const struct need *need;
    const struct fallback *fallback; // what it does without; never NULL
    int64_t since;                   // monotonic µs that it has waited
    const char *held_on; // device on which its worker has a context already
    int64_t held;        // bytes of VRAM, counted there as ours
    size_t lane;         // of the backlog, in which it counts
    bool stays;          // it has no queue to go back to
};

enum scheduler_verdict {
    SCHEDULER_WAITS,
    SCHEDULER_RETURNS, // to its lane of the queue, where enough stand ready
    SCHEDULER_GRANTS,
    SCHEDULER_REFUSES, // it would wait for ever, or cannot wait
};

struct scheduler_answer {
    enum scheduler_verdict verdict;
    struct grant grant;
    bool takes_slot;      // of the CPU
    size_t lane;          // in which it counts now
    bool sends_warm_away; // the device's warm worker must give its VRAM up
    enum outcome outcome; // of a refusal
    int64_t until; // monotonic µs when waiting ends by itself, 0: it does not
    char why[160]; // words: why it is less than was wished, or ""
};

/*
 * What @job gets now. To be called in the order in which jobs come: one that
 * has waited long keeps what it needs from those behind it, so that a ladder
 * is overtaken by smaller jobs, but not for ever.
 */
void scheduler_decide(struct scheduler_view *view,
                      const struct scheduler_job *job,
                      struct scheduler_answer *ret);

#endif
