/*
 * state: where a job is in its life, as clients see it (DESIGN.md 3).
 */
#ifndef MODEL_STATE_H
#define MODEL_STATE_H

#include <stdbool.h>

enum state {
    STATE_QUEUED,
    STATE_STARTING,
    STATE_RUNNING,
    STATE_PAUSED,
    STATE_SUCCEEDED,
    STATE_FAILED,
    STATE_CANCELLED,
    STATE_COUNT
};

extern const char *const state_names[STATE_COUNT];
const char *state_name(enum state s);
/* -1 when there is no such state. */
int state_from_name(const char *name);
bool state_is_terminal(enum state s);

#endif
