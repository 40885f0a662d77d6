/*
 * muxer: collects the packets of an output's tracks and writes its container.
 *
 * The header is written when each track's format is known: of copied ones when
 * the muxer is made, of others by an item from their encoder. What arrives
 * before that waits here.
 */
#ifndef PIPELINE_MUXER_H
#define PIPELINE_MUXER_H

#include <stdatomic.h>
#include <stdint.h>

#include "model/job.h"

struct error;
struct file_io;
struct plan_output;
struct source;
struct stage;

/* Written by the muxer, read by who reports. */
struct muxer_progress {
    atomic_llong frames;   // of video
    atomic_llong position; // µs, how far its video is, or without one its sound
    atomic_llong end;      // µs, of the longest track
    atomic_llong whole;    // µs, how far a growing output is whole on disk
};

struct muxer_config {
    const struct plan_output *plan;  // not owned; outlives the muxer
    struct source *source;           // not owned; read only while it is made
    struct file_io *io;              // not owned
    struct muxer_progress *progress; // not owned
    int64_t start;                   // µs into the input, where the job begins
    int64_t duration;                // µs, < 0: to the end
    int number;                      // of the output
};

/* 0 or -errno with words. */
int muxer_create(struct stage **ret, const struct muxer_config *config,
                 struct error *e);

#endif
