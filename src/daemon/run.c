#include "run.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "attempt.h"
#include "base/clock.h"
#include "base/memory.h"
#include "crew.h"
#include "daemon.h"
#include "dispatcher.h"
#include "inventory.h"
#include "record.h"
#include "rights.h"
#include "scheduler.h"
#include "work.h"

#define LAST_WORDS 5 // lines

static struct scheduler_load *load_of(const struct work *w)
{
    return &w->dispatcher->load;
}

static struct lending *lending_of(const struct work *w)
{
    return w->dispatcher->daemon->lending;
}

static void on_needs(void *user, const struct need *need)
{
    struct work *w = user;

    load_of(w)->inspecting[w->row->lane]--;
    w->need = *need;
    w->is_waiting = true;
    if (!w->waits_since)
        w->waits_since = clock_now() - w->waited;
    dispatcher_wake(w->dispatcher);
}

/* The client learns why it goes on elsewhere; nothing of drivers. */
static void tell_fallback(struct work *w, const char *to)
{
    struct event ev = {.kind = EVENT_FALLBACK};
    char device[sizeof(((struct grant *)0)->device)];

    (void)snprintf(device, sizeof(device), "%s", to);
    ev.fallback.from = w->fallback.from;
    ev.fallback.to = device;
    ev.fallback.reason = w->fallback.reason;
    log_warning(&w->story.log, "falling back from %s to %s: %s",
                w->fallback.from, to, w->fallback.reason);
    dispatcher_tell(w->dispatcher, w->row, &ev);
    w->fallback.is_pending = false;
}

static void grant(struct work *w, const struct scheduler_answer *a)
{
    w->is_waiting = false;
    w->is_granted = true;
    w->takes_slot = a->takes_slot;
    w->waited = clock_now() - w->waits_since;
    w->waits_since = 0;
    load_of(w)->ungranted[w->row->lane]--;
    load_of(w)->cpu_jobs += a->takes_slot;
    (void)snprintf(w->why, sizeof(w->why), "%s", a->why);
    lending_lend(lending_of(w), &w->loan, &a->grant, &w->need);
    record_grant(&w->record, &a->grant,
                 w->fallback.is_pending ? w->fallback.reason : NULL);
    if (w->fallback.is_pending)
        tell_fallback(w, a->grant.device);
    attempt_grant(w->attempt, &a->grant);
    dispatcher_wake(w->dispatcher); // the next one may be inspected
}

static void refuse(struct work *w, const struct scheduler_answer *a)
{
    record_end(&w->record, a->outcome, a->why, NULL);
    work_finish(w, a->outcome, a->why, NULL);
}

/* From now on it is one of those that wait for the CPU, or for one card. */
static void change_lane(struct work *w, size_t lane)
{
    load_of(w)->ungranted[w->row->lane]--;
    w->row->lane = (uint8_t)lane;
    load_of(w)->ungranted[lane]++;
    dispatcher_wake(w->dispatcher); // the next one may be inspected
}

void run_decide(struct work *w, struct scheduler_view *view)
{
    const struct inventory *inventory = w->dispatcher->daemon->inventory;
    struct scheduler_job job = {
        .priority = w->row->job.priority,
        .hardware = w->job.hardware,
        .device = w->job.device,
        .need = &w->need,
        .fallback = &w->fallback,
        .since = w->waits_since,
        .lane = w->row->lane,
    };
    struct scheduler_answer a;

    if (!attempt_is_waiting(w->attempt))
        return; // it is being stopped
    job.held = lending_held(&w->loan, &job.held_on);
    scheduler_decide(view, &job, &a);
    // why there is no GPU is known better there
    if (a.why[0] && view->device_count == 0)
        (void)snprintf(a.why, sizeof(a.why), "%s",
                       inventory_problem(inventory));
    if (a.lane != w->row->lane)
        change_lane(w, a.lane);
    switch (a.verdict) {
    case SCHEDULER_WAITS:
        dispatcher_look_at(w->dispatcher, a.until);
        break;
    case SCHEDULER_RETURNS:
        attempt_stop(w->attempt, TASK_RETURNED);
        break;
    case SCHEDULER_GRANTS:
        // when the worker that stands ready is gone, it is decided again
        if (!a.sends_warm_away ||
            !crew_dismiss(w->dispatcher->daemon->crew, a.grant.device))
            grant(w, &a);
        break;
    case SCHEDULER_REFUSES:
        refuse(w, &a);
        break;
    }
}

