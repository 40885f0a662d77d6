/*
 * backlog: every job that has not ended, and the order in which they start.
 * Pure data: no disk, no loop, no clock of its own.
 *
 * There may be 100,000 of them, so an entry is small (the document stays in the
 * store) and everything a submission or a start needs takes no walk over jobs:
 * each owner has a queue a class, and who is next is found among the heads.
 */
#ifndef DAEMON_BACKLOG_H
#define DAEMON_BACKLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "model/need.h"
#include "store/store.h"

struct backlog;
struct owner;
struct work; // work.h

/*
 * A job waits in the lane of what it wishes (enum job_hardware), or of what it
 * has turned out to need: the CPU's, or one card's, by its place in the
 * scheduler's view. Who waits in one lane stands in nobody's way in another.
 */
#define BACKLOG_CARD(i) (JOB_HARDWARE_COUNT + (i))
#define BACKLOG_LANES   BACKLOG_CARD(NEED_DEVICES_MOST)

/* A set of lanes: whose jobs may start. */
#define BACKLOG_LANE(l) (1U << (l))
#define BACKLOG_ANY     (~0U)

struct backlog_job {
    struct store_job job;
    struct owner *owner;  // not owned
    struct list in_queue; // of owner.queues, or alone: held or started
    int64_t ticket;       // the lower, the earlier it came
    struct work *work;    // not owned; while it is more than a row
    bool started;         // has an attempt
    uint8_t lane;         // changes only while it is started
};

struct backlog *backlog_create(void);
/* Frees the entries too. NULL is allowed. */
void backlog_destroy(struct backlog *b);

/* A job that has not ended joins, at the end of its class unless it is held.
 * Lives until backlog_remove(). */
struct backlog_job *backlog_add(struct backlog *b, const struct store_job *job);
void backlog_remove(struct backlog *b, struct backlog_job *j);

/* NULL when it is not here: it has ended, or never was. */
struct backlog_job *backlog_find(const struct backlog *b, int64_t id);

/* Out of the queue: an attempt begins. */
void backlog_start(struct backlog *b, struct backlog_job *j);
/* The attempt is over; back to where it was, or aside if it is held. */
void backlog_requeue(struct backlog *b, struct backlog_job *j);

/* Out of the queue for good: its end is being stored. */
void backlog_set_aside(struct backlog *b, struct backlog_job *j);

/* Aside, and back at the end of its class. Not of a started job. */
void backlog_hold(struct backlog *b, struct backlog_job *j);
void backlog_release(struct backlog *b, struct backlog_job *j);

/*
 * Who is next: realtime, normal, batch; within a class whoever came first. A
 * batch job that was created before @aged (µs since the epoch) counts as
 * normal. Owners with @per_owner attempts or more are passed over, and so is
 * who waits in none of @lanes (BACKLOG_LANE) and is not realtime. NULL:
 * nobody.
 */
struct backlog_job *backlog_next(const struct backlog *b, int64_t aged,
                                 int64_t per_owner, unsigned lanes);

/* Negative: class @a starts before class @b; 0: they are the same. */
int backlog_compare_class(enum job_priority a, enum job_priority b);

/* Is @a granted something before @b? By class, in which a batch job that was
 * created before @aged counts as normal, then by when they came. */
bool backlog_is_before(const struct backlog_job *a, const struct backlog_job *b,
                       int64_t aged);

size_t backlog_count(const struct backlog *b);
/* Of @uid: jobs that have not ended, and attempts that run. */
size_t backlog_jobs_of(const struct backlog *b, uid_t uid);
size_t backlog_attempts_of(const struct backlog *b, uid_t uid);

#endif
