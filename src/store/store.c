#include "store/store.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "store/attempts.h"
#include "store/database.h"
#include "store/jobs.h"
#include "store/trend.h"
#include "store/writer.h"

struct store {
    struct database *db;   // owned
    struct writer *writer; // owned
    int64_t next_id;       // given out by the loop's thread
};

int store_open(struct store **ret, const char *folder, struct error *e)
{
    struct store *s = xcalloc(1, sizeof(*s));
    int64_t last = 0;

    int r = database_open(&s->db, folder, e);
    if (r == 0)
        r = jobs_recover(s->db, clock_wall(), e);
    if (r == 0)
        r = jobs_last_id(s->db, &last, e);
    if (r == 0)
        r = writer_start(&s->writer, s->db, e);
    if (r < 0) {
        store_close(s);
        return r;
    }
    s->next_id = last + 1;
    *ret = s;
    return 0;
}

int store_check(const char *folder, struct error *e)
{
    return database_check(folder, e);
}

void store_close(struct store *s)
{
    if (!s)
        return;
    writer_stop(s->writer);
    database_close(s->db);
    free(s);
}

struct writer *store_writer(struct store *s)
{
    return s->writer;
}

int store_fd(const struct store *s)
{
    return writer_fd(s->writer);
}

void store_dispatch(struct store *s)
{
    writer_deliver(s->writer);
}

int64_t store_busy_since(const struct store *s)
{
    return writer_busy_since(s->writer);
}

void store_counts(const struct store *s, int64_t ret[STATE_COUNT])
{
    writer_counts(s->writer, ret);
}

void store_attempt_fini(struct store_attempt *a)
{
    free(a->plan);
    free(a->text);
    free(a->log);
    free(a->detail);
    free(a->given);
    free(a->why);
    free(a->fallback);
    *a = (struct store_attempt){0};
}

void store_record_fini(struct store_record *r)
{
    free(r->key);
    free(r->document);
    for (size_t i = 0; i < r->attempt_count; i++)
        store_attempt_fini(&r->attempts[i]);
    free(r->attempts);
    *r = (struct store_record){0};
}

static const struct error *words(const struct request *q)
{
    return q->result < 0 ? &q->error : NULL;
}

/* A new job, detached or attached. */
struct add {
    struct request request;
    struct jobs_new new; // texts owned, by the two pointers below
    char *key;
    char *document;
    int64_t id;
    store_added *done; // NULL: nobody waits
    void *user;
};

static int add_carry_out(struct request *q, struct database *db,
                         struct error *e)
{
    struct add *a = (struct add *)q;

    return jobs_add(db, &a->id, &a->new, e);
}

static void add_deliver(struct request *q)
{
    struct add *a = (struct add *)q;

    if (a->done)
        a->done(a->user, q->result, a->id, words(q));
}

static void add_destroy(struct request *q)
{
    struct add *a = (struct add *)q;

    free(a->key);
    free(a->document);
    free(a);
}

static const struct request_kind add_kind = {
    add_carry_out,
    add_deliver,
    add_destroy,
};

static struct add *add_create(struct store *s, const struct store_new *new)
{
    struct add *a = xcalloc(1, sizeof(*a));

    a->request.kind = &add_kind;
    a->key = xstrdup(new->key);
    a->document = xstrdup(new->document);
    a->new = (struct jobs_new){
        .job = {.id = s->next_id++,
                .uid = new->uid,
                .state = STATE_QUEUED,
                .priority = new->priority,
                .hardware = new->hardware,
                .created = new->created},
        .key = a->key,
        .document = a->document,
        .is_full = new->is_full,
    };
    return a;
}

void store_add(struct store *s, const struct store_new *new, store_added *done,
               void *user)
{
    struct add *a = add_create(s, new);

    a->done = done;
    a->user = user;
    writer_submit(s->writer, &a->request);
}

int64_t store_add_attached(struct store *s, const struct store_new *new)
{
    struct add *a = add_create(s, new);
    int64_t id = a->new.job.id; // for a may be gone after the next line

    a->new.job.attached = true;
    writer_submit(s->writer, &a->request);
    return id;
}

/* Whatever ends with store_done. */
struct change {
    struct request request;
    int64_t id;
    int64_t time; // µs since the epoch
    struct store_job job;
    enum outcome outcome;
    struct store_attempt attempt; // texts owned
    int64_t keep;
    store_done *done; // NULL: nobody waits
    void *user;
};

static int update_carry_out(struct request *q, struct database *db,
                            struct error *e)
{
    const struct change *c = (const struct change *)q;

    return jobs_update(db, &c->job, c->outcome, c->time, e);
}

static int put_carry_out(struct request *q, struct database *db,
                         struct error *e)
{
    const struct change *c = (const struct change *)q;

    return attempts_put(db, c->id, &c->attempt, e);
}

static int prune_carry_out(struct request *q, struct database *db,
                           struct error *e)
{
    const struct change *c = (const struct change *)q;

    int r = jobs_prune(db, c->time, c->keep, e);
    q->unfinished = r > 0;
    if (r == 0)
        r = trend_prune(db, clock_wall() - REPORT_AGE, e);
    return r < 0 ? r : 0;
}

static void change_deliver(struct request *q)
{
    const struct change *c = (const struct change *)q;

    if (c->done)
        c->done(c->user, q->result, words(q));
}