/* What the scheduler has to say stands beside the worker's own reasons. */
static void add_reason(struct event_ready *ready, const char *text)
{
    if (!text[0] || ready->why_count >= EVENT_PLAN_MOST)
        return;
    char **why = xcalloc(ready->why_count + 1, sizeof(*why));
    for (size_t i = 0; i < ready->why_count; i++)
        why[i] = ready->why[i];
    why[ready->why_count++] = xstrdup(text);
    free(ready->why);
    ready->why = why;
}

static void on_ready(struct work *w, struct event_ready *ready)
{
    add_reason(ready, w->why);
    story_set_device(&w->story, ready->device);
    log_info(&w->story.log, "running on %s attempt=%d", ready->device,
             w->row->job.attempts);
    record_plan(&w->record, ready);
    work_save_attempt(w);
    work_enter(w, STATE_RUNNING);
}

static void tell_kept_lines(struct work *w)
{
    struct event line;

    while (hush_take(&w->hush, &line)) {
        dispatcher_tell(w->dispatcher, w->row, &line);
        event_fini(&line);
    }
}

static void on_progress(struct work *w, const struct event *ev)
{
    w->position = ev->progress.out_time;
    if (ev->progress.whole > w->whole)
        w->whole = ev->progress.whole;
    lending_flow(lending_of(w), &w->loan, ev->progress.frame);
    if (hush_progress(&w->hush, ev))
        tell_kept_lines(w);
}

