/*
 * gauges: what samples of the GPUs were since the last minute, on its way to
 * the store's figures by the hour: one small write a minute.
 */
#ifndef DAEMON_GAUGES_H
#define DAEMON_GAUGES_H

#include <stdint.h>

struct gauges;
struct sample;
struct store;

/* @store must outlive it. */
struct gauges *gauges_create(struct store *store);
/* Hands over what there is. NULL is allowed. */
void gauges_destroy(struct gauges *g);

/* A sample of @device ("cuda:0") has come at @now (monotonic µs). */
void gauges_note(struct gauges *g, const char *device, const struct sample *s,
                 int64_t now);

#endif
