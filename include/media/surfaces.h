/*
 * surfaces: how many pictures a device's decoder must have room for.
 *
 * Its pool is fixed: one too few, and it fails; each one more is memory of the
 * card. A decoder holds what its stream refers to and puts in order, and the one
 * that is being decoded. Others hold nothing meanwhile, for it waits for its
 * filters (pipeline/decoder.c); but for those that keep pictures. Pure.
 */
#ifndef MEDIA_SURFACES_H
#define MEDIA_SURFACES_H

#include <stddef.h>

#include <libavcodec/codec_id.h>

struct plan;

/* Pictures of @stream that filters keep, at most. */
int surfaces_kept(const struct plan *plan, size_t stream);

/* What the pool will be about, before the stream's headers are known. */
int surfaces_expected(enum AVCodecID codec, int kept);

#endif
