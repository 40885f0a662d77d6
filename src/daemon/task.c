#include "task.h"

#include <signal.h>
#include <stddef.h>

#include "base/clock.h"

struct transition {
    enum task_state to;
    enum task_action action;
};

// clang-format off
static const struct transition transitions[TASK_STATE_COUNT][TASK_EVENT_COUNT] = {
    [TASK_INSPECTING] = {
        [TASK_NEED]    = {TASK_WAITING,    TASK_ASK_GRANT},
        [TASK_SPOKE]   = {TASK_INSPECTING, TASK_RELAY},
        [TASK_OUTCOME] = {TASK_ENDING,     TASK_KEEP},
        [TASK_STOP]    = {TASK_STOPPING,   TASK_PRESS},
        [TASK_KILL]    = {TASK_STOPPING,   TASK_DESTROY},
        [TASK_BROKEN]  = {TASK_STOPPING,   TASK_DESTROY},
        [TASK_HUNG_UP] = {TASK_ENDING,     TASK_IGNORE},
        [TASK_TIMER]   = {TASK_STOPPING,   TASK_STALL},
        [TASK_EXITED]  = {TASK_DONE,       TASK_SETTLE},
    },
    [TASK_WAITING] = {
        [TASK_GRANT]   = {TASK_PLANNING,   TASK_SEND_GRANT},
        [TASK_SPOKE]   = {TASK_WAITING,    TASK_RELAY},
        [TASK_OUTCOME] = {TASK_ENDING,     TASK_KEEP},
        [TASK_STOP]    = {TASK_STOPPING,   TASK_PRESS},
        [TASK_KILL]    = {TASK_STOPPING,   TASK_DESTROY},
        [TASK_BROKEN]  = {TASK_STOPPING,   TASK_DESTROY},
        [TASK_HUNG_UP] = {TASK_ENDING,     TASK_IGNORE},
        [TASK_EXITED]  = {TASK_DONE,       TASK_SETTLE},
    },
    [TASK_PLANNING] = {
        [TASK_READY]   = {TASK_RUNNING,    TASK_ANNOUNCE},
        [TASK_SPOKE]   = {TASK_PLANNING,   TASK_RELAY},
        [TASK_OUTCOME] = {TASK_ENDING,     TASK_KEEP},
        [TASK_STOP]    = {TASK_STOPPING,   TASK_PRESS},
        [TASK_KILL]    = {TASK_STOPPING,   TASK_DESTROY},
        [TASK_BROKEN]  = {TASK_STOPPING,   TASK_DESTROY},
        [TASK_HUNG_UP] = {TASK_ENDING,     TASK_IGNORE},
        [TASK_TIMER]   = {TASK_STOPPING,   TASK_STALL},
        [TASK_EXITED]  = {TASK_DONE,       TASK_SETTLE},
    },
    [TASK_RUNNING] = {
        [TASK_SPOKE]   = {TASK_RUNNING,    TASK_RELAY},
        [TASK_OUTCOME] = {TASK_ENDING,     TASK_KEEP},
        [TASK_PAUSE]   = {TASK_PAUSED,     TASK_SEND_PAUSE},
        [TASK_STOP]    = {TASK_STOPPING,   TASK_PRESS},
        [TASK_KILL]    = {TASK_STOPPING,   TASK_DESTROY},
        [TASK_BROKEN]  = {TASK_STOPPING,   TASK_DESTROY},
        [TASK_HUNG_UP] = {TASK_ENDING,     TASK_IGNORE},
        [TASK_TIMER]   = {TASK_STOPPING,   TASK_STALL},
        [TASK_EXITED]  = {TASK_DONE,       TASK_SETTLE},
    },
    [TASK_PAUSED] = {
        [TASK_SPOKE]   = {TASK_PAUSED,     TASK_RELAY},
        // what was in its queues may have been the end
        [TASK_OUTCOME] = {TASK_ENDING,     TASK_KEEP},
        [TASK_RESUME]  = {TASK_RUNNING,    TASK_SEND_RESUME},
        [TASK_STOP]    = {TASK_STOPPING,   TASK_PRESS},
        [TASK_KILL]    = {TASK_STOPPING,   TASK_DESTROY},
        [TASK_BROKEN]  = {TASK_STOPPING,   TASK_DESTROY},
        [TASK_HUNG_UP] = {TASK_ENDING,     TASK_IGNORE},
        [TASK_EXITED]  = {TASK_DONE,       TASK_SETTLE},
    },
    [TASK_ENDING] = {
        [TASK_RELEASED] = {TASK_DONE,      TASK_SETTLE},
        // too late for these: what it said stands
        [TASK_SPOKE]   = {TASK_ENDING,     TASK_IGNORE},
        [TASK_STOP]    = {TASK_ENDING,     TASK_IGNORE},
        [TASK_KILL]    = {TASK_STOPPING,   TASK_DESTROY},
        [TASK_BROKEN]  = {TASK_STOPPING,   TASK_DESTROY},
        [TASK_HUNG_UP] = {TASK_ENDING,     TASK_IGNORE},
        [TASK_TIMER]   = {TASK_STOPPING,   TASK_PRESS},
        [TASK_EXITED]  = {TASK_DONE,       TASK_SETTLE},
    },
    [TASK_STOPPING] = {
        // words that crossed with ours
        [TASK_NEED]    = {TASK_STOPPING,   TASK_IGNORE},
        [TASK_READY]   = {TASK_STOPPING,   TASK_NOTE},
        [TASK_SPOKE]   = {TASK_STOPPING,   TASK_IGNORE},
        [TASK_OUTCOME] = {TASK_STOPPING,   TASK_KEEP},
        [TASK_RELEASED] = {TASK_STOPPING,  TASK_IGNORE},
        [TASK_STOP]    = {TASK_STOPPING,   TASK_IGNORE},
        [TASK_KILL]    = {TASK_STOPPING,   TASK_DESTROY},
        [TASK_BROKEN]  = {TASK_STOPPING,   TASK_DESTROY},
        [TASK_HUNG_UP] = {TASK_STOPPING,   TASK_IGNORE},
        [TASK_TIMER]   = {TASK_STOPPING,   TASK_PRESS},
        [TASK_GIVE_UP] = {TASK_DONE,       TASK_ABANDON},
        [TASK_EXITED]  = {TASK_DONE,       TASK_SETTLE},
    },
};

