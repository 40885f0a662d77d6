#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "connection.h"
#include "daemon.h"
#include "dispatcher.h"
#include "fallback.h"
#include "followers.h"
#include "methods.h"
#include "reply.h"
#include "store/store.h"

#define PAGE      50 // jobs in a list, if nobody says how many
#define PAGE_MOST 1000

/* A call that waits for the store. */
struct query {
    struct daemon *daemon; // not owned
    struct call *call;     // owned
    int64_t id;
};

static struct query *query_create(struct daemon *d, struct call *call,
                                  int64_t id)
{
    struct query *q = xcalloc(1, sizeof(*q));

    q->daemon = d;
    q->call = call;
    q->id = id;
    return q;
}

static void set_time(json_t *object, const char *name, int64_t time)
{
    json_object_set_new(object, name, time ? json_integer(time) : json_null());
}

/* A JSON document that is kept as text. */
static json_t *parsed(const char *text)
{
    json_t *json = text ? json_loads(text, JSON_DECODE_ANY, NULL) : NULL;

    return json ? json : json_null();
}

static json_t *outcome_or_null(enum outcome o)
{
    return o == OUTCOME_NONE ? json_null() : json_string(outcome_name(o));
}

/* What anybody may see: id, state and times. */
static json_t *public_part(const struct store_record *r)
{
    json_t *object = json_pack("{s:I, s:s}", "id", (json_int_t)r->job.id,
                               "state", state_name(r->job.state));

    set_time(object, "created", r->job.created);
    set_time(object, "started", r->started);
    set_time(object, "ended", r->ended);
    return object;
}

static bool may_see(const struct query *q, const struct store_record *r)
{
    return access_role(&q->daemon->rules, &q->call->peer, r->job.uid) !=
           ACCESS_STRANGER;
}

/* The paths of the job's outputs. */
static json_t *output_paths(const json_t *job)
{
    json_t *paths = json_array();
    size_t i;
    json_t *output;

    json_array_foreach (json_object_get(job, "outputs"), i, output)
        json_array_append(paths, json_object_get(output, "path"));
    return paths;
}

static json_t *summary(const struct query *q, const struct store_record *r)
{
    json_t *object = public_part(r);

    if (!may_see(q, r))
        return object;
    json_t *job = parsed(r->document);
    json_t *input =
        json_object_get(json_object_get(job, "input"), "path"); // borrowed
    json_object_set_new(object, "outcome", outcome_or_null(r->outcome));
    json_object_set_new(object, "priority",
                        json_string(job_priority_name(r->job.priority)));
    json_object_set_new(object, "attached", json_boolean(r->job.attached));
    json_object_set_new(object, "attempts", json_integer(r->job.attempts));
    json_object_set_new(object, "uid", json_integer(r->job.uid));
    json_object_set_new(object, "key",
                        r->key ? json_string(r->key) : json_null());
    json_object_set(object, "input", input);
    json_object_set_new(object, "outputs", output_paths(job));
    json_decref(job);
    return object;
}

static void on_listed(void *user, int result,
                      const struct store_record *records, size_t count,
                      const struct error *e)
{
    struct query *q = user;

    if (result < 0) {
        reply_unavailable(q->call, e);
    } else {
        json_t *jobs = json_array();
        for (size_t i = 0; i < count; i++)
            json_array_append_new(jobs, summary(q, &records[i]));
        call_reply(q->call, json_pack("{s:o}", "jobs", jobs));
    }
    free(q);
}

/* The mask of `states`; false: @call was answered. */
static bool parameter_states(struct call *call, unsigned *ret)
{
    const json_t *states = json_object_get(call->message.parameters, "states");
    unsigned mask = 0;
    size_t i;
    json_t *name;

    if (states && !json_is_null(states) && !json_is_array(states)) {
        reply_invalid_parameter(call, "states");
        return false;
    }
    json_array_foreach (states, i, name) {
        int state = json_is_string(name)
                        ? state_from_name(json_string_value(name))
                        : -1;
        if (state < 0) {
            reply_invalid_parameter(call, "states");
            return false;
        }
        mask |= 1U << state;
    }
    *ret = mask;
    return true;
}

void query_list(struct daemon *d, struct call *call)
{
    unsigned states;
    int64_t limit;
    int64_t before;

    if (!parameter_states(call, &states) ||
        !parameter_integer(call, "limit", PAGE, 1, &limit) ||
        !parameter_integer(call, "before", 0, 0, &before))
        return;
    if (limit > PAGE_MOST)
        limit = PAGE_MOST;
    store_list(d->store, states, before, (size_t)limit, on_listed,
               query_create(d, call, 0));
}

