/*
 * waiters: calls that are answered when a job is where they want it. A list of
 * call, owned; each of these answers all of them and empties it.
 */
#ifndef DAEMON_WAITERS_H
#define DAEMON_WAITERS_H

#include "model/state.h"

struct error;
struct list;

/* They have what they asked for. */
void waiters_reply(struct list *calls);
/* The job went elsewhere. */
void waiters_refuse(struct list *calls, enum state state);
/* The store does not answer. */
void waiters_fail(struct list *calls, const struct error *e);
/* Nobody will answer them any more. */
void waiters_end(struct list *calls);

#endif
