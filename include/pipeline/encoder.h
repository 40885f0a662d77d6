/*
 * encoder: frames → packets of one track, sent to a muxer, or to several that
 * want the same.
 *
 * Opened by its first frame; then says what its packets will be (ITEM_FORMAT).
 * When no frame comes it is opened by the plan, so that the track is there and
 * empty.
 */
#ifndef PIPELINE_ENCODER_H
#define PIPELINE_ENCODER_H

#include <stdbool.h>
#include <stddef.h>

struct hwdevice;
struct plan_track;
struct stage;

struct encoder_config {
    const struct plan_track *track; // not owned
    const struct hwdevice *device;  // not owned; NULL: the CPU encodes
    bool global_header;             // the container keeps what all frames need
    int source_rate;                // Hz, of the input's sound
};

struct stage *encoder_create(const struct encoder_config *config);

#endif