/* Last lines that hold what a driver said are for those who look after it. */
static json_t *log_for(const struct query *q, const struct store_attempt *a)
{
    const struct access_rules *rules = &q->daemon->rules;

    if (a->device[0] &&
        fallback_is_of_driver(a->device, a->outcome, OUTCOME_PART_DEVICE) &&
        !access_is_operator(rules, &q->call->peer))
        return json_array();
    return parsed(a->log);
}

static json_t *attempt_to_json(const struct query *q,
                               const struct store_attempt *a)
{
    json_t *object = json_pack(
        "{s:I, s:o, s:o, s:o, s:o, s:s?, s:o, s:s?, s:o}", "number",
        (json_int_t)a->number, "device",
        a->device[0] ? json_string(a->device) : json_null(), "plan",
        parsed(a->plan), "given", parsed(a->given), "why", parsed(a->why),
        "fallback", a->fallback, "outcome", outcome_or_null(a->outcome), "text",
        a->text, "log", log_for(q, a));

    set_time(object, "started", a->started);
    set_time(object, "ended", a->ended);
    return object;
}

static json_t *details(const struct query *q, const struct store_record *r)
{
    json_t *object = public_part(r);
    json_t *attempts = json_array();

    if (!may_see(q, r)) {
        json_decref(attempts);
        return object;
    }
    for (size_t i = 0; i < r->attempt_count; i++)
        json_array_append_new(attempts, attempt_to_json(q, &r->attempts[i]));
    json_object_set_new(object, "outcome", outcome_or_null(r->outcome));
    json_object_set_new(object, "uid", json_integer(r->job.uid));
    json_object_set_new(object, "attached", json_boolean(r->job.attached));
    json_object_set_new(object, "job", parsed(r->document));
    json_object_set_new(object, "attempts", attempts);
    return object;
}

/* Answers what is no record; false then. */
static bool got(struct query *q, int result, const struct error *e)
{
    if (result == -ENOENT)
        reply_no_such_job(q->call, q->id);
    else if (result < 0)
        reply_unavailable(q->call, e);
    return result >= 0;
}

static void on_shown(void *user, int result, const struct store_record *r,
                     const struct error *e)
{
    struct query *q = user;

    if (got(q, result, e))
        call_reply(q->call, details(q, r));
    free(q);
}

void query_show(struct daemon *d, struct call *call)
{
    int64_t id;

    if (parameter_id(call, &id))
        store_get(d->store, id, on_shown, query_create(d, call, id));
}

/* The outcome of a job that ended before anybody asked. A new reference. */
static json_t *past_outcome(const struct store_record *r)
{
    for (size_t i = r->attempt_count; i > 0; i--) {
        json_t *kept = parsed(r->attempts[i - 1].detail);
        if (json_is_object(kept))
            return kept;
        json_decref(kept);
    }
    struct event ev = {
        .job = r->job.id,
        .attempt = r->job.attempts,
        .time = r->ended,
        .kind = EVENT_OUTCOME,
        .outcome = {.outcome = r->outcome, .text = (char[]){""}, .whole = -1},
    };
    return event_to_json(&ev);
}

/* One that has ended: its state and its outcome, and that is all. */
static void follow_past(struct query *q, const struct store_record *r)
{
    const struct event ev = {
        .job = r->job.id,
        .attempt = r->job.attempts,
        .time = r->ended,
        .kind = EVENT_STATE,
        .state = r->job.state,
    };
    json_t *state = json_pack("{s:o}", "event", event_to_json(&ev));

    call_continue(q->call, state);
    json_decref(state);
    call_reply(q->call, json_pack("{s:o}", "event", past_outcome(r)));
}

static void follow_present(struct daemon *d, struct call *call,
                           const struct backlog_job *row)
{
    json_t *state = json_pack("{s:o}", "event", dispatcher_state_event(row));

    call_continue(call, state);
    json_decref(state);
    followers_add(d->followers, call, row->job.id, NULL, NULL);
}

static void on_followed(void *user, int result, const struct store_record *r,
                        const struct error *e)
{
    struct query *q = user;

    if (!got(q, result, e)) {
        free(q);
        return;
    }
    const struct backlog_job *row =
        dispatcher_find(q->daemon->dispatcher, q->id);
    if (!may_see(q, r))
        reply_not_permitted(q->call, "it is another user's job");
    else if (row && !state_is_terminal(row->job.state))
        follow_present(q->daemon, q->call, row);
    else if (state_is_terminal(r->job.state))
        follow_past(q, r);
    else // between its end and the store: the end is told soon
        followers_add(q->daemon->followers, q->call, q->id, NULL, NULL);
    free(q);
}

void query_follow(struct daemon *d, struct call *call)
{
    int64_t id;

    if (!parameter_integer(call, "id", 0, INT64_MIN, &id))
        return;
    const json_t *given = json_object_get(call->message.parameters, "id");
    if (!given || json_is_null(given))
        followers_add(d->followers, call, 0, NULL, NULL);
    else
        store_get(d->store, id, on_followed, query_create(d, call, id));
}
