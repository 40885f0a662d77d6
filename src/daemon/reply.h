/*
 * reply: the errors that a call can be answered with, each by its own function.
 * All consume the call.
 */
#ifndef DAEMON_REPLY_H
#define DAEMON_REPLY_H

#include <stdint.h>

#include "model/state.h"

struct call;
struct error;

void reply_invalid_job(struct call *call, const struct error *e);
void reply_no_such_job(struct call *call, int64_t id);
void reply_wrong_state(struct call *call, enum state state);
void reply_not_permitted(struct call *call, const char *reason);
void reply_too_many(struct call *call, int64_t limit);
void reply_shutting_down(struct call *call);
/* The store or a program of ours fails: what was asked did not happen. */
void reply_unavailable(struct call *call, const struct error *e);
void reply_invalid_parameter(struct call *call, const char *name);

#endif
