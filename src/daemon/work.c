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
#include "reply.h"
#include "wish.h"

#define LAST_WORDS 5 // lines

static void requeue(struct work *w);

struct work *work_create(struct dispatcher *j, struct backlog_job *row)
{
    struct work *w = xcalloc(1, sizeof(*w));

    w->dispatcher = j;
    w->row = row;
    w->channel = -1;
    story_init(&w->story, row->job.id);
    list_init(&w->enders);
    list_init(&w->holders);
    list_append(&j->works, &w->link);
    row->work = w;
    return w;
}

static void end_calls(struct list *calls)
{
    list_foreach (link, next, calls)
        call_end(list_entry(link, struct call, link));
}

static struct scheduler_load *load_of(const struct work *w)
{
    return &w->dispatcher->load;
}

/* The attempt is over: what it had is free again. */
static void give_back(struct work *w)
{
    if (w->phase == WORK_FETCHING || w->phase == WORK_RUNNING) {
        load_of(w)->attempts--;
        if (!w->is_granted)
            load_of(w)->ungranted--;
        if (w->takes_slot)
            load_of(w)->cpu_jobs--;
    }
    w->is_waiting = w->is_granted = w->takes_slot = false;
    attempt_destroy(w->attempt);
    w->attempt = NULL;
    dispatcher_wake(w->dispatcher);
}

