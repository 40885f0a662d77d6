/* The method Report: how the devices were, and what was done on them. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "connection.h"
#include "daemon.h"
#include "methods.h"
#include "reply.h"
#include "store/report.h"

#define DAYS      7 // if nobody says how many
#define DAYS_MOST 396

/* So that a reply is read by a person and fits into a message. */
static const struct {
    int64_t days; // up to so many
    int32_t step; // hours
} steps[] = {{2, 1}, {92, 24}, {DAYS_MOST, 168}};

struct reporting {
    struct call *call; // owned
    int64_t since;     // µs since the epoch
    int32_t step;      // hours
};

/* What is told of a device and a step. */
struct period {
    int64_t time;
    const char *device; // borrowed
    int64_t jobs;
    json_t *readings; // owned, by name
};

struct periods {
    struct period *list; // owned
    size_t count;
    size_t room;
};

static struct period *find(struct periods *p, int64_t time, const char *device)
{
    for (size_t i = p->count; i > 0; i--) { // what comes is near the end
        struct period *known = &p->list[i - 1];
        if (known->time == time && strcmp(known->device, device) == 0)
            return known;
    }
    p->list = xgrow(p->list, &p->room, p->count + 1, sizeof(*p->list));
    struct period *new = &p->list[p->count++];
    *new = (struct period){
        .time = time, .device = device, .readings = json_object()};
    return new;
}

static int compare(const void *a, const void *b)
{
    const struct period *left = a;
    const struct period *right = b;

    if (left->time != right->time)
        return left->time < right->time ? -1 : 1;
    return strcmp(left->device, right->device);
}

static void add_reading(struct periods *p, const struct store_step *s)
{
    const struct store_reading *r = &s->reading;
    struct period *period = find(p, s->time, r->device);

    json_object_set_new(period->readings, r->name,
                        json_pack("{s:f, s:f, s:f}", "least", r->least, "mean",
                                  r->sum / (double)r->count, "most", r->most));
}

/* Takes the periods of @p apart. A new reference. */
static json_t *periods_to_json(struct periods *p)
{
    json_t *list = json_array();

    if (p->count)
        qsort(p->list, p->count, sizeof(*p->list), compare);
    for (size_t i = 0; i < p->count; i++) {
        json_t *one = p->list[i].readings;
        json_object_set_new(one, "time", json_integer(p->list[i].time));
        json_object_set_new(one, "device", json_string(p->list[i].device));
        json_object_set_new(one, "jobs", json_integer(p->list[i].jobs));
        json_array_append_new(list, one);
    }
    free(p->list);
    return list;
}

static json_t *describe_periods(const struct store_report *r)
{
    struct periods p = {0};

    for (size_t i = 0; i < r->step_count; i++)
        add_reading(&p, &r->steps[i]);
    for (size_t i = 0; i < r->tally_count; i++) {
        const struct store_tally *t = &r->tallies[i];
        if (t->outcome == OUTCOME_DONE)
            find(&p, t->time, t->device)->jobs += t->count;
    }
    return periods_to_json(&p);
}

static bool is_like(const struct store_tally *a, const struct store_tally *b)
{
    return a->is_video == b->is_video && a->outcome == b->outcome &&
           strcmp(a->device, b->device) == 0 &&
           strcmp(a->reason, b->reason) == 0;
}

/* Of all steps together. A new reference. */
static json_t *describe_tallies(const struct store_report *r)
{
    json_t *list = json_array();

    for (size_t i = 0; i < r->tally_count; i++) {
        const struct store_tally *t = &r->tallies[i];
        int64_t count = 0;
        size_t first = 0;

        while (!is_like(&r->tallies[first], t))
            first++;
        if (first < i)
            continue; // it was counted there
        for (size_t k = i; k < r->tally_count; k++)
            count += is_like(&r->tallies[k], t) ? r->tallies[k].count : 0;
        json_array_append_new(
            list,
            json_pack("{s:s, s:b, s:s, s:s, s:I}", "device", t->device, "video",
                      t->is_video, "outcome", outcome_name(t->outcome),
                      "reason", t->reason, "count", (json_int_t)count));
    }
    return list;
}

static void on_reported(void *user, int result,
                        const struct store_report *report,
                        const struct error *e)
{
    struct reporting *r = user;

    if (result < 0)
        reply_unavailable(r->call, e);
    else
        call_reply(r->call, json_pack("{s:I, s:I, s:o, s:o}", "from",
                                      (json_int_t)r->since, "step",
                                      (json_int_t)r->step * 3600, "periods",
                                      describe_periods(report), "tallies",
                                      describe_tallies(report)));
    free(r);
}

void reporting_show(struct daemon *d, struct call *call)
{
    int64_t days;
    size_t i = 0;

    if (!parameter_integer(call, "days", DAYS, 1, &days))
        return;
    if (days > DAYS_MOST)
        days = DAYS_MOST;
    while (steps[i].days < days)
        i++;
    struct reporting *r = xcalloc(1, sizeof(*r));
    r->call = call;
    r->step = steps[i].step;
    r->since = clock_wall() - days * REPORT_DAY;
    r->since -= r->since % (r->step * REPORT_HOUR);
    store_report(d->store, r->since, r->step, on_reported, r);
}
