#include "store/writer.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/memory.h"
#include "store/database.h"

#define SLOW_COMMIT (2 * MILLISECOND) // from here on waiting for others pays

struct writer {
    struct database *db; // not owned; the thread's while it runs
    pthread_t thread;
    int event;                  // owned; an eventfd
    size_t undelivered;         // the loop's thread's alone
    _Atomic int64_t busy_since; // µs, -1 when idle

    pthread_mutex_t mutex; // guards the rest
    pthread_cond_t wake;
    struct list waiting; // of requests
    size_t waiting_count;
    struct list finished;
    int64_t counts[STATE_COUNT]; // as of the last commit
    bool stopping;
    size_t expected;  // requests that the next group may well have
    int64_t patience; // µs to wait for them
};

static struct request *request_of(struct list *link)
{
    return list_entry(link, struct request, link);
}

/* The whole of @from, or its first @most, to the end of @to. How many. */
static size_t move(struct list *to, struct list *from, size_t most)
{
    size_t count = 0;

    while (count < most && !list_empty(from)) {
        struct list *link = from->next;
        list_remove(link);
        list_append(to, link);
        count++;
    }
    return count;
}

static void sign_of_life(struct writer *w)
{
    atomic_store(&w->busy_since, clock_now());
}

/* A failed request is undone and the group goes on; negative is the end of the
 * whole transaction. */
static int carry_out_one(struct writer *w, struct request *q, struct error *e)
{
    sign_of_life(w);
    q->unfinished = false;
    int r = database_savepoint(w->db, e);
    if (r < 0)
        return r;

    q->result = q->kind->carry_out(q, w->db, &q->error);
    if (q->result >= 0)
        return database_release(w->db, e);
    if (database_in_transaction(w->db))
        return database_undo(w->db, e);
    *e = q->error;
    return q->result;
}

static int carry_out_group(struct writer *w, struct list *group,
                           struct error *e)
{
    int r = database_begin(w->db, e);

    list_foreach (link, next, group) {
        if (r < 0)
            break;
        r = carry_out_one(w, request_of(link), e);
    }
    sign_of_life(w);
    if (r >= 0)
        r = database_commit(w->db, e);
    if (r < 0)
        database_rollback(w->db);
    return r;
}

static void carry_out_alone(struct writer *w, struct request *q)
{
    struct error e = {0};
    struct list group;

    list_init(&group);
    list_append(&group, &q->link);
    int r = carry_out_group(w, &group, &e);
    list_remove(&q->link);
    if (r < 0) {
        q->result = r;
        q->error = e;
        q->unfinished = false;
    }
}

static void carry_out_each(struct writer *w, struct list *group)
{
    struct list tried;

    list_init(&tried);
    while (!list_empty(group)) {
        struct request *q = request_of(group->next);
        list_remove(&q->link);
        carry_out_alone(w, q);
        list_append(&tried, &q->link);
    }
    (void)move(group, &tried, SIZE_MAX);
}

/*
 * Clients that were just answered come back at once, and those that waited
 * meanwhile would go without them: two halves would take turns for ever. On a
 * slow disk it pays to wait a moment for company.
 */
static void plan_next(struct writer *w, size_t finished, int64_t took)
{
    w->expected = finished + w->waiting_count;
    w->patience = took < SLOW_COMMIT ? 0 : took / 8;
}

static void sort_out(struct writer *w, struct request *q, size_t *finished)
{
    if (q->unfinished) {
        list_append(&w->waiting, &q->link);
        w->waiting_count++;
    } else {
        list_append(&w->finished, &q->link);
        ++*finished;
    }
}

static void finish_group(struct writer *w, struct list *group, int64_t took)
{
    const uint64_t one = 1;
    size_t finished = 0;

    (void)pthread_mutex_lock(&w->mutex);
    memcpy(w->counts, database_counts(w->db), sizeof(w->counts));
    while (!list_empty(group)) {
        struct request *q = request_of(group->next);
        list_remove(&q->link);
        sort_out(w, q, &finished);
    }
    plan_next(w, finished, took);
    (void)pthread_mutex_unlock(&w->mutex);
    // Fails only when the counter is full, and then it is readable anyway.
    ssize_t written = write(w->event, &one, sizeof(one));
    (void)written;
}

static void wait_for_company(struct writer *w)
{
    const int64_t until = clock_now() + w->patience;
    const struct timespec t = {.tv_sec = until / SECOND,
                               .tv_nsec = until % SECOND * 1000};
    int r = 0;

    while (r == 0 && w->waiting_count < w->expected && !w->stopping)
        r = pthread_cond_timedwait(&w->wake, &w->mutex, &t);
}

