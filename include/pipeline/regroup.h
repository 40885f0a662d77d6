/*
 * regroup: sound in frames of the length that an encoder wants.
 *
 * Timestamps count in samples. Pure of threads; fed and emptied by one stage.
 */
#ifndef PIPELINE_REGROUP_H
#define PIPELINE_REGROUP_H

#include <libavutil/frame.h>

struct regroup;

/* Frames of @length samples, of the kind of @like. NULL without memory. */
struct regroup *regroup_create(const AVFrame *like, int length);
void regroup_destroy(struct regroup *g); // NULL is allowed

/* Put @frame in, which stays the caller's. 0 or -ENOMEM. */
int regroup_push(struct regroup *g, const AVFrame *frame);

enum regroup_rest {
    REGROUP_KEEP, // for more to come
    REGROUP_GIVE  // shorter than the others
};

/* 1 with the next frame, which the caller owns, 0 when there is none, or
 * -ENOMEM. */
int regroup_pull(struct regroup *g, enum regroup_rest rest, AVFrame **ret);

#endif
