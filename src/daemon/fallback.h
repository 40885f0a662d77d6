/*
 * fallback: what a job has learned on GPUs: the parts that failed it, which its
 * next attempts do without (DESIGN.md 8). Pure; a struct a job, zeroed at
 * first.
 *
 * An attempt that a device failed is no try of the job's. It is bounded all
 * the same: each step takes a part away, or is one of a few that only wait for
 * sessions or memory to be free again.
 */
#ifndef DAEMON_FALLBACK_H
#define DAEMON_FALLBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/grant.h"
#include "model/job.h"
#include "model/need.h"
#include "model/outcome.h"

#define FALLBACK_DEVICES_MOST NEED_DEVICES_MOST

struct fallback_bar {
    char device[16];
    bool decode; // it is not used there any more
    bool encode;
};

struct fallback {
    struct fallback_bar bars[FALLBACK_DEVICES_MOST];
    size_t bar_count;
    int32_t waits;    // attempts that found no session or memory
    bool is_pending;  // the next grant is to be told as a fallback
    char from[16];    // device of the attempt that failed
    char reason[160]; // words for a client: nobody's driver's
};

enum fallback_step {
    FALLBACK_NONE,    // it was not the device's fault
    FALLBACK_AGAIN,   // as it was wished: session or memory will be free again
    FALLBACK_WITHOUT, // without what failed
    FALLBACK_END,     // a GPU is required, and nothing is left of any
};

/*
 * An attempt with @given has ended. @outcome and @part are the worker's, or
 * our own judgement of a process that died or hung. Writes down what the next
 * attempt does without.
 */
enum fallback_step fallback_judge(struct fallback *f,
                                  enum job_hardware hardware,
                                  const struct need *need,
                                  const struct grant *given,
                                  enum outcome outcome, enum outcome_part part);

/* Is what a worker has to say of such an end its driver's words, which are for
 * those who look after the device? */
bool fallback_is_of_driver(const char *device, enum outcome outcome,
                           enum outcome_part part);

/* What such an end says of a GPU, in words for anybody: "it failed". NULL:
 * nothing. */
const char *fallback_words(enum outcome outcome);

/* That an attempt with @given ended so, in words for a client. */
void fallback_describe(const struct grant *given, enum outcome outcome,
                       enum outcome_part part, char *ret, size_t size);

/* May the job use that part of @device still? */
bool fallback_allows(const struct fallback *f, const char *device,
                     enum outcome_part part);

#endif
