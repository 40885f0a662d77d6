/*
 * control: the orders that a worker gets, and the ends of who gives them.
 *
 * A thread of its own reads the orders and notices hang-ups, whatever the rest
 * of the worker is doing. Stop, and the hang-up of either socket, end the
 * process at once: what a worker leaves unfinished has no name on any disk, so
 * there is nothing to tidy up, and no library to wait for.
 */
#ifndef WORKER_CONTROL_H
#define WORKER_CONTROL_H

#include <stdbool.h>

struct control;
struct error;
struct gate;
struct grant;
struct order;
struct reporter;

/* @fd, @reporter and @gate stay the caller's, and live as long as the process.
 * The end of @fd ends it: whoever gave orders is gone. */
struct control *control_start(int fd, struct reporter *reporter,
                              struct gate *gate);

/* Wait for the job: 0 with the order, which the caller finishes, and the file
 * channel (-1: none came), or -errno. */
int control_wait_job(struct control *c, struct order *ret, int *ret_channel,
                     struct error *e);

/* Wait for what is granted. */
int control_wait_grant(struct control *c, struct grant *ret, struct error *e);

/* From now on the hang-up of the channel @fd, which stays the caller's, ends
 * the process. */
void control_watch(struct control *c, int fd);

/* The outputs are about to get their names: from now on stop and the channel's
 * hang-up come too late. */
void control_commit(struct control *c);

#endif