static void change_destroy(struct request *q)
{
    struct change *c = (struct change *)q;

    store_attempt_fini(&c->attempt);
    free(c);
}

static const struct request_kind update_kind = {
    update_carry_out,
    change_deliver,
    change_destroy,
};
static const struct request_kind put_kind = {
    put_carry_out,
    change_deliver,
    change_destroy,
};
static const struct request_kind prune_kind = {
    prune_carry_out,
    change_deliver,
    change_destroy,
};

static void submit_change(struct store *s, const struct request_kind *kind,
                          const struct change *values)
{
    struct change *c = xmemdup(values, sizeof(*values));

    c->request.kind = kind;
    writer_submit(s->writer, &c->request);
}

void store_update(struct store *s, const struct store_job *job,
                  enum outcome outcome, store_done *done, void *user)
{
    submit_change(s, &update_kind,
                  &(struct change){.job = *job,
                                   .outcome = outcome,
                                   .time = clock_wall(),
                                   .done = done,
                                   .user = user});
}

void store_put_attempt(struct store *s, int64_t id,
                       const struct store_attempt *attempt, store_done *done,
                       void *user)
{
    submit_change(s, &put_kind,
                  &(struct change){.id = id,
                                   .attempt = attempts_copy(attempt),
                                   .done = done,
                                   .user = user});
}

void store_prune(struct store *s, int64_t age, int64_t count, store_done *done,
                 void *user)
{
    submit_change(s, &prune_kind,
                  &(struct change){.time = clock_wall() - age,
                                   .keep = count,
                                   .done = done,
                                   .user = user});
}

/* Questions: their answer is lent to the callback and freed after it. */
struct question {
    struct request request;
    int64_t id; // or the one below which a page begins
    unsigned states;
    size_t limit;
    struct store_record *records; // owned
    size_t count;
    store_got *got;
    store_listed *listed;
    void *user;
};

static void forget_answer(struct question *a)
{
    for (size_t i = 0; i < a->count; i++)
        store_record_fini(&a->records[i]);
    free(a->records);
    a->records = NULL;
    a->count = 0;
}

static int get_carry_out(struct request *q, struct database *db,
                         struct error *e)
{
    struct question *a = (struct question *)q;
    struct store_record record;

    forget_answer(a);
    int r = jobs_get(db, &record, a->id, e);
    if (r < 0)
        return r;
    a->records = xmemdup(&record, sizeof(record));
    a->count = 1;
    return 0;
}

static void get_deliver(struct request *q)
{
    const struct question *a = (const struct question *)q;

    a->got(a->user, q->result, q->result < 0 ? NULL : a->records, words(q));
}

static int list_carry_out(struct request *q, struct database *db,
                          struct error *e)
{
    struct question *a = (struct question *)q;

    forget_answer(a);
    return jobs_list(db, &a->records, &a->count, a->states, a->id, a->limit, e);
}

static void list_deliver(struct request *q)
{
    const struct question *a = (const struct question *)q;
    size_t count = q->result < 0 ? 0 : a->count;

    a->listed(a->user, q->result, a->records, count, words(q));
}

static void question_destroy(struct request *q)
{
    struct question *a = (struct question *)q;

    forget_answer(a);
    free(a);
}

static const struct request_kind get_kind = {
    get_carry_out,
    get_deliver,
    question_destroy,
};
static const struct request_kind list_kind = {
    list_carry_out,
    list_deliver,
    question_destroy,
};

void store_get(struct store *s, int64_t id, store_got *done, void *user)
{
    struct question *a = xcalloc(1, sizeof(*a));

    a->request.kind = &get_kind;
    a->id = id;
    a->got = done;
    a->user = user;
    writer_submit(s->writer, &a->request);
}

void store_list(struct store *s, unsigned states, int64_t before, size_t limit,
                store_listed *done, void *user)
{
    struct question *a = xcalloc(1, sizeof(*a));

    a->request.kind = &list_kind;
    a->id = before;
    a->states = states;
    a->limit = limit;
    a->listed = done;
    a->user = user;
    writer_submit(s->writer, &a->request);
}

/* The one that waits: it lies on its caller's stack. */
struct load {
    struct request request;
    struct store_job *jobs;
    size_t count;
    bool delivered;
};

static int load_carry_out(struct request *q, struct database *db,
                          struct error *e)
{
    struct load *l = (struct load *)q;

    free(l->jobs);
    l->jobs = NULL;
    l->count = 0;
    return jobs_load(db, &l->jobs, &l->count, e);
}

static void load_deliver(struct request *q)
{
    ((struct load *)q)->delivered = true;
}

static void load_destroy(struct request *q)
{
    (void)q;
}

static const struct request_kind load_kind = {
    load_carry_out,
    load_deliver,
    load_destroy,
};

int store_load(struct store *s, struct store_job **ret, size_t *ret_count,
               struct error *e)
{
    struct load l = {.request.kind = &load_kind};

    writer_submit(s->writer, &l.request);
    while (!l.delivered) {
        writer_wait(s->writer);
        writer_deliver(s->writer);
    }
    if (l.request.result < 0) {
        free(l.jobs);
        if (e)
            *e = l.request.error;
        return l.request.result;
    }
    *ret = l.jobs;
    *ret_count = l.count;
    return 0;
}
