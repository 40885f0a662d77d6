/*
 * work: a job that is more than a row of the backlog: attached to a client,
 * started, or about to end. From the document, by attempts, to the outcome in
 * the store.
 */
#ifndef DAEMON_WORK_H
#define DAEMON_WORK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "fallback.h"
#include "hush.h"
#include "lending.h"
#include "model/event.h"
#include "model/job.h"
#include "model/need.h"
#include "store/store.h"
#include "story.h"
#include "task.h"

struct attempt;
struct backlog_job;
struct call;
struct daemon;
struct dispatcher;
struct json_t;

enum work_phase {
    WORK_QUEUED,
    WORK_FETCHING, // its document comes from the store
    WORK_RUNNING,  // has an attempt
    WORK_STORING,  // its end is being stored
};

struct work {
    struct list link;              // dispatcher.works
    struct dispatcher *dispatcher; // not owned
    struct backlog_job *row;       // not owned
    struct story story;
    enum work_phase phase;
    enum task_reason wanted; // while fetching: it is not to start after all
    bool has_job;
    struct job job;          // of attached and started ones
    int channel;             // owned; the worker's end, -1: none, or given up
    struct attempt *attempt; // owned, or NULL
    struct store_attempt record; // of the attempt; its texts are owned
    bool is_waiting;             // for a grant
    bool is_granted;
    bool takes_slot;  // of the CPU, by its grant
    bool lost_client; // attached, and the client is gone
    struct need need;
    struct loan loan; // what its worker has of GPUs
    struct fallback
        fallback;        // what it does without, after attempts that failed
    int64_t waits_since; // monotonic µs that it wants a grant, 0: it does not
    int64_t waited;      // µs that it had waited for one that came to nothing
    struct hush hush;    // lines that are not told yet
    double position;     // s of output, as the attempt says
    double whole;        // s of it that are whole in growing outputs
    bool leaves_part;    // of those, and the job ends
    char why[160];       // it was granted what it was, or ""
    struct list enders;  // of call, owned: reply when it has ended
    struct list holders; // of call, owned: reply when it is back in queue
    enum outcome ended;  // how, while that is stored
    bool is_unstored;    // which failed, and is tried again
    struct json_t *outcome; // referenced; the event, while it is stored
};

/* For work that has no attempt. */
struct work *work_create(struct dispatcher *j, struct backlog_job *row);
void work_destroy(struct work *w);

/* Write its end into the store, also when that failed before. */
void work_store_end(struct work *w);

/* Its turn has come. */
void work_start(struct work *w);

/* Its attempt is over: back into the queue, or at once another one. */
void work_requeue(struct work *w);
void work_restart(struct work *w);

/* For run.c. */
void work_enter(struct work *w, enum state state);
void work_save_attempt(struct work *w);

/* The job ends: stored first, then told. An attached job's client need not wait
 * for the disk, it has been promised nothing. @said is lent, and may be NULL.
 */
void work_finish(struct work *w, enum outcome outcome, const char *text,
                 const struct event_outcome *said);

#endif
