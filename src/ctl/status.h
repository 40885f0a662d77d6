/*
 * status: what transcodectl's exit status says (DESIGN.md 10), and the words
 * on standard error that go with it.
 */
#ifndef CTL_STATUS_H
#define CTL_STATUS_H

#include "model/state.h"

struct error;
struct message_reply;

enum status {
    STATUS_GOOD = 0,
    STATUS_JOB_FAILED = 1,   // or was cancelled; or doctor found a fault
    STATUS_REFUSED = 2,      // usage, or an error reply
    STATUS_UNREACHABLE = 3,  // no daemon, or it hung up
    STATUS_INTERRUPTED = 130 // Ctrl-C
};

/* What the program has come to when its job ended so. */
enum status status_from_state(enum state s);

/* The words of an error reply: "invalid job: outputs[0].path: no folder". */
void status_describe(const struct message_reply *reply, struct error *e);

/* "transcodectl: WORDS" on standard error, harmless for a terminal. A field at
 * fault means a job document: "invalid job: FIELD: WORDS". */
void status_complain(const struct error *e);

/* The same with words of the caller's; returns @s for its caller to return. */
enum status status_fail(enum status s, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The words and the status for a standard output that is closed or full. */
enum status status_cannot_print(struct error *e);

#endif