static const struct {
    enum outcome outcome;
    const char *text;
} reasons[TASK_REASON_COUNT] = {
    [TASK_NO_REASON]   = {OUTCOME_NONE, NULL},
    [TASK_CANCELLED]   = {OUTCOME_CANCELLED, "cancelled"},
    [TASK_CLIENT_GONE] = {OUTCOME_CANCELLED, "its client hung up"},
    [TASK_TIMED_OUT]   = {OUTCOME_TIMED_OUT, "the job's own time limit ran out"},
    [TASK_STALLED]     = {OUTCOME_STALLED, "the worker said nothing for too long"},
    [TASK_MISBEHAVED]  = {OUTCOME_CRASHED, "the worker broke the protocol"},
    [TASK_OPENER_DIED] = {OUTCOME_CRASHED, "the program that opens the job's files died"},
    [TASK_SHUTDOWN]    = {OUTCOME_INTERRUPTED, "the service was shut down"},
    [TASK_HELD]        = {OUTCOME_INTERRUPTED, "paused before it ran"},
    [TASK_RETURNED]    = {OUTCOME_INTERRUPTED, "it has to wait, and left its place to others"},
};

/* What a worker may say of itself without being asked to stop; the rest is for
 * us to judge. */
static const bool is_sayable[OUTCOME_COUNT] = {
    [OUTCOME_DONE]          = true,
    [OUTCOME_BAD_INPUT]     = true,
    [OUTCOME_BAD_REQUEST]   = true,
    [OUTCOME_NO_SESSION]    = true,
    [OUTCOME_NO_MEMORY]     = true,
    [OUTCOME_DEVICE_LOST]   = true,
    [OUTCOME_CRASHED]       = true,
    [OUTCOME_OUTPUT_FAILED] = true,
};
// clang-format on

