#include "discard.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "model/limits.h"

#define THREADS_MOST 8

struct discard {
    _Atomic size_t users; // its owner, and threads; the last one frees it
};

/* What one thread closes. */
struct load {
    struct discard *discard; // used
    int fds[LIMITS_FDS];     // owned
    size_t fd_count;
};

struct discard *discard_create(void)
{
    struct discard *d = xcalloc(1, sizeof(*d));

    d->users = 1;
    return d;
}

void discard_destroy(struct discard *d)
{
    if (d && atomic_fetch_sub(&d->users, 1) == 1)
        free(d);
}

/* Asks the socket, and no file system: what is none says ENOTSOCK. */
static bool is_unix_socket(int fd)
{
    int domain = 0;
    socklen_t size = sizeof(domain);

    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
           domain == AF_UNIX;
}

bool discard_wants(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_unix_socket(fds[i]))
            return true;
    }
    return false;
}

static void *run(void *user)
{
    struct load *l = user;

    while (l->fd_count)
        fd_close(&l->fds[--l->fd_count]);
    discard_destroy(l->discard);
    free(l);
    return NULL;
}

/* Signals are the loop's. */
static int start_thread(struct load *l)
{
    pthread_attr_t detached;
    pthread_t thread;
    sigset_t all;
    sigset_t before;

    (void)pthread_attr_init(&detached);
    (void)pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int r = pthread_create(&thread, &detached, run, l);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&detached);
    return -r;
}

void discard_take(struct discard *d, const int *fds, size_t count)
{
    struct load *l = xcalloc(1, sizeof(*l));

    assert(count <= LIMITS_FDS);
    l->discard = d;
    l->fd_count = count;
    memcpy(l->fds, fds, count * sizeof(int));
    atomic_fetch_add(&d->users, 1);
    int r = start_thread(l);
    if (r < 0) { // they stay open, and count as a thread: it cannot go on so
        log_warning(NULL, "cannot start a thread to close descriptors: %s",
                    strerror(-r));
        free(l);
    }
}

bool discard_is_full(const struct discard *d)
{
    return d->users > THREADS_MOST;
}
