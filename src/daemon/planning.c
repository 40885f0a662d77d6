/*
 * planning: Plan. A worker inspects and plans, and ends; it is granted what it
 * would be granted, opens no output and holds no slot.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attempt.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/memory.h"
#include "connection.h"
#include "crew.h"
#include "daemon.h"
#include "dispatcher.h"
#include "inventory.h"
#include "lending.h"
#include "methods.h"
#include "reply.h"
#include "rights.h"
#include "submit.h"
#include "work.h"

struct planning {
    struct list link;      // dispatcher.plannings
    struct daemon *daemon; // not owned
    struct call *call;     // owned; NULL: answered
    uid_t uid;             // who asked
    struct job job;
    struct log log;
    struct loan loan;        // the VRAM that its worker takes; never granted
    struct attempt *attempt; // owned; NULL: it waits for the first survey
    struct json_t *plan;     // referenced; the reply, once it is known
    bool is_refused;         // it would never be granted what it requires
    char why[192];           // of the grant, or of the refusal
};

static void planning_destroy(struct planning *p)
{
    struct dispatcher *dispatcher = p->daemon->dispatcher;

    list_remove(&p->link);
    dispatcher->load.attempts--;
    dispatcher_wake(dispatcher);
    lending_leave(p->daemon->lending, &p->loan);
    attempt_destroy(p->attempt);
    job_fini(&p->job);
    json_decref(p->plan);
    free(p);
    dispatcher_check_settled(dispatcher);
}

static void interrupt(struct planning *p)
{
    if (p->attempt) {
        attempt_kill(p->attempt, TASK_SHUTDOWN);
        return;
    }
    p->call->hung_up = NULL;
    reply_shutting_down(p->call);
    planning_destroy(p);
}

void planning_interrupt_all(struct dispatcher *dispatcher)
{
    list_foreach (link, next, &dispatcher->plannings)
        interrupt(list_entry(link, struct planning, link));
}

int64_t planning_due(const struct dispatcher *dispatcher)
{
    int64_t first = 0;

    list_foreach (link, next, &dispatcher->plannings) {
        const struct planning *p = list_entry(link, struct planning, link);
        int64_t due = p->attempt ? attempt_due(p->attempt) : 0;
        if (due && (!first || due < first))
            first = due;
    }
    return first;
}

size_t planning_count(const struct dispatcher *dispatcher, uid_t uid)
{
    size_t count = 0;

    list_foreach (link, next, &dispatcher->plannings)
        count += list_entry(link, struct planning, link)->uid == uid;
    return count;
}

static void on_hung_up(void *user)
{
    struct planning *p = user;

    call_end(p->call);
    p->call = NULL;
    if (p->attempt)
        attempt_kill(p->attempt, TASK_CLIENT_GONE);
    else
        planning_destroy(p);
}

/* As if nobody else were there. */
static void forget_others(struct scheduler_view *view)
{
    view->load = (struct scheduler_load){0};
    for (size_t i = 0; i < view->device_count; i++) {
        struct capacity_use *use = &view->devices[i].use;
        *use =
            (struct capacity_use){.total = use->total, .reserve = use->reserve};
    }
}

/* What it would be granted now; if it would have to wait, then. */
static void decide(struct planning *p, const struct need *need,
                   struct scheduler_answer *ret)
{
    static const struct fallback nothing;
    struct scheduler_view view;
    const struct scheduler_job job = {
        .priority = p->job.priority,
        .hardware = p->job.hardware,
        .device = p->job.device,
        .need = need,
        .fallback = &nothing,
        .since = clock_now(),
        .lane = p->job.hardware,
        .stays = true,
    };

    dispatcher_view(p->daemon->dispatcher, &view);
    scheduler_decide(&view, &job, ret);
    if (ret->verdict == SCHEDULER_WAITS) {
        (void)snprintf(p->why, sizeof(p->why), "it would wait: %s",
                       ret->why[0] ? ret->why : "the CPU's slots are taken");
        forget_others(&view);
        scheduler_decide(&view, &job, ret);
    } else {
        (void)snprintf(p->why, sizeof(p->why), "%s", ret->why);
    }
    if (view.device_count == 0 && p->why[0])
        (void)snprintf(p->why, sizeof(p->why), "%s",
                       inventory_problem(p->daemon->inventory));
}

