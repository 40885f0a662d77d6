#include "notify.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include "address.h"
#include "base/clock.h"
#include "base/fd.h"
#include "base/memory.h"

#define MESSAGE_MOST 512

struct notify {
    int fd; // owned; -1: nobody listens
    struct address to;
    // what is still to be said, in this order
    int64_t reloading; // monotonic µs when that began, 0: it is said
    bool is_ready;
    int64_t stopping; // µs that it may take, 0: it is said
};

struct notify *notify_open(const char *address)
{
    struct notify *n = xcalloc(1, sizeof(*n));

    n->fd = -1;
    if (address && address_parse(&n->to, address) == 0)
        n->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    return n;
}

void notify_close(struct notify *n)
{
    if (!n)
        return;
    fd_close(&n->fd);
    free(n);
}

/* False: it may be tried again. A manager that is gone is told nothing more. */
static bool say(struct notify *n, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static bool say(struct notify *n, const char *format, ...)
{
    char text[MESSAGE_MOST];
    va_list ap;

    if (n->fd < 0)
        return true;
    va_start(ap, format);
    (void)vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    ssize_t sent = sendto(n->fd, text, strlen(text), MSG_NOSIGNAL,
                          (const struct sockaddr *)&n->to.name, n->to.size);
    return sent >= 0 || (errno != EAGAIN && errno != ENOBUFS && errno != EINTR);
}

static bool say_rest(struct notify *n)
{
    if (n->reloading &&
        say(n, "RELOADING=1\nMONOTONIC_USEC=%" PRId64, n->reloading))
        n->reloading = 0;
    if (!n->reloading && n->is_ready && say(n, "READY=1"))
        n->is_ready = false;
    if (!n->reloading && !n->is_ready && n->stopping &&
        say(n,
            "STOPPING=1\nSTATUS=Waiting for running jobs\n"
            "EXTEND_TIMEOUT_USEC=%" PRId64,
            n->stopping))
        n->stopping = 0;
    return !n->reloading && !n->is_ready && !n->stopping;
}

void notify_flush(struct notify *n)
{
    (void)say_rest(n);
}

void notify_ready(struct notify *n)
{
    n->is_ready = true;
    notify_flush(n);
}

void notify_reloading(struct notify *n)
{
    n->reloading = clock_now();
    n->is_ready = false; // it will be
    notify_flush(n);
}

void notify_stopping(struct notify *n, int64_t us)
{
    n->stopping = us;
    notify_flush(n);
}

void notify_status(struct notify *n, const char *text)
{
    if (say_rest(n))
        (void)say(n, "STATUS=%s", text);
}

void notify_alive(struct notify *n)
{
    if (say_rest(n))
        (void)say(n, "WATCHDOG=1");
}

int64_t notify_watchdog(void)
{
    uint64_t us = 0;

    return sd_watchdog_enabled(0, &us) > 0 ? (int64_t)us : 0;
}
