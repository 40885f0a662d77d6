/*
 * pipeline: a plan, running.
 *
 *   demuxer ─┬─► decoder ─┬─► filter ─► encoder ─┐
 *            │            └─► filter ─► encoder ─┼─► muxer ─► output 0
 *            ├─► decoder ───► filter ─► encoder ─┘      (one an output)
 *            └──────────────── copied ──────────────► muxer
 *
 * Each arrow is a queue, each box a stage in a thread of its own. The graph has
 * no cycles, and a muxer takes what comes from any of its tracks, so nobody can
 * wait for himself. One decoder feeds every rendition of its stream. The first
 * stage that fails cancels all queues; its error is the pipeline's.
 *
 * Shared between the threads are the queues, the gate, and these atomics: each
 * muxer_progress, the size and the moved bytes of each file_io, the steps of
 * each stage, and the decoders' count of errors.
 */
#ifndef PIPELINE_PIPELINE_H
#define PIPELINE_PIPELINE_H

#include <stddef.h>
#include <stdint.h>

#include "model/outcome.h"

struct error;
struct file_io;
struct gate;
struct hwdevice;
struct pipeline;
struct plan;
struct source;

struct pipeline_config {
    const struct plan *plan;        // not owned, outlives the pipeline
    struct source *source;          // not owned
    struct file_io *const *outputs; // not owned; one an output of the plan
    struct gate *gate;              // not owned; NULL: never paused
    const struct hwdevice *device;  // not owned; NULL: the plan uses none
};

struct pipeline_progress {
    int64_t frames;   // of video written, of the first output that has any
    int64_t position; // µs, where the slowest output is
    int64_t end;      // µs, of the longest track
    int64_t whole;    // µs, up to where growing outputs are whole on disk
    int64_t size;     // bytes written, all outputs
    int64_t errors;   // that decoders reported and survived
    int64_t moved;    // grows while anything happens at all
};

/* 0 or -errno with words; *@ret_blame is then the outcome. */
int pipeline_create(struct pipeline **ret, const struct pipeline_config *config,
                    enum outcome *ret_blame, struct error *e);

/* Only after the end, or before the start. NULL is allowed. */
void pipeline_destroy(struct pipeline *p);

void pipeline_start(struct pipeline *p);

/* Wait for the end for at most @timeout µs: 1 when it has come, else 0. */
int pipeline_wait(struct pipeline *p, int64_t timeout);

/* After the end: 0, or the -errno and words of the stage that failed first,
 * with the outcome that it means and the part of the device that failed. */
int pipeline_result(struct pipeline *p, enum outcome *ret_blame,
                    enum outcome_part *ret_part, struct error *e);

/* At any time, from any thread. */
void pipeline_progress(struct pipeline *p, struct pipeline_progress *ret);

/* Of output @index so far. */
void pipeline_output_progress(struct pipeline *p, size_t index,
                              struct pipeline_progress *ret);

#endif
