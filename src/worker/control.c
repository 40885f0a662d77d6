#include "control.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <jansson.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/memory.h"
#include "model/document.h"
#include "model/grant.h"
#include "model/limits.h"
#include "model/order.h"
#include "pipeline/gate.h"
#include "reporter.h"
#include "wire/frame.h"

struct control {
    int fd;                      // not owned
    struct reporter *reporter;   // not owned
    struct gate *gate;           // not owned
    struct frame_reader *reader; // owned; the thread's own
    int wake;                    // owned; an eventfd: look at @channel again
    pthread_t thread;

    pthread_mutex_t lock; // for what follows
    pthread_cond_t arrived;
    struct order job;
    struct order grant;
    int job_channel; // that came with the job
    int channel;     // not owned; watched, or -1
    bool committing;
    int failed; // -errno: no more orders will come
    struct error error;
};

static void fail(struct control *c, const struct error *e)
{
    pthread_mutex_lock(&c->lock);
    c->failed = e->code;
    c->error = *e;
    pthread_cond_broadcast(&c->arrived);
    pthread_mutex_unlock(&c->lock);
}

/* End now, unless the outputs are getting their names already. The lock stays
 * held, so that nobody begins with that meanwhile. */
static void end(struct control *c, enum outcome outcome, const char *text)
{
    pthread_mutex_lock(&c->lock);
    if (!c->committing) {
        reporter_end(c->reporter, outcome, "%s", text);
        _exit(0);
    }
    pthread_mutex_unlock(&c->lock);
}

static void keep(struct control *c, struct order *slot, struct order *o, int fd)
{
    pthread_mutex_lock(&c->lock);
    if (slot->kind == ORDER_NONE) {
        *slot = *o;
        *o = (struct order){0};
        if (slot == &c->job)
            c->job_channel = fd_take(&fd);
        pthread_cond_broadcast(&c->arrived);
    }
    pthread_mutex_unlock(&c->lock);
    fd_close(&fd);
    order_fini(o);
}

/* Consumes both. */
static void obey(struct control *c, struct order *o, int fd)
{
    switch (o->kind) {
    case ORDER_JOB:
        keep(c, &c->job, o, fd);
        return;
    case ORDER_GRANT:
        keep(c, &c->grant, o, fd);
        return;
    case ORDER_PAUSE:
        gate_close(c->gate);
        break;
    case ORDER_RESUME:
        gate_open(c->gate);
        break;
    case ORDER_STOP:
        end(c, OUTCOME_CANCELLED, "the job was stopped");
        break;
    case ORDER_NONE:
    case ORDER_KIND_COUNT:
        break;
    }
    fd_close(&fd);
    order_fini(o);
}

static int read_order(struct control *c, const char *text, size_t size, int fd,
                      struct error *e)
{
    struct order o = {0};
    json_t *json = NULL;

    int r = document_parse(&json, text, size, LIMITS_MESSAGE, e);
    if (r == 0)
        r = order_from_json(&o, json, e);
    json_decref(json);
    if (r < 0) {
        fd_close(&fd);
        return r;
    }
    obey(c, &o, fd);
    return 0;
}

static int read_orders(struct control *c, struct error *e)
{
    const char *text = NULL;
    size_t size = 0;
    int fds[1] = {-1};
    size_t fd_count = 0;

    while (frame_next(c->reader, &text, &size, fds, &fd_count) > 0) {
        int r = read_order(c, text, size, fd_count ? fds[0] : -1, e);
        if (r < 0)
            return r;
        fds[0] = -1;
        fd_count = 0;
    }
    return 0;
}

