#include "model/state.h"

#include "model/field.h"

const char *const state_names[STATE_COUNT] = {
    [STATE_QUEUED] = "queued",       [STATE_STARTING] = "starting",
    [STATE_RUNNING] = "running",     [STATE_PAUSED] = "paused",
    [STATE_SUCCEEDED] = "succeeded", [STATE_FAILED] = "failed",
    [STATE_CANCELLED] = "cancelled",
};

const char *state_name(enum state s)
{
    return state_names[s];
}

int state_from_name(const char *name)
{
    return field_name_index(state_names, STATE_COUNT, name);
}

bool state_is_terminal(enum state s)
{
    return s == STATE_SUCCEEDED || s == STATE_FAILED || s == STATE_CANCELLED;
}
