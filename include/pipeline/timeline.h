/*
 * timeline: one continuous clock for the packets of an input.
 *
 * Containers that may jump in time (MPEG-TS: a spliced recording, a wrapped
 * counter) are joined as the ffmpeg program does it: a packet that is far from
 * where its stream should be moves the whole input's offset, so that streams
 * stay in sync. Times are µs; AV_NOPTS_VALUE stands for none.
 *
 * Pure: no libav object is touched.
 */
#ifndef PIPELINE_TIMELINE_H
#define PIPELINE_TIMELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timeline;

/* @may_jump: the container's times may jump (AVFMT_TS_DISCONT). @offset is
 * added to every time. */
struct timeline *timeline_create(size_t streams, bool may_jump, int64_t offset);
void timeline_destroy(struct timeline *t); // NULL is allowed

/*
 * What to add to the times of this packet of @stream, whose own decoding and
 * presentation time and duration are given. @guides: a video or audio stream,
 * by which jumps are found; subtitles come when they like.
 */
int64_t timeline_shift(struct timeline *t, size_t stream, bool guides,
                       int64_t dts, int64_t pts, int64_t duration);

#endif
