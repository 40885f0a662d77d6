/*
 * surfaces: how many pictures a device's decoder must have room for.
 *
 * Its pool is fixed: one too few, and it fails; each one more is memory of the
 * card. A decoder holds what its stream refers to and puts in order; the rest
 * is what the stages behind it have at a time. Pure.
 */
#ifndef MEDIA_SURFACES_H
#define MEDIA_SURFACES_H

#include <stddef.h>

#include <libavcodec/codec_id.h>

struct plan;

/* Pictures of @stream that are outside of its decoder at a time, at most: in
 * its hand, in a queue, and in the hands of the slowest filter. */
int surfaces_held(const struct plan *plan, size_t stream);

/* What the pool will be about, before the stream's headers are known. */
int surfaces_expected(enum AVCodecID codec, int held);

#endif