static void on_needs(void *user, const struct need *need)
{
    struct planning *p = user;
    struct scheduler_answer answer;

    decide(p, need, &answer);
    if (answer.verdict == SCHEDULER_GRANTS) {
        attempt_grant(p->attempt, &answer.grant);
        return;
    }
    p->is_refused = true;
    attempt_stop(p->attempt, TASK_CANCELLED);
}

static json_t *strings(char *const *list, size_t count)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(array, json_string(list[i]));
    return array;
}

static void on_told(void *user, struct event *ev)
{
    struct planning *p = user;

    if (ev->kind != EVENT_READY || p->plan)
        return;
    json_t *why = strings(ev->ready.why, ev->ready.why_count);
    if (p->why[0])
        json_array_append_new(why, json_string(p->why));
    p->plan =
        json_pack("{s:s, s:o, s:o}", "device", ev->ready.device, "plan",
                  strings(ev->ready.plan, ev->ready.plan_count), "why", why);
}

/* The job cannot be planned: which of its fields is at fault is not known, but
 * the worker has said why. */
static void refuse(struct planning *p, const struct attempt_result *result)
{
    struct error e = {0};

    if (p->is_refused)
        error_set_field(&e, -ENODEV, "hardware", "%s", p->why);
    else
        error_set_field(
            &e, -1, result->outcome == OUTCOME_BAD_INPUT ? "input.path" : "",
            "%s: %s", outcome_name(result->outcome), result->text);
    reply_invalid_job(p->call, &e);
}

static void on_ended(void *user, const struct attempt_result *result)
{
    struct planning *p = user;

    if (p->call) {
        p->call->hung_up = NULL;
        if (p->plan && result->outcome == OUTCOME_DONE)
            call_reply(p->call, json_incref(p->plan));
        else if (result->reason == TASK_SHUTDOWN)
            reply_shutting_down(p->call);
        else
            refuse(p, result);
    }
    planning_destroy(p);
}

static const struct attempt_ops ops = {on_needs, on_told, on_ended};

static int start(struct planning *p, struct error *e)
{
    struct daemon *d = p->daemon;
    json_t *rights = rights_of(d, p->call->peer.uid);
    char *opener = places_program(d->configuration.opener, "transcoded-files");
    const struct attempt_config config = {
        .loop = &d->loop,
        .warm = crew_pick(d->crew, &p->job),
        .inventory = d->inventory,
        .limits = &d->configuration.limits,
        .log = &p->log,
        .purpose = ATTEMPT_PLAN,
        .number = 1,
        .job = &p->job,
        .channel = p->call->fd_count ? p->call->fds[0] : -1,
        .opener = opener,
        .rights = rights,
    };
    int r = attempt_start(&p->attempt, &config, &ops, p, e);
    if (r == 0)
        lending_join(d->lending, &p->loan, attempt_pid(p->attempt));
    json_decref(rights);
    free(opener);
    if (p->call->fd_count)
        fd_close(&p->call->fds[0]);
    p->call->fd_count = 0;
    return r;
}

static void begin(struct planning *p)
{
    struct error e = {0};

    if (start(p, &e) == 0)
        return;
    p->call->hung_up = NULL;
    reply_unavailable(p->call, &e);
    planning_destroy(p);
}

void planning_begin_all(struct dispatcher *dispatcher)
{
    list_foreach (link, next, &dispatcher->plannings)
        begin(list_entry(link, struct planning, link));
}

void planning_start(struct daemon *d, struct call *call)
{
    const json_t *document;
    struct error e = {0};
    struct job job;
    int64_t limit;

    if (!submit_document(call, &document))
        return;
    if (d->phase != DAEMON_SERVING) {
        reply_shutting_down(call);
        return;
    }
    if (submit_read(d, call, document,
                    call->fd_count ? SUBMIT_BY_CHANNEL : SUBMIT_BY_ROOTS, &job,
                    &e) < 0) {
        reply_invalid_job(call, &e);
        return;
    }
    if (!dispatcher_has_room(d->dispatcher, call->peer.uid, &limit)) {
        job_fini(&job);
        reply_too_many(call, limit);
        return;
    }
    struct planning *p = xcalloc(1, sizeof(*p));
    p->daemon = d;
    loan_init(&p->loan);
    p->call = call;
    p->uid = call->peer.uid;
    p->job = job;
    log_init(&p->log, NULL, "plan");
    list_append(&d->dispatcher->plannings, &p->link);
    d->dispatcher->load.attempts++;
    call->hung_up = on_hung_up;
    call->user = p;
    if (!d->dispatcher->is_blind)
        begin(p);
}
