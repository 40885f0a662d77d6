#include "model/outcome.h"

#include "model/field.h"

// clang-format off
const char *const outcome_names[OUTCOME_COUNT] = {
    [OUTCOME_NONE]          = "none",
    [OUTCOME_DONE]          = "done",
    [OUTCOME_CANCELLED]     = "cancelled",
    [OUTCOME_TIMED_OUT]     = "timed_out",
    [OUTCOME_INTERRUPTED]   = "interrupted",
    [OUTCOME_BAD_INPUT]     = "bad_input",
    [OUTCOME_BAD_REQUEST]   = "bad_request",
    [OUTCOME_NO_SESSION]    = "no_session",
    [OUTCOME_NO_MEMORY]     = "no_memory",
    [OUTCOME_DEVICE_LOST]   = "device_lost",
    [OUTCOME_STALLED]       = "stalled",
    [OUTCOME_CRASHED]       = "crashed",
    [OUTCOME_KILLED]        = "killed",
    [OUTCOME_OUTPUT_FAILED] = "output_failed",
};

const char *const outcome_part_names[OUTCOME_PART_COUNT] = {
    [OUTCOME_PART_DECODE] = "decode",
    [OUTCOME_PART_ENCODE] = "encode",
    [OUTCOME_PART_DEVICE] = "device",
};

static const bool retryable[OUTCOME_COUNT] = {
    [OUTCOME_INTERRUPTED]   = true,
    [OUTCOME_NO_SESSION]    = true,
    [OUTCOME_NO_MEMORY]     = true,
    [OUTCOME_DEVICE_LOST]   = true,
    [OUTCOME_STALLED]       = true,
    [OUTCOME_CRASHED]       = true,
    [OUTCOME_KILLED]        = true,
    [OUTCOME_OUTPUT_FAILED] = true,
};
// clang-format on

const char *outcome_name(enum outcome o)
{
    return outcome_names[o];
}

int outcome_from_name(const char *name)
{
    return field_name_index(outcome_names, OUTCOME_COUNT, name);
}

bool outcome_is_retryable(enum outcome o)
{
    return retryable[o];
}

enum state outcome_final_state(enum outcome o)
{
    if (o == OUTCOME_DONE)
        return STATE_SUCCEEDED;
    return o == OUTCOME_CANCELLED ? STATE_CANCELLED : STATE_FAILED;
}
