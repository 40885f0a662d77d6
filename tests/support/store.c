#include "support/store.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "store/attempts.h"
#include "support/folder.h"

int store_fixture_setup(void **state)
{
    struct store_fixture *f = xcalloc(1, sizeof(*f));

    f->folder = folder_create();
    store_fixture_reopen(f);
    *state = f;
    return 0;
}

int store_fixture_teardown(void **state)
{
    struct store_fixture *f = *state;

    store_fixture_close(f);
    folder_remove(f->folder);
    free(f);
    return 0;
}

char *store_fixture_path(const struct store_fixture *f, const char *name)
{
    return xasprintf("%s/%s", f->folder, name);
}

int store_fixture_open(struct store_fixture *f)
{
    f->error = (struct error){0};
    return store_open(&f->store, f->folder, &f->error);
}

void store_fixture_close(struct store_fixture *f)
{
    store_close(f->store);
    f->store = NULL;
}

void store_fixture_reopen(struct store_fixture *f)
{
    store_fixture_close(f);
    int r = store_fixture_open(f);
    if (r < 0)
        (void)fprintf(stderr, "cannot open: %s\n", f->error.text);
    assert(r == 0);
}

void store_fixture_wait(struct store_fixture *f, const size_t *waiting)
{
    struct pollfd p = {.fd = store_fd(f->store), .events = POLLIN};

    while (*waiting > 0) {
        int r = poll(&p, 1, 60 * 1000);
        assert(r == 1); // or the store is dead
        (void)r;
        store_dispatch(f->store);
    }
}

/* One call and its answer. */
struct call {
    struct store_fixture *f;
    size_t waiting;
    int result;
    int64_t id;
    struct store_record record;
    int64_t *ids;
};

static void finish(struct call *c, int result, const struct error *e)
{
    c->result = result;
    assert((result < 0) == (e != NULL));
    if (e)
        c->f->error = *e;
    c->waiting--;
}

static void on_added(void *user, int result, int64_t id, const struct error *e)
{
    struct call *c = user;

    c->id = id;
    finish(c, result, e);
}

static void on_done(void *user, int result, const struct error *e)
{
    finish(user, result, e);
}

static struct store_record copy_record(const struct store_record *r)
{
    struct store_record copy = *r;

    copy.key = xstrdup(r->key);
    copy.document = xstrdup(r->document);
    if (!r->attempts)
        return copy;
    copy.attempts = xcalloc(r->attempt_count, sizeof(copy.attempts[0]));
    for (size_t i = 0; i < r->attempt_count; i++)
        copy.attempts[i] = attempts_copy(&r->attempts[i]);
    return copy;
}

static void on_got(void *user, int result, const struct store_record *record,
                   const struct error *e)
{
    struct call *c = user;

    if (result >= 0)
        c->record = copy_record(record);
    finish(c, result, e);
}

static void on_listed(void *user, int result,
                      const struct store_record *records, size_t count,
                      const struct error *e)
{
    struct call *c = user;

    for (size_t i = 0; i < count; i++)
        c->ids[i] = records[i].job.id;
    finish(c, result < 0 ? result : (int)count, e);
}

int64_t store_fixture_add(struct store_fixture *f, uid_t uid, const char *key,
                          const char *document)
{
    struct call c = {.f = f, .waiting = 1};

    store_add(f->store,
              &(struct store_new){.uid = uid,
                                  .key = key,
                                  .document = document,
                                  .created = clock_wall()},
              on_added, &c);
    store_fixture_wait(f, &c.waiting);
    return c.result < 0 ? c.result : c.id;
}

int store_fixture_update(struct store_fixture *f, const struct store_job *job,
                         enum outcome outcome)
{
    struct call c = {.f = f, .waiting = 1};

    store_update(f->store, job, outcome, on_done, &c);
    store_fixture_wait(f, &c.waiting);
    return c.result;
}

int store_fixture_put_attempt(struct store_fixture *f, int64_t id,
                              const struct store_attempt *a)
{
    struct call c = {.f = f, .waiting = 1};

    store_put_attempt(f->store, id, a, on_done, &c);
    store_fixture_wait(f, &c.waiting);
    return c.result;
}

int store_fixture_get(struct store_fixture *f, struct store_record *ret,
                      int64_t id)
{
    struct call c = {.f = f, .waiting = 1};

    store_get(f->store, id, on_got, &c);
    store_fixture_wait(f, &c.waiting);
    if (c.result >= 0)
        *ret = c.record;
    return c.result;
}

int store_fixture_list(struct store_fixture *f, int64_t *ret, unsigned states,
                       int64_t before, size_t limit)
{
    struct call c = {.f = f, .waiting = 1, .ids = ret};

    store_list(f->store, states, before, limit, on_listed, &c);
    store_fixture_wait(f, &c.waiting);
    return c.result;
}

int store_fixture_prune(struct store_fixture *f, int64_t age, int64_t count)
{
    struct call c = {.f = f, .waiting = 1};

    store_prune(f->store, age, count, on_done, &c);
    store_fixture_wait(f, &c.waiting);
    return c.result;
}
