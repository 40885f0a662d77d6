/*
 * attempt: one run of a job, from its order to its outcome.
 *
 *   open the input → inspect → need, grant → plan → ready → run → name the
 *   outputs → outcome
 */
#ifndef WORKER_ATTEMPT_H
#define WORKER_ATTEMPT_H

#include <stdbool.h>

struct control;
struct gate;
struct hwdevice;
struct order_job;
struct reporter;
struct sandbox;

struct attempt_config {
    const struct order_job *order; // all not owned
    struct control *control;
    struct reporter *reporter;
    struct gate *gate;
    struct sandbox *sandbox;
    struct hwdevice **device; // ready and waiting, or NULL; taken over
    int channel;
    bool grants_itself; // the CPU; nobody is there to ask
};

/* Always says an outcome. */
void attempt_run(const struct attempt_config *config);

#endif
