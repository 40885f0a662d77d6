/*
 * dispatcher: all jobs that have not ended: the backlog, what runs of it, and
 * who may start. What a started job does is work.h's.
 */
#ifndef DAEMON_DISPATCHER_H
#define DAEMON_DISPATCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "backlog.h"
#include "base/list.h"
#include "model/event.h"
#include "scheduler.h"

struct call;
struct daemon;
struct error;
struct job;
struct json_t;
struct work;

struct dispatcher {
    struct daemon *daemon;   // not owned
    struct backlog *backlog; // owned
    struct list works;       // of work, owned
    struct list submissions; // of submission (submit.c), owned by themselves
    struct list plannings;   // of planning, owned by themselves
    struct scheduler_load load;
    bool drained;      // by Drain
    bool stopping;     // by shutdown
    bool is_blind;     // the first survey of the GPUs is still awaited
    uint64_t pause;    // ms until workers are started again, 0: no trouble
    uv_idle_t wake;    // one turn of the loop later, look who may start
    uv_timer_t breath; // after a start failed for a reason of ours
    uv_timer_t again;  // after an end could not be stored
    uv_timer_t sight;  // the end of patience with the first survey
    uv_timer_t look;   // when time alone may change who gets what
    int handles;       // that are not closed yet
};

/* Takes over what the store has. 0 or -errno. */
int dispatcher_open(struct dispatcher **ret, struct daemon *d, struct error *e);
/* Kills what runs. NULL is allowed. */
void dispatcher_close(struct dispatcher *j);

/* An accepted detached job, which is in the store. */
void dispatcher_add(struct dispatcher *j, const struct store_job *row);

/* A new attached job of the client behind @call, which it consumes, as it does
 * @job and @channel (-1: none). @document is what the history keeps. */
void dispatcher_attach(struct dispatcher *j, struct job *job,
                       const char *document, int channel, struct call *call);

/* The first reply to a Submit with `more`: its id and state. */
void dispatcher_accept(struct dispatcher *j, const struct backlog_job *row,
                       struct call *call);

/* NULL when it has ended, or never was. */
struct backlog_job *dispatcher_find(const struct dispatcher *j, int64_t id);

/* The work of a job, made where there is none yet. */
struct work *dispatcher_work(struct dispatcher *j, struct backlog_job *row);

/* Soon, see who may start or be granted something. */
void dispatcher_wake(struct dispatcher *j);

/* The same at @time (monotonic µs) at the latest; 0: not for that. */
void dispatcher_look_at(struct dispatcher *j, int64_t time);

/* What there is to have now. */
void dispatcher_view(struct dispatcher *j, struct scheduler_view *ret);

/* A survey of the GPUs has ended. Until the first has, or limits.survey_wait is
 * over, jobs and plans wait: what they could have of a GPU is not known. */
void dispatcher_surveyed(struct dispatcher *j);

/* No worker can be started, or the store does not answer: wait a while. */
void dispatcher_hold_breath(struct dispatcher *j, const char *why);

/* The end of a job could not be stored: try again soon. */
void dispatcher_store_later(struct dispatcher *j);

/* It works again. */
void dispatcher_breathe(struct dispatcher *j);

/* May a job of @uid that cannot wait start now? */
bool dispatcher_has_room(struct dispatcher *j, uid_t uid, int64_t *ret_limit);

/* Who writes to the outputs of @job now: the id, or 0. A job of @uid that is
 * being stopped for its client is gone does not count, nor one with the same
 * key. *@ret_output is which. */
int64_t dispatcher_writer_of(const struct dispatcher *j, const struct job *job,
                             uid_t uid, size_t *ret_output);

/* Start nothing more, and the contrary. What has started goes on. */
void dispatcher_drain(struct dispatcher *j);
void dispatcher_undrain(struct dispatcher *j);

/* Start nothing more; what cannot end by itself is interrupted now, the rest by
 * dispatcher_interrupt(). daemon_settled() is called when all is over. */
void dispatcher_stop(struct dispatcher *j);
void dispatcher_interrupt(struct dispatcher *j);
/* While stopping: was that the last one? */
void dispatcher_check_settled(struct dispatcher *j);

/* The present state of @row's job as an event: a new reference. */
struct json_t *dispatcher_state_event(const struct backlog_job *row);

/* Tell followers of an event of @row's job; stamps it. */
void dispatcher_tell(struct dispatcher *j, const struct backlog_job *row,
                     struct event *ev);
void dispatcher_tell_state(struct dispatcher *j, const struct backlog_job *row);

#endif