enum task_action task_next(enum task_state *state, enum task_event event)
{
    const struct transition *t = &transitions[*state][event];

    if (t->action != TASK_REFUSE) // 0, so it fills the gaps
        *state = t->to;
    return t->action;
}

int64_t task_patience(enum task_state state, enum task_voice voice,
                      const struct limits *limits)
{
    switch (state) {
    case TASK_INSPECTING:
        return voice == TASK_UNHEARD ? limits->start_timeout
                                     : limits->stall_timeout;
    case TASK_PLANNING:
    case TASK_RUNNING:
        return limits->stall_timeout;
    case TASK_ENDING:
    case TASK_STOPPING:
    case TASK_DONE: // its opener still cleans up
        return limits->stop_grace > 0 ? limits->stop_grace : MILLISECOND;
    case TASK_WAITING:
    case TASK_PAUSED:
    case TASK_STATE_COUNT:
        return 0;
    }
    return 0;
}

enum task_event task_hear(const struct event *ev, enum task_voice voice)
{
    switch (ev->kind) {
    case EVENT_NEED:
        return TASK_NEED;
    case EVENT_READY:
        return TASK_READY;
    case EVENT_PROGRESS:
    case EVENT_CLAMP:
    case EVENT_FALLBACK:
    case EVENT_LOG:
        return TASK_SPOKE;
    case EVENT_RELEASED:
        return TASK_RELEASED;
    case EVENT_OUTCOME:
        // nothing can be done before there was a plan
        if (ev->outcome.outcome == OUTCOME_DONE && voice != TASK_WAS_READY)
            return TASK_BROKEN;
        return TASK_OUTCOME;
    case EVENT_NONE:
    case EVENT_STATE:
    case EVENT_SANDBOX: // no event of the task
    case EVENT_KIND_COUNT:
        break;
    }
    return TASK_BROKEN;
}

static enum outcome judge_exit(struct task_exit exit, const char **ret_text)
{
    if (exit.signal == SIGKILL) {
        *ret_text = "the worker was killed from outside; perhaps the machine "
                    "ran out of memory";
        return OUTCOME_KILLED;
    }
    *ret_text = exit.signal   ? "the worker crashed"
                : exit.status ? "the worker failed without a word"
                              : "the worker ended without an outcome";
    return OUTCOME_CRASHED;
}

enum outcome task_judge(enum outcome said, enum task_reason reason,
                        struct task_exit exit, const char **ret_text)
{
    *ret_text = NULL;
    // finished in spite of us: what is complete is complete
    if (said == OUTCOME_DONE && reason != TASK_MISBEHAVED)
        return said;
    if (reason != TASK_NO_REASON) {
        *ret_text = reasons[reason].text;
        return reasons[reason].outcome;
    }
    if (said != OUTCOME_NONE && is_sayable[said])
        return said;
    return judge_exit(exit, ret_text);
}

static bool may_try_again(const struct store_job *job,
                          const struct task_ending *ending,
                          const struct limits *limits)
{
    if (ending->outcome == OUTCOME_INTERRUPTED)
        return !job->attached && job->interruptions <= limits->interruptions;
    return outcome_is_retryable(ending->outcome) &&
           ending->trace == TASK_UNSEEN && ending->cause == TASK_OF_JOB &&
           job->failures < limits->tries;
}

enum task_verdict task_verdict(struct store_job *job,
                               const struct task_ending *ending,
                               const struct limits *limits)
{
    enum outcome outcome = ending->outcome;

    if ((ending->reason == TASK_HELD || ending->reason == TASK_RETURNED) &&
        outcome == OUTCOME_INTERRUPTED)
        return TASK_AGAIN; // our own wish, so it counts as nothing
    if (ending->cause == TASK_OF_DEVICE && ending->trace == TASK_UNSEEN)
        return TASK_ELSEWHERE;
    if (outcome == OUTCOME_INTERRUPTED)
        job->interruptions++;
    else if (outcome != OUTCOME_DONE && outcome != OUTCOME_CANCELLED)
        job->failures++;
    return may_try_again(job, ending, limits) ? TASK_AGAIN : TASK_END;
}
