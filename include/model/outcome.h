/*
 * outcome: how an attempt or a job ended (DESIGN.md 3).
 */
#ifndef MODEL_OUTCOME_H
#define MODEL_OUTCOME_H

#include <stdbool.h>

#include "model/state.h"

enum outcome {
    OUTCOME_NONE, // it has not ended
    OUTCOME_DONE,
    OUTCOME_CANCELLED,
    OUTCOME_TIMED_OUT,
    OUTCOME_INTERRUPTED, // shutdown, the daemon's death
    OUTCOME_BAD_INPUT,
    OUTCOME_BAD_REQUEST,
    OUTCOME_NO_SESSION,
    OUTCOME_NO_MEMORY,
    OUTCOME_DEVICE_LOST,
    OUTCOME_STALLED,
    OUTCOME_CRASHED,
    OUTCOME_KILLED,
    OUTCOME_OUTPUT_FAILED,
    OUTCOME_COUNT
};

/* Which part of a device failed, of no_session, no_memory and device_lost, or
 * does not take what another may, of bad_input and bad_request: the next attempt
 * does without it. */
enum outcome_part {
    OUTCOME_PART_NONE, // it was not a device: memory of the machine itself,
                       // or what nothing takes
    OUTCOME_PART_DECODE,
    OUTCOME_PART_ENCODE,
    OUTCOME_PART_DEVICE, // all of it: no context, or lost
    OUTCOME_PART_COUNT
};

extern const char *const outcome_part_names[OUTCOME_PART_COUNT]; // NONE: NULL

extern const char *const outcome_names[OUTCOME_COUNT];
const char *outcome_name(enum outcome o);
/* -1 when there is no such outcome. */
int outcome_from_name(const char *name);

/* May the same job be tried again after it? Never after bad_input,
 * bad_request, cancelled, timed_out or done. */
bool outcome_is_retryable(enum outcome o);

/* The state of a job whose last attempt ended so: succeeded, cancelled or
 * failed. */
enum state outcome_final_state(enum outcome o);

#endif
