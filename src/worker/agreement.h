/*
 * agreement: from an inspected input to a plan: the worker says what its job
 * needs, here and on each device that came with the order; the daemon grants;
 * the plan for that is made and said.
 */
#ifndef WORKER_AGREEMENT_H
#define WORKER_AGREEMENT_H

#include <stdbool.h>

#include "model/outcome.h"

struct control;
struct error;
struct media_info;
struct order_job;
struct plan;
struct reporter;

struct agreement_config {
    const struct order_job *order; // all not owned
    const struct media_info *info;
    struct control *control;
    struct reporter *reporter;
    bool grants_itself; // the CPU; nobody is there to ask
};

/* OUTCOME_NONE with a plan that the caller finishes, or how the attempt ends,
 * with words. */
enum outcome agreement_reach(struct plan *ret,
                             const struct agreement_config *config,
                             struct error *e);

#endif
