/*
 * evidence: what is known of how an attempt ended: what its worker said, what
 * it did wrong, why we stopped it, how its process ended. Pure; task_judge()
 * weighs it, and here are the words. Zeroed: nothing is known.
 */
#ifndef DAEMON_EVIDENCE_H
#define DAEMON_EVIDENCE_H

#include <stdbool.h>

#include "model/event.h"
#include "model/outcome.h"
#include "task.h"

struct evidence {
    enum task_reason reason; // why we stopped it, if we did
    struct task_exit exit;   // of the worker
    bool has_said;           // the outcome
    struct event last;       // owned; what it said then
    char *complaint;         // owned; what it did wrong, or NULL
};

void evidence_fini(struct evidence *v);

/* The first of each counts: what follows is its consequence. */
void evidence_blame(struct evidence *v, enum task_reason reason);
void evidence_complain(struct evidence *v, const char *text);

/* The worker's outcome, taken over from @said, which is zeroed; the last one
 * counts. */
void evidence_keep(struct evidence *v, struct event *said);

/* The outcome of the attempt. *@ret_text are words for a person, the caller's,
 * "" where there are none. */
enum outcome evidence_judge(const struct evidence *v, char **ret_text);

#endif
