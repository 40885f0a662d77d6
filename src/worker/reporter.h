/*
 * reporter: a worker's events, to whoever started it.
 *
 * Any thread may speak; each event is one write, whole. Nothing is said after
 * the outcome.
 */
#ifndef WORKER_REPORTER_H
#define WORKER_REPORTER_H

#include "base/log.h"
#include "model/outcome.h"

struct event;
struct reporter;

/* @fd is borrowed. Never NULL. */
struct reporter *reporter_create(int fd);
void reporter_destroy(struct reporter *r); // NULL is allowed

/* The event stays the caller's. */
void reporter_send(struct reporter *r, const struct event *event);

/* The last word, in short: an outcome without outputs. */
void reporter_end(struct reporter *r, enum outcome outcome, const char *format,
                  ...) __attribute__((format(printf, 3, 4)));

/* A log event; of warnings no more than a few a second, and then how many were
 * left out. */
void reporter_log(struct reporter *r, enum log_level level, const char *text);

#endif
