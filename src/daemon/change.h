/*
 * change: what a client asked of a job that goes on: in effect at once, told to
 * all, answered when it is durable.
 */
#ifndef DAEMON_CHANGE_H
#define DAEMON_CHANGE_H

struct backlog_job;
struct call;
struct dispatcher;

/* Takes a change back, if the job is still as that left it. */
typedef void change_undo(struct dispatcher *j, struct backlog_job *row);

/* @row has changed: store it, tell, and reply to @call, which is consumed. What
 * the store refuses does not stay: its client hears that it failed. */
void change_save(struct dispatcher *j, const struct backlog_job *row,
                 struct call *call, change_undo *undo);

#endif
