/*
 * filter: frames as they are decoded → frames as an encoder wants them.
 *
 * Cuts what lies before the job's start and behind its end, exactly. The graph
 * is built for the first frame, and again when frames change in the middle of a
 * stream; what comes out keeps its size and format.
 */
#ifndef PIPELINE_FILTER_H
#define PIPELINE_FILTER_H

#include <stdint.h>

struct hwdevice;
struct plan_track;
struct stage;

struct filter_config {
    const struct plan_track *track; // not owned
    const struct hwdevice *device;  // not owned; NULL: nothing of it is used
    int64_t start;    // µs into the input: > 0 cuts what lies before
    int64_t duration; // µs, < 0: to the end
};

struct stage *filter_create(const struct filter_config *config);

#endif
