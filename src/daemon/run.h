/*
 * run: one attempt of a job, from its launch over what it is granted to what
 * becomes of the job when it has ended. work.h's other half.
 */
#ifndef DAEMON_RUN_H
#define DAEMON_RUN_H

struct error;
struct scheduler_view;
struct work;

/* Start its worker. 0, or -errno: no fault of the job. */
int run_launch(struct work *w, struct error *e);

/* It waits for a grant: does it get one now? @view is what there is to have,
 * less what is taken by this. */
void run_decide(struct work *w, struct scheduler_view *view);

#endif