void work_destroy(struct work *w)
{
    if (!w)
        return;
    give_back(w);
    list_remove(&w->link);
    if (w->row)
        w->row->work = NULL;
    if (w->has_job)
        job_fini(&w->job);
    fd_close(&w->channel);
    store_attempt_fini(&w->record);
    end_calls(&w->enders);
    end_calls(&w->holders);
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

static void save_attempt(struct work *w)
{
    store_put_attempt(w->dispatcher->daemon->store, w->row->job.id, &w->record,
                      on_saved, NULL);
}

static void enter(struct work *w, enum state state)
{
    w->row->job.state = state;
    save(w);
    dispatcher_tell_state(w->dispatcher, w->row);
}

static void on_needs(void *user, const struct need *need)
{
    struct work *w = user;

    w->need = *need;
    w->is_waiting = true;
    dispatcher_wake(w->dispatcher);
}

void work_grant(struct work *w)
{
    struct grant grant;

    if (!scheduler_grant(load_of(w),
                         &w->dispatcher->daemon->configuration.limits,
                         w->row->job.priority, &w->need, &grant))
        return;
    w->is_waiting = false;
    w->is_granted = true;
    w->takes_slot = scheduler_takes_slot(&w->need);
    load_of(w)->ungranted--;
    if (w->takes_slot)
        load_of(w)->cpu_jobs++;
    attempt_grant(w->attempt, &grant);
    dispatcher_wake(
        w->dispatcher); // there is room for the next one to be inspected
}

static char *dump(const json_t *json)
{
    return json_dumps(json, JSON_COMPACT);
}

static void keep_plan(struct work *w, const struct event_ready *ready)
{
    json_t *plan = json_array();

    for (size_t i = 0; i < ready->plan_count; i++)
        json_array_append_new(plan, json_string(ready->plan[i]));
    free(w->record.plan);
    w->record.plan = dump(plan);
    json_decref(plan);
    (void)snprintf(w->record.device, sizeof(w->record.device), "%s",
                   ready->device);
}

static void on_told(void *user, struct event *ev)
{
    struct work *w = user;

    if (ev->kind == EVENT_READY) {
        story_set_device(&w->story, ev->ready.device);
        log_info(&w->story.log, "running on %s attempt=%d", ev->ready.device,
                 w->row->job.attempts);
        keep_plan(w, &ev->ready);
        save_attempt(w);
        enter(w, STATE_RUNNING);
    }
    dispatcher_tell(w->dispatcher, w->row, ev);
}

static void tell_retry(struct work *w, const struct attempt_result *result)
{
    char *text =
        xasprintf("attempt %d %s: %s; trying again", w->row->job.attempts,
                  outcome_name(result->outcome), result->text);
    struct event ev = {.kind = EVENT_LOG};

    ev.log.level = LOG_LEVEL_WARNING;
    ev.log.text = text;
    story_set_outcome(&w->story, result->outcome);
    log_warning(&w->story.log, "%s", text);
    dispatcher_tell(w->dispatcher, w->row, &ev);
    free(text);
}

/* What the worker wrote before it failed is part of the story. */
static void log_last_words(const struct work *w,
                           const struct attempt_result *result)
{
    size_t count = json_array_size(result->log);

    if (result->outcome == OUTCOME_DONE ||
        result->outcome == OUTCOME_CANCELLED ||
        result->outcome == OUTCOME_INTERRUPTED)
        return;
    for (size_t i = count > LAST_WORDS ? count - LAST_WORDS : 0; i < count; i++)
        log_info(&w->story.log, "worker: %s",
                 json_string_value(json_array_get(result->log, i)));
}

/* The record of the attempt, complete. */
static void save_result(struct work *w, const struct attempt_result *result)
{
    w->record.ended = clock_wall();
    w->record.outcome = result->outcome;
    w->record.text = xstrdup(result->text);
    w->record.log = dump(result->log);
    save_attempt(w);
}

static void on_attempt_ended(void *user, const struct attempt_result *result)
{
    struct work *w = user;
    struct store_job *job = &w->row->job;
    const struct limits *limits = &w->dispatcher->daemon->configuration.limits;
    // a reader of growing output has seen what a second try would rewrite
    enum task_trace trace = result->was_ready && w->job.delivery == JOB_GROWING
                                ? TASK_SEEN
                                : TASK_UNSEEN;

    enum task_verdict verdict =
        task_verdict(job, result->outcome, result->reason, trace, limits);
    save_result(w, result);
    log_last_words(w, result);
    if (verdict == TASK_END) {
        work_finish(w, result->outcome, result->text, result->said);
        return;
    }
    if (result->outcome != OUTCOME_INTERRUPTED)
        tell_retry(w, result);
    requeue(w);
}

static const struct attempt_ops attempt_ops = {
    .needs = on_needs,
    .told = on_told,
    .ended = on_attempt_ended,
};

/* Where no roots bound it, files are the person's own, and made like all of
 * them. */
static void add_sharing(const struct daemon *d, json_t *rights)
{
    gid_t group = d->output_group;

    if (json_is_true(json_object_get(rights, "any")))
        return;
    json_object_set_new(rights, "mode",
                        json_integer(d->configuration.output_mode));
    if (group != ACCESS_NO_GROUP)
        json_object_set_new(rights, "group", json_integer(group));
}

json_t *work_rights(const struct daemon *d, uid_t uid)
{
    const struct configuration *c = &d->configuration;
    const struct access_peer owner = {.uid = uid};
    json_t *read_roots = json_array();
    json_t *write_roots = json_array();

    for (size_t i = 0; i < c->read_root_count; i++)
        json_array_append_new(read_roots, json_string(c->read_roots[i]));
    for (size_t i = 0; i < c->write_root_count; i++)
        json_array_append_new(write_roots, json_string(c->write_roots[i]));
    json_t *rights =
        json_pack("{s:o, s:o, s:b}", "read_roots", read_roots, "write_roots",
                  write_roots, "any", access_any_path(&d->rules, &owner));
    add_sharing(d, rights);
    return rights;
}

/* What no other job has, of no other store either: files that bear it were
 * finished by an earlier attempt. */
static json_t *make_mark(const struct store_job *job)
{
    return json_sprintf("%lld %lld", (long long)job->id,
                        (long long)job->created);
}

static int launch_attempt(struct work *w, struct error *e)
{
    struct daemon *d = w->dispatcher->daemon;
    json_t *rights = work_rights(d, w->row->job.uid);
    json_object_set_new(rights, "mark", make_mark(&w->row->job));
    char *opener = places_program(d->configuration.opener, "transcoded-files");
    const struct attempt_config config = {
        .loop = &d->loop,
        .warm = d->warm,
        .limits = &d->configuration.limits,
        .log = &w->story.log,
        .purpose = ATTEMPT_WORK,
        .id = w->row->job.id,
        .number = w->row->job.attempts,
        .job = &w->job,
        .channel = w->channel,
        .opener = opener,
        .rights = rights,
    };
    int r = attempt_start(&w->attempt, &config, &attempt_ops, w, e);
    free(opener);
    json_decref(rights);
    return r;
}

/* Its turn was taken back: it did not begin. */
static void unbegin(struct work *w)
{
    w->row->job.attempts--;
    requeue(w);
}

static void launch(struct work *w)
{
    struct error e = {0};

    if (launch_attempt(w, &e) < 0) {
        dispatcher_hold_breath(w->dispatcher, e.text); // no fault of the job
        unbegin(w);
        return;
    }
    dispatcher_breathe(w->dispatcher);
    w->phase = WORK_RUNNING;
    w->record = (struct store_attempt){
        .number = w->row->job.attempts,
        .started = clock_wall(),
    };
    save_attempt(w);
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
    load_of(w)->ungranted++;
    w->row->job.attempts++;
    story_begin(&w->story, w->row->job.attempts);
    enter(w, STATE_STARTING);
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

static void reply_all(struct list *calls)
{
    list_foreach (link, next, calls) {
        struct call *call = list_entry(link, struct call, link);
        list_remove(link);
        call_reply(call, NULL);
    }
}

static void refuse_all(struct list *calls, enum state state)
{
    list_foreach (link, next, calls) {
        struct call *call = list_entry(link, struct call, link);
        list_remove(link);
        reply_wrong_state(call, state);
    }
}

static void fail_all(struct list *calls, const struct error *e)
{
    list_foreach (link, next, calls) {
        struct call *call = list_entry(link, struct call, link);
        list_remove(link);
        reply_unavailable(call, e);
    }
}

/* Back into the queue; what was asked for meanwhile is answered. */
static void requeue(struct work *w)
{
    struct dispatcher *j = w->dispatcher;
    struct backlog_job *row = w->row;

    give_back(w);
    store_attempt_fini(&w->record);
    w->phase = WORK_QUEUED;
    backlog_requeue(j->backlog, row);
    enter(w, STATE_QUEUED);
    answer_holders(w);
    if (!list_empty(&w->enders)) { // the attempt ended before it was asked
        work_finish(w, OUTCOME_CANCELLED, "cancelled", NULL);
    } else if (row->job.attached && j->stopping) {
        work_finish(w, OUTCOME_INTERRUPTED, "the service was shut down", NULL);
    } else if (!row->job.attached) {
        work_destroy(w); // a row will do again
    }
    dispatcher_check_settled(j);
}

/* The end is in the store: tell, and forget. */
static void settle(struct work *w)
{
    struct dispatcher *j = w->dispatcher;
    struct backlog_job *row = w->row;

    if (row->job.state == STATE_CANCELLED)
        reply_all(&w->enders);
    else
        refuse_all(&w->enders, row->job.state);
    refuse_all(&w->holders, row->job.state);
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
        fail_all(&w->enders, e);
        fail_all(&w->holders, e);
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
        save_attempt(w);
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
    if (outcome != OUTCOME_DONE) { // what is there is no result of it
        ev.outcome.outputs = NULL;
        ev.outcome.output_count = 0;
    }
    char *words = xstrdup(text);
    ev.outcome.text = words;
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
    if (w->record.number > 0) {
        free(w->record.detail);
        w->record.detail = dump(w->outcome);
    }
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
