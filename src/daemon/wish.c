#include "wish.h"

#include "attempt.h"
#include "base/error.h"
#include "base/fd.h"
#include "change.h"
#include "connection.h"
#include "daemon.h"
#include "dispatcher.h"
#include "reply.h"
#include "work.h"

void wish_cancel(struct work *w, struct call *call)
{
    list_append(&w->enders, &call->link);
    switch (w->phase) {
    case WORK_QUEUED:
        work_finish(w, OUTCOME_CANCELLED, "cancelled before it began", NULL);
        break;
    case WORK_FETCHING:
        w->wanted = TASK_CANCELLED;
        break;
    case WORK_RUNNING:
        attempt_stop(w->attempt, TASK_CANCELLED);
        break;
    case WORK_STORING:
        break; // the reply says how it ended
    }
}

/* A job that has begun but does not run yet goes back to the queue, held. */
static void hold_back(struct work *w, struct call *call)
{
    list_append(&w->holders, &call->link);
    w->row->job.held = true;
    if (w->phase == WORK_RUNNING)
        attempt_stop(w->attempt, TASK_HELD);
    else
        w->wanted = TASK_HELD;
}

static bool is_in_queue(const struct backlog_job *row)
{
    return row->job.state == STATE_QUEUED && !row->started;
}

void wish_undo_hold(struct dispatcher *j, struct backlog_job *row)
{
    if (!is_in_queue(row) || !row->job.held)
        return;
    backlog_release(j->backlog, row);
    dispatcher_wake(j);
}

static void undo_release(struct dispatcher *j, struct backlog_job *row)
{
    if (is_in_queue(row) && !row->job.held)
        backlog_hold(j->backlog, row);
}

static void undo_pause(struct dispatcher *j, struct backlog_job *row)
{
    if (row->job.state != STATE_PAUSED ||
        attempt_resume(row->work->attempt) < 0)
        return;
    row->job.state = STATE_RUNNING;
    dispatcher_tell_state(j, row);
}

static void undo_resume(struct dispatcher *j, struct backlog_job *row)
{
    if (row->job.state != STATE_RUNNING ||
        attempt_pause(row->work->attempt) < 0)
        return;
    row->job.state = STATE_PAUSED;
    dispatcher_tell_state(j, row);
}

void wish_pause(struct dispatcher *j, struct backlog_job *row,
                struct call *call)
{
    struct work *w = row->work;

    switch (row->job.state) {
    case STATE_QUEUED:
        if (row->job.held)
            break;
        backlog_hold(j->backlog, row);
        change_save(j, row, call, wish_undo_hold);
        return;
    case STATE_STARTING:
        hold_back(w, call);
        return;
    case STATE_RUNNING:
        if (attempt_pause(w->attempt) < 0)
            break; // it is just ending
        row->job.state = STATE_PAUSED;
        change_save(j, row, call, undo_pause);
        return;
    case STATE_PAUSED:
    case STATE_SUCCEEDED:
    case STATE_FAILED:
    case STATE_CANCELLED:
    case STATE_COUNT:
        break;
    }
    reply_wrong_state(call, row->job.state);
}

void wish_resume(struct dispatcher *j, struct backlog_job *row,
                 struct call *call)
{
    struct work *w = row->work;

    if (row->job.state == STATE_QUEUED && row->job.held) {
        backlog_release(j->backlog, row);
        change_save(j, row, call, undo_release);
        dispatcher_wake(j);
    } else if (row->job.state == STATE_PAUSED &&
               attempt_resume(w->attempt) == 0) {
        row->job.state = STATE_RUNNING;
        change_save(j, row, call, undo_resume);
    } else {
        reply_wrong_state(call, row->job.state);
    }
}

void wish_abandon(struct work *w)
{
    w->lost_client = true;
    fd_close(&w->channel);
    switch (w->phase) {
    case WORK_QUEUED:
        work_finish(w, OUTCOME_CANCELLED, "its client hung up", NULL);
        break;
    case WORK_RUNNING:
        attempt_kill(w->attempt, TASK_CLIENT_GONE);
        break;
    case WORK_FETCHING: // an attached job brought its document along
    case WORK_STORING:
        break;
    }
}

void wish_interrupt(struct work *w)
{
    switch (w->phase) {
    case WORK_QUEUED:
        if (w->row->job.attached)
            work_finish(w, OUTCOME_INTERRUPTED, "the service was shut down",
                        NULL);
        break;
    case WORK_FETCHING:
        if (w->wanted == TASK_NO_REASON)
            w->wanted = TASK_SHUTDOWN;
        break;
    case WORK_RUNNING:
        // a paused one is to wait for Resume after the restart, too
        w->row->job.held |= w->row->job.state == STATE_PAUSED;
        attempt_stop(w->attempt, TASK_SHUTDOWN);
        break;
    case WORK_STORING:
        if (w->is_unstored)
            work_store_end(w); // once more, and then no more
        break;
    }
}
