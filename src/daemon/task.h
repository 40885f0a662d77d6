/*
 * task: one attempt of a job as a state machine, and what becomes of a job when
 * an attempt has ended. Pure: attempt.c turns what happens into events and
 * carries out the actions; dispatcher.c asks for the verdict.
 */
#ifndef DAEMON_TASK_H
#define DAEMON_TASK_H

#include <stdbool.h>

#include "model/event.h"
#include "model/job.h"
#include "model/limits.h"
#include "model/outcome.h"
#include "store/store.h"

enum task_state {
    TASK_INSPECTING, // the worker has the job
    TASK_WAITING,    // it said what it needs, and waits for a grant
    TASK_PLANNING,   // it has the grant
    TASK_RUNNING,
    TASK_PAUSED,
    TASK_ENDING,   // it said its outcome or hung up, and is to exit
    TASK_STOPPING, // the ladder: asked, SIGTERM, SIGKILL
    TASK_DONE,
    TASK_STATE_COUNT
};

enum task_event {
    TASK_NEED, // the worker's words
    TASK_READY,
    TASK_SPOKE, // progress, log, clamp, fallback
    TASK_OUTCOME,
    TASK_RELEASED, // behind the outcome: only its process has yet to go
    TASK_GRANT,    // ours
    TASK_PAUSE,
    TASK_RESUME,
    TASK_STOP,    // cancel, timeout, shutdown, hold
    TASK_KILL,    // the same, at once: its client is gone
    TASK_BROKEN,  // it broke the protocol
    TASK_HUNG_UP, // its end of the control socket is closed
    TASK_TIMER,   // nothing was heard for too long
    TASK_EXITED,
    TASK_GIVE_UP, // it was killed, and lives
    TASK_EVENT_COUNT
};

enum task_action {
    TASK_REFUSE, // not now: of a worker's word that means TASK_BROKEN
    TASK_IGNORE,
    TASK_ASK_GRANT, // tell the scheduler
    TASK_SEND_GRANT,
    TASK_ANNOUNCE, // it runs
    TASK_NOTE,     // it ran after all, if only for a moment
    TASK_RELAY,    // pass its words on
    TASK_KEEP,     // its outcome, for when it has exited
    TASK_SEND_PAUSE,
    TASK_SEND_RESUME,
    TASK_PRESS,   // the next rung of the ladder
    TASK_STALL,   // begin with the ladder, for it is silent
    TASK_DESTROY, // SIGKILL
    TASK_ABANDON, // nothing helps: settle without its exit
    TASK_SETTLE,  // all is over, be its process gone already or not
};

/* What is to be done; *@state changes with it. */
enum task_action task_next(enum task_state *state, enum task_event event);

/* How far a worker's own words have come. */
enum task_voice { TASK_UNHEARD, TASK_HEARD, TASK_WAS_READY };

/* µs that it may be silent now, 0: for ever. */
int64_t task_patience(enum task_state state, enum task_voice voice,
                      const struct limits *limits);

/* The event that its word is; TASK_BROKEN for what no worker may say. */
enum task_event task_hear(const struct event *ev, enum task_voice voice);

/* Why we stopped a worker. */
enum task_reason {
    TASK_NO_REASON,
    TASK_CANCELLED,
    TASK_CLIENT_GONE,
    TASK_TIMED_OUT,
    TASK_STALLED,
    TASK_MISBEHAVED,
    TASK_OPENER_DIED,
    TASK_SHUTDOWN,
    TASK_HELD,     // Pause before it ran: back to the queue
    TASK_RETURNED, // likewise, for others can go on sooner
    TASK_REASON_COUNT
};

/* How a process ended. */
struct task_exit {
    int status; // of exit(), when signal is 0
    int signal;
};

/*
 * The outcome of an attempt from all that is known: what the worker said
 * (OUTCOME_NONE: nothing), why we stopped it, how it ended. What it says counts
 * only if it fits. *@ret_text are words for what it did not say itself, else
 * NULL.
 */
enum outcome task_judge(enum outcome said, enum task_reason reason,
                        struct task_exit exit, const char **ret_text);

enum task_verdict {
    TASK_END,       // the job ends with the attempt's outcome
    TASK_AGAIN,     // back to the queue
    TASK_ELSEWHERE, // again at once: it was the device, and no try of the job's
};

/* What an attempt may have left that others have read. */
enum task_trace {
    TASK_UNSEEN,
    TASK_SEEN, // growing output
};

/* Whose fault an attempt's end is. */
enum task_cause {
    TASK_OF_JOB,
    TASK_OF_DEVICE, // there is another way
    TASK_OF_NEED,   // and a GPU is required, of which nothing is left
};

struct task_ending {
    enum outcome outcome;
    enum task_reason reason;
    enum task_trace trace;
    enum task_cause cause;
};

/*
 * What becomes of @job after an attempt that ended so. Counts the failure or
 * interruption in @job. Attached jobs are never kept over a shutdown, and
 * growing output that a client may have read is not begun anew.
 */
enum task_verdict task_verdict(struct store_job *job,
                               const struct task_ending *ending,
                               const struct limits *limits);

#endif
