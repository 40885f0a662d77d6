/*
 * stage: one step of the pipeline, and the one loop that runs them all.
 *
 * A stage receives items from one queue (a demuxer from none), works on them,
 * and sends items to any number of queues. It creates no threads and knows no
 * other stage. What it is, is in its ops; its own data is a struct that embeds
 * this one as its first member.
 */
#ifndef PIPELINE_STAGE_H
#define PIPELINE_STAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "model/outcome.h"

struct error;
struct item;
struct queue;
struct stage;

struct stage_ops {
    const char *kind;   // "decoder"
    enum outcome blame; // what the job's outcome is when it fails

    /* Called first, in the stage's thread; may be NULL. 0 or -errno. */
    int (*open)(struct stage *s, struct error *e);

    /*
     * Work on @item, which is consumed in any case. NULL says that the input
     * has ended: send what is left. A stage without an input is called with
     * NULL until it returns 0.
     *
     * 1: go on; 0: the work is done, more is not wanted; -EPIPE: nobody wants
     * the rest; or -errno with words.
     */
    int (*process)(struct stage *s, struct item *item, struct error *e);

    /* Called last, in the stage's thread, when it or another one has failed;
     * may be NULL. What is good of the work so far is to be kept. */
    void (*rescue)(struct stage *s);

    void (*destroy)(struct stage *s);
};

struct stage_out {
    struct queue *queue; // not owned
    size_t track;        // number that its items get, by stage_send_all()
    bool closed;         // its receiver wants no more
};

struct stage {
    const struct stage_ops *ops;
    char name[32];         // "decoder 0"
    struct queue *in;      // not owned; NULL of a source
    struct stage_out *out; // owned
    size_t out_count;
    enum outcome blame;     // ops->blame, until a stage knows better
    enum outcome_part part; // of a device, where that is to blame
    atomic_llong steps;     // that it has done; read by who looks for a stall
};

void stage_init(struct stage *s, const struct stage_ops *ops,
                const char *format, ...) __attribute__((format(printf, 3, 4)));
void stage_fini(struct stage *s);

/* Send to @queue too; returns the number of the output. */
size_t stage_connect(struct stage *s, struct queue *queue);

/* The same for a muxer's queue, where its items belong to track @track. */
void stage_connect_track(struct stage *s, struct queue *queue, size_t track);

/* Run it until its end in the calling thread. 0 or -errno; -ECANCELED when
 * somebody else failed. Its queues are told in any case. */
int stage_run(struct stage *s, struct error *e);

/*
 * For ops: send @item, consumed, to one output, or to all of them. 0; -EPIPE
 * when none of the outputs wants anything any more; or -errno.
 */
int stage_send(struct stage *s, size_t output, struct item *item);
int stage_send_all(struct stage *s, struct item *item);

/* For ops: wait until all who receive are done with what was sent to them. 0 or
 * -ECANCELED. */
int stage_settle(struct stage *s);

/* NULL is allowed. Calls ops->destroy, which frees. */
void stage_destroy(struct stage *s);

#endif
