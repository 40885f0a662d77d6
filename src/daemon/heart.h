/*
 * heart: what is done now and then: the service manager is told that all is
 * well (watchdog.h) and what is going on, old jobs are forgotten, and the
 * dispatcher looks whether jobs have aged.
 */
#ifndef DAEMON_HEART_H
#define DAEMON_HEART_H

struct daemon;
struct heart;

/* Beats at once, and often enough for the service manager's watchdog. */
struct heart *heart_start(struct daemon *d);
void heart_stop(struct heart *h); // NULL is allowed

#endif
