/*
 * story: the log handle of a job, with the fields by which the journal finds
 * its lines: job, attempt, and the device and the outcome as soon as they are
 * known.
 */
#ifndef DAEMON_STORY_H
#define DAEMON_STORY_H

#include <stdint.h>

#include "base/log.h"
#include "model/outcome.h"

struct story {
    struct log log; // "job 17"; the rest is behind its fields
    struct log_field fields[5];
    char job[24];
    char attempt[24];
    char device[16];
};

/* The value must not move: its fields point into it. */
void story_init(struct story *s, int64_t job);

/* Another attempt begins, whose device and outcome are to be seen. */
void story_begin(struct story *s, int64_t attempt);
void story_set_device(struct story *s, const char *device);
void story_set_outcome(struct story *s, enum outcome outcome);

#endif
