#include "work.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "attempt.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/memory.h"
#include "change.h"
#include "connection.h"
#include "daemon.h"
#include "dispatcher.h"
#include "followers.h"
#include "record.h"
#include "reply.h"
#include "run.h"
#include "waiters.h"
#include "wish.h"

struct work *work_create(struct dispatcher *j, struct backlog_job *row)
{
    struct work *w = xcalloc(1, sizeof(*w));

    w->dispatcher = j;
    w->row = row;
    w->channel = -1;
    loan_init(&w->loan);
    story_init(&w->story, row->job.id);
    list_init(&w->enders);
    list_init(&w->holders);
    list_append(&j->works, &w->link);
    row->work = w;
    return w;
}

static struct scheduler_load *load_of(const struct work *w)
{
    return &w->dispatcher->load;
}

/* The attempt is over: what it had is free again. */
static void give_back(struct work *w)
{
    size_t lane = w->row ? w->row->lane : 0;

    if (w->phase == WORK_FETCHING || w->phase == WORK_RUNNING) {
        load_of(w)->attempts--;
        load_of(w)->ungranted[lane] -= !w->is_granted;
        load_of(w)->inspecting[lane] -= !w->is_granted && !w->is_waiting;
        load_of(w)->cpu_jobs -= w->takes_slot;
    }
    w->is_waiting = w->is_granted = w->takes_slot = false;
    lending_leave(w->dispatcher->daemon->lending, &w->loan);
    attempt_destroy(w->attempt);
    w->attempt = NULL;
    dispatcher_wake(w->dispatcher);
}

/* With the last of them all places are free again. One that leaked would be
 * missing for ever; now nobody is hurt by a restart. */
static void check_balance(const struct dispatcher *j)
{
    static const struct scheduler_load nothing;

    assert(!list_empty(&j->works) ||
           memcmp(&j->load, &nothing, sizeof(nothing)) == 0);
}

void work_destroy(struct work *w)
{
    if (!w)
        return;
    give_back(w);
    list_remove(&w->link);
    check_balance(w->dispatcher);
    if (w->row)
        w->row->work = NULL;
    if (w->has_job)
        job_fini(&w->job);
    fd_close(&w->channel);
    store_attempt_fini(&w->record);
    hush_fini(&w->hush);
    waiters_end(&w->enders);
    waiters_end(&w->holders);
    json_decref(w->outcome);
    free(w);
}

static void on_saved(void *user, int result, const struct error *e)
{
    (void)user;
    // memory is ahead of the disk now; a restart would run the job again
    if (result < 0)
        log_error(NULL, "the store does not keep up: %s", e->text);
}

static void save(struct work *w)
{
    store_update(w->dispatcher->daemon->store, &w->row->job, OUTCOME_NONE,
                 on_saved, NULL);
}

void work_save_attempt(struct work *w)
{
    store_put_attempt(w->dispatcher->daemon->store, w->row->job.id, &w->record,
                      on_saved, NULL);
}

void work_enter(struct work *w, enum state state)
{
    w->row->job.state = state;
    save(w);
    dispatcher_tell_state(w->dispatcher, w->row);
}

/* Its turn was taken back: it did not begin. */
static void unbegin(struct work *w)
{
    w->row->job.attempts--;
    work_requeue(w);
}

static void launch(struct work *w)
{
    struct error e = {0};

    if (run_launch(w, &e) < 0) {
        dispatcher_hold_breath(w->dispatcher, e.text); // no fault of the job
        unbegin(w);
        return;
    }
    dispatcher_breathe(w->dispatcher);
    w->phase = WORK_RUNNING;
    record_begin(&w->record, w->row->job.attempts);
    work_save_attempt(w);
}

static void on_document(void *user, int result, const struct store_record *r,
                        const struct error *e)
{
    struct work *w = user;
    struct error why = {0};

    if (w->wanted == TASK_CANCELLED) {
        work_finish(w, OUTCOME_CANCELLED, "cancelled before it began", NULL);
    } else if (w->wanted != TASK_NO_REASON) {
        unbegin(w);
    } else if (result < 0) {
        dispatcher_hold_breath(w->dispatcher, e->text);
        unbegin(w);
    } else if (job_from_text(&w->job, r->document, strlen(r->document), &why) <
               0) {
        // accepted by another version of the service
        work_finish(w, OUTCOME_BAD_REQUEST, why.text, NULL);
    } else {
        w->has_job = true;
        launch(w);
    }
}

void work_start(struct work *w)
{
    assert(w->phase == WORK_QUEUED);
    w->phase = WORK_FETCHING;
    w->wanted = TASK_NO_REASON;
    load_of(w)->attempts++;
    load_of(w)->ungranted[w->row->lane]++;
    load_of(w)->inspecting[w->row->lane]++;
    w->row->job.attempts++;
    story_begin(&w->story, w->row->job.attempts);
    work_enter(w, STATE_STARTING);
    if (w->has_job)
        launch(w);
    else
        store_get(w->dispatcher->daemon->store, w->row->job.id, on_document, w);
}

