/*
 * wish: what others want of a job that has not ended, in whatever phase it is:
 * Cancel, Pause, Resume, a client that hangs up, a service that goes down.
 */
#ifndef DAEMON_WISH_H
#define DAEMON_WISH_H

struct backlog_job;
struct call;
struct dispatcher;
struct work;

/* Each consumes @call and replies to it, when what was asked is durable. Only
 * Cancel needs more than a row. */
void wish_cancel(struct work *w, struct call *call);
void wish_pause(struct dispatcher *j, struct backlog_job *row,
                struct call *call);
void wish_resume(struct dispatcher *j, struct backlog_job *row,
                 struct call *call);

/* The store refuses a Pause of a job that waits: it waits as before. */
void wish_undo_hold(struct dispatcher *j, struct backlog_job *row);

/* The client of an attached job is gone. */
void wish_abandon(struct work *w);

/* The service goes down. */
void wish_interrupt(struct work *w);

#endif
