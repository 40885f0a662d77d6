/*
 * cards: cards and jobs as the scheduler sees them, and its answers in words.
 */
#ifndef SUPPORT_CARDS_H
#define SUPPORT_CARDS_H

#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "scheduler.h"

#define CARDS_MIB INT64_C(1048576)
#define CARDS_NOW (1000 * SECOND)

/* A view of some cards of 4 GiB that grant three sessions each. */
struct cards {
    struct scheduler_view view;
    struct capacity capacities[2];
};

/* 8 attempts, of one owner too; 2 slots of 6 threads on the CPU; batch jobs age
 * in 100 s, and who prefers a GPU waits for 60 s. */
extern const struct limits cards_limits;

void cards_init(struct cards *s, size_t count);

/* 1080p to @renditions, which any card takes and decodes. */
struct need cards_need(size_t renditions);

struct cards_ask {
    enum job_priority priority;
    enum job_hardware hardware;
    const struct need *need;
    const struct fallback *fallback; // NULL: it has failed nowhere
    int64_t waited;                  // µs
};

/* Of a job that may only use @device; NULL: any. */
struct scheduler_answer cards_decide_on(struct cards *s, struct cards_ask ask,
                                        const char *device);
struct scheduler_answer cards_decide(struct cards *s, struct cards_ask ask);

/* "cuda:0 1 decode slot", "waits", "refused no_session"; valid until the next
 * call. */
const char *cards_describe(const struct scheduler_answer *a);

#endif