/* Pause, of a job that is back in the queue now. */
static void answer_holders(struct work *w)
{
    list_foreach (link, next, &w->holders) {
        list_remove(link);
        change_save(w->dispatcher, w->row, list_entry(link, struct call, link),
                    wish_undo_hold);
    }
}

/* Is there more to be remembered than its row can? */
static bool is_scarred(const struct work *w)
{
    return w->row->lane != w->row->job.hardware && w->fallback.bar_count > 0;
}

/* Back into the queue; what was asked for meanwhile is answered. */
void work_requeue(struct work *w)
{
    struct dispatcher *j = w->dispatcher;
    struct backlog_job *row = w->row;

    give_back(w);
    store_attempt_fini(&w->record);
    w->phase = WORK_QUEUED;
    w->waits_since = w->waited = 0;
    backlog_requeue(j->backlog, row);
    work_enter(w, STATE_QUEUED);
    answer_holders(w);
    if (!list_empty(&w->enders)) { // the attempt ended before it was asked
        work_finish(w, OUTCOME_CANCELLED, "cancelled", NULL);
    } else if (row->job.attached && j->stopping) {
        work_finish(w, OUTCOME_INTERRUPTED, "the service was shut down", NULL);
    } else if (!row->job.attached && !is_scarred(w)) {
        work_destroy(w); // a row will do again
    }
    dispatcher_check_settled(j);
}

/* Was it asked for something that is answered in the queue? */
static bool is_wanted_back(const struct work *w)
{
    return w->dispatcher->stopping || w->row->job.held ||
           !list_empty(&w->enders) || !list_empty(&w->holders);
}

void work_restart(struct work *w)
{
    if (is_wanted_back(w)) {
        work_requeue(w);
        return;
    }
    give_back(w);
    w->phase = WORK_QUEUED; // of one that is first
    work_start(w);
}

/* The end is in the store: tell, and forget. */
static void settle(struct work *w)
{
    struct dispatcher *j = w->dispatcher;
    struct backlog_job *row = w->row;

    if (row->job.state == STATE_CANCELLED)
        waiters_reply(&w->enders);
    else
        waiters_refuse(&w->enders, row->job.state);
    waiters_refuse(&w->holders, row->job.state);
    w->row = NULL;
    work_destroy(w);
    backlog_remove(j->backlog, row);
    dispatcher_check_settled(j);
}

static void tell_end(struct work *w)
{
    const struct store_job *job = &w->row->job;

    dispatcher_tell_state(w->dispatcher, w->row);
    followers_tell(w->dispatcher->daemon->followers, job->uid, job->id,
                   EVENT_OUTCOME, w->outcome);
}

static void on_stored(void *user, int result, const struct error *e)
{
    struct work *w = user;

    if (result < 0) {
        log_error(&w->story.log, "its end cannot be stored: %s", e->text);
        waiters_fail(&w->enders, e);
        waiters_fail(&w->holders, e);
    }
    if (result < 0 && !w->dispatcher->stopping) {
        // a full disk has room again one day; until then it is not told
        w->is_unstored = true;
        dispatcher_store_later(w->dispatcher);
        return;
    }
    if (!w->row->job.attached && result == 0)
        tell_end(w);
    settle(w);
}

void work_store_end(struct work *w)
{
    w->is_unstored = false;
    if (w->record.number > 0)
        work_save_attempt(w);
    store_update(w->dispatcher->daemon->store, &w->row->job, w->ended,
                 on_stored, w);
}

/* The outcome as everybody gets it. A new reference. */
static json_t *outcome_to_json(const struct work *w, enum outcome outcome,
                               const char *text,
                               const struct event_outcome *said)
{
    struct event ev = {.kind = EVENT_OUTCOME};

    if (said)
        ev.outcome = *said; // lent
    ev.outcome.outcome = outcome;
    // of growing outputs what was written stays, of others nothing is there
    if (outcome != OUTCOME_DONE && w->job.delivery != JOB_GROWING) {
        ev.outcome.outputs = NULL;
        ev.outcome.output_count = 0;
    }
    char *words = xstrdup(text);
    ev.outcome.text = words;
    ev.outcome.whole = w->leaves_part ? w->whole : -1;
    ev.job = w->row->job.id;
    ev.attempt = w->row->job.attempts;
    ev.time = clock_wall();
    json_t *json = event_to_json(&ev);
    free(words);
    return json;
}

void work_finish(struct work *w, enum outcome outcome, const char *text,
                 const struct event_outcome *said)
{
    w->outcome = outcome_to_json(w, outcome, text, said);
    if (w->record.number > 0)
        record_outcome(&w->record, w->outcome);
    give_back(w);
    w->phase = WORK_STORING;
    fd_close(&w->channel);
    w->row->job.state = outcome_final_state(outcome);
    w->row->job.held = false;
    story_set_outcome(&w->story, outcome);
    log_info(&w->story.log, "%s: %s attempts=%d", outcome_name(outcome),
             text[0] ? text : state_name(w->row->job.state),
             w->row->job.attempts);
    if (w->row->job.attached)
        tell_end(w);
    backlog_set_aside(w->dispatcher->backlog, w->row);
    w->ended = outcome;
    work_store_end(w);
}
