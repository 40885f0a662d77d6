/*
 * queue: a bounded hand-over of items from stages to the next stage.
 *
 * One thread receives; one or more send, for a muxer collects from several
 * encoders. The bound is what gives a pipeline its back-pressure: a slow
 * encoder fills its queue, which blocks the filter, which blocks the decoder.
 * Depth is counted in items. It is small where the items are raw pictures.
 *
 * The queue owns what has been sent and not yet received.
 */
#ifndef PIPELINE_QUEUE_H
#define PIPELINE_QUEUE_H

#include <stddef.h>

struct queue;

/* @destroy releases an item that nobody will receive. Never returns NULL. */
struct queue *queue_create(size_t depth, size_t senders,
                           void (*destroy)(void *item));

/* NULL is allowed. No thread may be using the queue any more. */
void queue_destroy(struct queue *q);

/*
 * Hand @item over; blocks while the queue is full. The item is consumed in any
 * case.
 *
 * Returns 0, -EPIPE when the receiver wants no more, or -ECANCELED after
 * queue_cancel().
 */
int queue_send(struct queue *q, void *item);

/*
 * Take the next item; blocks while the queue is empty.
 *
 * Returns 1 with an item that the caller now owns, 0 when every sender has
 * finished and everything has been received, or -ECANCELED after a failure
 * upstream: what follows is missing, so the output must not be completed.
 */
int queue_receive(struct queue *q, void **ret_item);

/* Wait until all that was sent has been received and the receiver is done with
 * it, or wants no more. 0 or -ECANCELED. */
int queue_settle(struct queue *q);

/* Called once by each sender: it sends no more. @result is 0 or -errno. */
void queue_finish(struct queue *q, int result);

/* Called once by the receiver: it wants no more. */
void queue_abandon(struct queue *q);

/* Called by any thread when the whole pipeline shall end: who waits here wakes
 * up, and everybody gets -ECANCELED from now on. */
void queue_cancel(struct queue *q);

#endif