static void on_told(void *user, struct event *ev)
{
    struct work *w = user;

    if (ev->kind == EVENT_LOG && w->loan.account) {
        hush_keep(&w->hush, ev);
        return;
    }
    if (ev->kind == EVENT_READY)
        on_ready(w, &ev->ready);
    else if (ev->kind == EVENT_PROGRESS)
        on_progress(w, ev);
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

/* Which part of a device the worker blames; nobody else knows. */
static enum outcome_part part_of(const struct attempt_result *result)
{
    if (!result->said || result->said->outcome != result->outcome)
        return OUTCOME_PART_NONE;
    return result->said->part;
}

/* Was it the device, and what will the next attempt do without? Device and job
 * remember it. */
static enum task_cause find_cause(struct work *w,
                                  const struct attempt_result *result)
{
    enum outcome_part part = part_of(result);

    if (!w->is_granted || result->reason == TASK_OPENER_DIED)
        return TASK_OF_JOB;
    if (result->was_given_up) // and so is what its driver holds
        lending_judge(lending_of(w), &w->loan, OUTCOME_DEVICE_LOST,
                      OUTCOME_PART_DEVICE, result->text);
    else
        lending_judge(lending_of(w), &w->loan, result->outcome, part,
                      result->text);
    enum fallback_step step =
        fallback_judge(&w->fallback, w->job.hardware, &w->need, &w->loan.grant,
                       result->outcome, part);
    if (step != FALLBACK_AGAIN)
        w->waited = 0; // what it waits for next is something else
    return step == FALLBACK_AGAIN || step == FALLBACK_WITHOUT ? TASK_OF_DEVICE
           : step == FALLBACK_END                             ? TASK_OF_NEED
                                                              : TASK_OF_JOB;
}

/* The job ends with its attempt. Whoever reads a growing output must know how
 * far it is good: as far as the worker had said, for it may have died since. */
static void finish(struct work *w, const struct attempt_result *result,
                   enum task_trace trace)
{
    w->leaves_part = trace == TASK_SEEN && result->outcome != OUTCOME_DONE;
    if (!w->leaves_part) {
        work_finish(w, result->outcome, result->text, result->said);
        return;
    }
    // cut, not rounded: never more than there is
    double tenths = (double)(int64_t)(w->whole * 10);
    char *text = xasprintf("%s; the output is whole up to %.1f s", result->text,
                           tenths / 10);
    work_finish(w, result->outcome, text, result->said);
    free(text);
}

/* A reader of growing output may have seen what a second try would rewrite,
 * once there is a byte of it; a worker that died mute does not tell. */
static enum task_trace trace_of(const struct work *w,
                                const struct attempt_result *result)
{
    int64_t written = 0;

    if (!result->was_ready || w->job.delivery != JOB_GROWING)
        return TASK_UNSEEN;
    if (!result->said || w->position > 0)
        return TASK_SEEN;
    for (size_t i = 0; i < result->said->output_count; i++)
        written += result->said->outputs[i].size;
    return written > 0 ? TASK_SEEN : TASK_UNSEEN;
}

/* What a driver says is for those who look after it, and stays in the log. The
 * job's own client gets our words for it, in @room. */
static bool silence_driver(const struct work *w, struct attempt_result *result,
                           char *room, size_t size)
{
    enum outcome_part part = part_of(result);

    if (!w->is_granted ||
        !fallback_is_of_driver(w->loan.grant.device, result->outcome, part))
        return false;
    log_warning(&w->story.log, "attempt %d %s: %s", w->row->job.attempts,
                outcome_name(result->outcome), result->text);
    fallback_describe(&w->loan.grant, result->outcome, part, room, size);
    result->text = room;
    return true;
}

/* The attempt's last lines, and what a driver said behind them. */
static void keep_record(struct work *w, const struct attempt_result *result,
                        const char *driver)
{
    json_t *log = json_array();

    (void)json_array_extend(log, (json_t *)result->log);
    if (driver)
        (void)json_array_append_new(log, json_string(driver));
    record_end(&w->record, result->outcome, result->text, log);
    json_decref(log);
    work_save_attempt(w);
}

static void on_attempt_ended(void *user, const struct attempt_result *given)
{
    struct work *w = user;
    struct attempt_result told = *given;
    const struct attempt_result *result = &told;
    char words[sizeof(w->fallback.reason)];
    const struct task_ending ending = {
        .outcome = result->outcome,
        .reason = result->reason,
        .trace = trace_of(w, result),
        .cause = find_cause(w, result),
    };

    enum task_verdict verdict = task_verdict(
        &w->row->job, &ending, &w->dispatcher->daemon->configuration.limits);
    bool is_silenced = silence_driver(w, &told, words, sizeof(words));
    keep_record(w, result, is_silenced ? given->text : NULL);
    log_last_words(w, result);
    if (verdict != TASK_ELSEWHERE && !is_silenced)
        tell_kept_lines(w);
    hush_fini(&w->hush);
    switch (verdict) {
    case TASK_END:
        finish(w, result, ending.trace);
        break;
    case TASK_AGAIN:
        if (result->outcome != OUTCOME_INTERRUPTED)
            tell_retry(w, result);
        work_requeue(w);
        break;
    case TASK_ELSEWHERE:
        log_info(&w->story.log, "attempt %d %s: %s; going on elsewhere",
                 w->row->job.attempts, outcome_name(result->outcome),
                 result->text);
        work_restart(w);
        break;
    }
}

static const struct attempt_ops attempt_ops = {
    .needs = on_needs,
    .told = on_told,
    .ended = on_attempt_ended,
};

int run_launch(struct work *w, struct error *e)
{
    struct daemon *d = w->dispatcher->daemon;
    json_t *rights = rights_of(d, w->row->job.uid);
    json_object_set_new(rights, "mark", rights_mark(&w->row->job));
    char *opener = places_program(d->configuration.opener, "transcoded-files");
    const struct attempt_config config = {
        .loop = &d->loop,
        .warm = crew_pick(d->crew, &w->job),
        .inventory = d->inventory,
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
    if (r == 0)
        lending_join(d->lending, &w->loan, attempt_pid(w->attempt));
    w->position = 0;
    w->whole = 0;
    free(opener);
    json_decref(rights);
    return r;
}
