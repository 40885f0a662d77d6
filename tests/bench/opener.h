/*
 * opener: opens an attached job's files for its worker, in a thread of ours, as
 * `transcodectl run` does in its process.
 */
#ifndef BENCH_OPENER_H
#define BENCH_OPENER_H

struct error;
struct json_t;
struct opener;

/* *@ret_channel is the worker's end, which the caller closes when it is sent.
 */
int opener_start(struct opener **ret, int *ret_channel,
                 const struct json_t *job, struct error *e);

/* Waits until the worker hangs up. NULL is allowed. */
void opener_stop(struct opener *o);

#endif
