#include "store/report.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"
#include "store/store.h"
#include "store/trend.h"
#include "store/writer.h"

void store_report_fini(struct store_report *r)
{
    for (size_t i = 0; i < r->tally_count; i++)
        free(r->tallies[i].reason);
    free(r->tallies);
    free(r->steps);
    *r = (struct store_report){0};
}

struct note {
    struct request request;
    int64_t time;                   // µs since the epoch
    struct store_reading *readings; // owned
    size_t count;
};

static int note_carry_out(struct request *q, struct database *db,
                          struct error *e)
{
    const struct note *n = (const struct note *)q;

    return trend_note(db, n->time, n->readings, n->count, e);
}

static void note_deliver(struct request *q)
{
    (void)q; // nobody waits for it
}

static void note_destroy(struct request *q)
{
    struct note *n = (struct note *)q;

    free(n->readings);
    free(n);
}

static const struct request_kind note_kind = {
    note_carry_out,
    note_deliver,
    note_destroy,
};

void store_note(struct store *s, const struct store_reading *readings,
                size_t count)
{
    struct note *n = xcalloc(1, sizeof(*n));

    n->request.kind = &note_kind;
    n->time = clock_wall();
    n->readings = xmemdup(readings, count * sizeof(*readings));
    n->count = count;
    writer_submit(store_writer(s), &n->request);
}

struct question {
    struct request request;
    int64_t since;
    int32_t step;
    struct store_report report; // the answer
    store_reported *done;
    void *user;
};

static int report_carry_out(struct request *q, struct database *db,
                            struct error *e)
{
    struct question *a = (struct question *)q;

    store_report_fini(&a->report); // of an attempt that was rolled back
    return trend_report(db, &a->report, a->since, a->step, e);
}

static void report_deliver(struct request *q)
{
    const struct question *a = (const struct question *)q;
    bool is_good = q->result >= 0;

    a->done(a->user, q->result, is_good ? &a->report : NULL,
            is_good ? NULL : &q->error);
}

static void report_destroy(struct request *q)
{
    struct question *a = (struct question *)q;

    store_report_fini(&a->report);
    free(a);
}

static const struct request_kind report_kind = {
    report_carry_out,
    report_deliver,
    report_destroy,
};

void store_report(struct store *s, int64_t since, int32_t step,
                  store_reported *done, void *user)
{
    struct question *a = xcalloc(1, sizeof(*a));

    a->request.kind = &report_kind;
    a->since = since;
    a->step = step;
    a->done = done;
    a->user = user;
    writer_submit(store_writer(s), &a->request);
}