/* Orders come from a socket; in a shell's standalone worker from anything. */
static ssize_t receive(int fd, void *data, size_t size, int *fds,
                       size_t fd_room, size_t *fd_count)
{
    ssize_t n = fd_receive(fd, data, size, fds, fd_room, fd_count);

    if (n != -ENOTSOCK)
        return n;
    *fd_count = 0;
    do {
        n = read(fd, data, size);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

/* 1: there may be more; 0: never again. */
static int on_orders(struct control *c)
{
    char data[16384];
    int fds[1];
    size_t fd_count = 0;
    struct error e = {0};

    ssize_t n = receive(c->fd, data, sizeof(data), fds, 1, &fd_count);
    if (n == -EAGAIN || n == -EINTR)
        return 1;
    if (n <= 0)
        _exit(1);
    int r = frame_push(c->reader, data, (size_t)n, fds, fd_count);
    if (r < 0)
        error_set_errno(&e, r, "an order is too large");
    else
        r = read_orders(c, &e);
    if (r < 0)
        fail(c, &e);
    return r >= 0;
}

static int watched(struct control *c)
{
    pthread_mutex_lock(&c->lock);
    int fd = c->committing ? -1 : c->channel;
    pthread_mutex_unlock(&c->lock);
    return fd;
}

static void *run(void *opaque)
{
    struct control *c = opaque;
    enum { ORDERS, CHANNEL, WAKE };
    struct pollfd polls[] = {
        [ORDERS] = {.fd = c->fd, .events = POLLIN},
        [CHANNEL] = {.fd = -1, .events = POLLRDHUP},
        [WAKE] = {.fd = c->wake, .events = POLLIN},
    };

    for (;;) {
        polls[CHANNEL].fd = watched(c);
        if (poll(polls, sizeof(polls) / sizeof(polls[0]), -1) < 0)
            continue; // a signal
        if (polls[CHANNEL].revents)
            end(c, OUTCOME_INTERRUPTED, "whoever opened the files is gone");
        if (polls[ORDERS].revents && !on_orders(c))
            polls[ORDERS].fd = -1;
        uint64_t count;
        if (polls[WAKE].revents)
            (void)!read(c->wake, &count, sizeof(count));
    }
    return NULL;
}

struct control *control_start(int fd, struct reporter *reporter,
                              struct gate *gate)
{
    struct control *c = xcalloc(1, sizeof(*c));

    c->fd = fd;
    c->reporter = reporter;
    c->gate = gate;
    c->reader = frame_reader_create(LIMITS_MESSAGE, 1);
    c->wake = eventfd(0, EFD_CLOEXEC);
    c->job_channel = -1;
    c->channel = -1;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->arrived, NULL);
    if (c->wake < 0 || pthread_create(&c->thread, NULL, run, c) != 0)
        abort(); // as when memory is out: base/memory.h
    return c;
}

/* Wait for @slot to be filled. The lock is held, before and after. */
static int wait_for(struct control *c, const struct order *slot,
                    struct error *e)
{
    while (slot->kind == ORDER_NONE && !c->failed)
        pthread_cond_wait(&c->arrived, &c->lock);
    if (slot->kind != ORDER_NONE)
        return 0;
    *e = c->error;
    return c->failed;
}

int control_wait_job(struct control *c, struct order *ret, int *ret_channel,
                     struct error *e)
{
    pthread_mutex_lock(&c->lock);
    int r = wait_for(c, &c->job, e);
    if (r == 0) {
        *ret = c->job;
        *ret_channel = fd_take(&c->job_channel);
    }
    pthread_mutex_unlock(&c->lock);
    return r;
}

int control_wait_grant(struct control *c, struct grant *ret, struct error *e)
{
    pthread_mutex_lock(&c->lock);
    int r = wait_for(c, &c->grant, e);
    if (r == 0)
        *ret = c->grant.grant;
    pthread_mutex_unlock(&c->lock);
    return r;
}

void control_watch(struct control *c, int fd)
{
    uint64_t one = 1;

    pthread_mutex_lock(&c->lock);
    c->channel = fd;
    pthread_mutex_unlock(&c->lock);
    (void)!write(c->wake, &one, sizeof(one));
}

void control_commit(struct control *c)
{
    uint64_t one = 1;

    pthread_mutex_lock(&c->lock);
    c->committing = true;
    pthread_mutex_unlock(&c->lock);
    (void)!write(c->wake, &one, sizeof(one));
}