/* False when there is nothing left and there will be nothing more. */
static bool next_group(struct writer *w, struct list *group)
{
    (void)pthread_mutex_lock(&w->mutex);
    if (w->patience > 0)
        wait_for_company(w);
    while (list_empty(&w->waiting) && !w->stopping) {
        atomic_store(&w->busy_since, -1);
        (void)pthread_cond_wait(&w->wake, &w->mutex);
    }
    w->waiting_count -= move(group, &w->waiting, WRITER_GROUP_MOST);
    (void)pthread_mutex_unlock(&w->mutex);
    return !list_empty(group);
}

static void *run(void *user)
{
    struct writer *w = user;
    struct error e;
    struct list group;

    list_init(&group);
    while (next_group(w, &group)) {
        int64_t begin = clock_now();
        if (carry_out_group(w, &group, &e) < 0)
            carry_out_each(w, &group);
        finish_group(w, &group, clock_now() - begin);
    }
    return NULL;
}

/* Signals are the loop's. */
static int start_thread(struct writer *w)
{
    sigset_t all;
    sigset_t before;

    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int r = pthread_create(&w->thread, NULL, run, w);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (r == 0)
        (void)pthread_setname_np(w->thread, "store");
    return -r;
}

/* On the clock that clock_now() reads. */
static void init_condition(pthread_cond_t *c)
{
    pthread_condattr_t a;

    (void)pthread_condattr_init(&a);
    (void)pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
    (void)pthread_cond_init(c, &a);
    (void)pthread_condattr_destroy(&a);
}

int writer_start(struct writer **ret, struct database *db, struct error *e)
{
    struct writer *w = xcalloc(1, sizeof(*w));

    w->db = db;
    w->busy_since = -1;
    list_init(&w->waiting);
    list_init(&w->finished);
    memcpy(w->counts, database_counts(db), sizeof(w->counts));
    (void)pthread_mutex_init(&w->mutex, NULL);
    init_condition(&w->wake);

    int r = 0;
    w->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (w->event < 0)
        r = -errno;
    else
        r = start_thread(w);
    if (r < 0) {
        fd_close(&w->event);
        free(w);
        return error_set_errno(e, r, "cannot start the store's thread");
    }
    *ret = w;
    return 0;
}

void writer_stop(struct writer *w)
{
    if (!w)
        return;
    while (w->undelivered > 0) { // what is delivered may ask for more
        writer_wait(w);
        writer_deliver(w);
    }
    (void)pthread_mutex_lock(&w->mutex);
    w->stopping = true;
    (void)pthread_cond_signal(&w->wake);
    (void)pthread_mutex_unlock(&w->mutex);
    (void)pthread_join(w->thread, NULL);

    (void)pthread_cond_destroy(&w->wake);
    (void)pthread_mutex_destroy(&w->mutex);
    fd_close(&w->event);
    free(w);
}

void writer_submit(struct writer *w, struct request *q)
{
    int64_t idle = -1;

    w->undelivered++;
    (void)pthread_mutex_lock(&w->mutex);
    // from here on, for a thread that does not wake is none the better for it
    (void)atomic_compare_exchange_strong(&w->busy_since, &idle, clock_now());
    list_append(&w->waiting, &q->link);
    w->waiting_count++;
    (void)pthread_cond_signal(&w->wake);
    (void)pthread_mutex_unlock(&w->mutex);
}

int writer_fd(const struct writer *w)
{
    return w->event;
}

void writer_deliver(struct writer *w)
{
    uint64_t count;
    struct list finished;

    // Before the list is taken, so that what comes later wakes us again.
    ssize_t got = read(w->event, &count, sizeof(count));
    (void)got;
    list_init(&finished);
    (void)pthread_mutex_lock(&w->mutex);
    (void)move(&finished, &w->finished, SIZE_MAX);
    (void)pthread_mutex_unlock(&w->mutex);

    while (!list_empty(&finished)) {
        struct request *q = request_of(finished.next);
        list_remove(&q->link);
        assert(w->undelivered > 0);
        w->undelivered--;
        q->kind->deliver(q);
        q->kind->destroy(q);
    }
}

void writer_wait(const struct writer *w)
{
    struct pollfd p = {.fd = w->event, .events = POLLIN};

    (void)poll(&p, 1, -1);
}

int64_t writer_busy_since(const struct writer *w)
{
    return atomic_load(&w->busy_since);
}

void writer_counts(struct writer *w, int64_t ret[STATE_COUNT])
{
    (void)pthread_mutex_lock(&w->mutex);
    memcpy(ret, w->counts, sizeof(w->counts));
    (void)pthread_mutex_unlock(&w->mutex);
}
