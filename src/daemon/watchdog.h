/*
 * watchdog: is the service well enough to say so to the service manager? It is
 * replaced when it is not, which costs all jobs that run: so a worker that
 * hangs, or cannot even be killed, is no reason as long as somebody deals with
 * it. Pure; heart.c collects the signs.
 */
#ifndef DAEMON_WATCHDOG_H
#define DAEMON_WATCHDOG_H

#include <stdint.h>

/* Times are monotonic µs. That somebody asks is the loop's own sign. */
struct watchdog_signs {
    int64_t now;
    int64_t store; // last sign of the store's thread, -1: nothing to do
    int64_t due;   // when a silent worker was first to be pressed, 0: none is
};

/* @patience: µs that the store may take for one step. NULL: all is well, or
 * words for what hangs. */
const char *watchdog_complaint(const struct watchdog_signs *s,
                               int64_t patience);

#endif
