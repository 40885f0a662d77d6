/*
 * growth: the packets of an output that others read while it grows, and up to
 * where it is whole should its worker die now.
 *
 * Part of a muxer, and of its thread.
 */
#ifndef PIPELINE_GROWTH_H
#define PIPELINE_GROWTH_H

#include <stdint.h>

struct AVFormatContext;
struct AVPacket;
struct container;
struct file_io;
struct growth;
struct muxer_progress;

struct growth_config {
    struct AVFormatContext *format;    // not owned; its header is written
    const struct container *container; // not owned
    const struct file_io *io;          // not owned; what @format writes to
    struct muxer_progress *progress;   // not owned; gets `whole`
    int64_t shift;                     // µs that were added to all times
};

/* Never NULL. */
struct growth *growth_create(const struct growth_config *config);
void growth_destroy(struct growth *g); // NULL is allowed

/* Give a packet to libav, which takes its reference over. 0 or an AVERROR. */
int growth_write(struct growth *g, struct AVPacket *packet);

/* No more will come: what there is, is written. */
void growth_end(struct growth *g);

#endif
