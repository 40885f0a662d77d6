/*
 * reorder: decoding times for a video of which only the presentation times are
 * known, as Matroska stores them. Pure.
 *
 * Packets come in decoding order, and a frame is held back behind at most
 * `delay` others: so the smallest of the last delay + 1 presentation times is
 * never undercut by what follows, and decoding times are these, in order.
 */
#ifndef PIPELINE_REORDER_H
#define PIPELINE_REORDER_H

#include <stdint.h>

#define REORDER_MOST 16 // frames; no codec delays more

struct reorder {
    int64_t waiting[REORDER_MOST + 1]; // sorted
    int count;
    int delay;
    int64_t first; // presentation time of the first packet
};

/* @delay is cut to REORDER_MOST. */
void reorder_init(struct reorder *r, int delay);

/* The decoding time of the next packet, shown at @pts for @duration. */
int64_t reorder_next(struct reorder *r, int64_t pts, int64_t duration);

#endif
