/*
 * notify: what the service manager is told (sd_notify(3)), without ever waiting
 * for it: the loop does not stand still because PID 1 does. What cannot be said
 * now and still matters later is said by the next call; notify_flush() is that
 * where there is nothing else to say.
 */
#ifndef DAEMON_NOTIFY_H
#define DAEMON_NOTIFY_H

#include <stdint.h>

struct notify;

/* To the socket @address, as $NOTIFY_SOCKET has it; NULL: nobody listens, and
 * all of it does nothing. Never returns NULL. */
struct notify *notify_open(const char *address);
void notify_close(struct notify *n); // NULL is allowed

void notify_ready(struct notify *n);
void notify_reloading(struct notify *n); // then notify_ready() again
/* The stop may take @us from now on. */
void notify_stopping(struct notify *n, int64_t us);
void notify_flush(struct notify *n);

/* What is going on, in words; that all is well. Lost if it cannot be said. */
void notify_status(struct notify *n, const char *text);
void notify_alive(struct notify *n);

/* µs within which notify_alive() must be called, 0: nobody watches. */
int64_t notify_watchdog(void);

#endif
