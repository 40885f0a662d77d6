/*
 * meter: how fast a job runs, and when it will be done. Pure: it is told the
 * time.
 */
#ifndef WORKER_METER_H
#define WORKER_METER_H

#include <stddef.h>
#include <stdint.h>

#define METER_SAMPLES 8 // over which a rate is taken

struct event_progress;

struct meter_sample {
    int64_t time; // µs, monotonic
    int64_t frames;
    int64_t position; // µs of media
};

struct meter {
    int64_t total; // µs of media to do, < 0 unknown
    struct meter_sample samples[METER_SAMPLES];
    size_t count; // ever
};

/* @now is when the job's first frame may flow. */
void meter_init(struct meter *m, int64_t total, int64_t now);

/* Add a sample and fill in the figures; @size are bytes so far. */
void meter_read(struct meter *m, struct meter_sample sample, int64_t size,
                struct event_progress *ret);

#endif
