/*
 * plan: how an attempt does its job, stream by stream.
 *
 * Pure: a job, what its input is, and what was granted → a plan, or the reason
 * why not. Nothing is opened here; tests read the descriptions.
 */
#ifndef MEDIA_PLAN_H
#define MEDIA_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "media/info.h"
#include "model/job.h"

struct container;
struct error;
struct grant;
struct need;

#define PLAN_DESCRIPTION_MOST 128

struct plan_track {
    enum media_kind kind;
    size_t stream; // of the input
    bool copied;
    char description[PLAN_DESCRIPTION_MOST]; // "native>scale>libx264", "copy"
};

struct plan_output {
    const struct container *container;
    enum job_delivery delivery;
    enum job_timestamps timestamps;
    enum job_metadata metadata;
    struct plan_track *tracks; // owned
    size_t track_count;
};

struct plan {
    char device[16];
    int threads;      // of decoders and encoders each, 0: as libav likes
    int64_t start;    // µs into the input
    int64_t duration; // µs, JOB_UNSET: to the end
    struct plan_output *outputs; // owned
    size_t output_count;
};

/*
 * 0, or -errno with words: -ENOENT when the input lacks a stream that was asked
 * for, -EINVAL and -ENOTSUP when the job asks for what cannot be.
 */
int plan_make(struct plan *ret, const struct job *job,
              const struct media_info *info, const struct grant *grant,
              struct error *e);
void plan_fini(struct plan *plan);

/* What the plan's work needs of a device. */
void plan_need(const struct plan *plan, const struct media_info *info,
               struct need *ret);

#endif
