/*
 * hevc_slice: HEVC slice headers that stand on their own.
 *
 * A slice may name its reference picture set by an index into the sequence
 * parameter set, or code it as a difference to one there, and long-term
 * pictures likewise. None of those tables is passed through the decoder API.
 * What is passed is the result, so the header is written anew with the set
 * spelled out.
 *
 * A header must stay a whole number of bytes and its end is hard to find. But
 * the picture parameter set may announce up to 7 extra bits in every header:
 * with the right number of them the change is a multiple of 8 bits, and all
 * that follows is copied as it is.
 */
#ifndef VGPU_HEVC_SLICE_H
#define VGPU_HEVC_SLICE_H

#include <ffnvcodec/dynlink_cuda.h>
#include <ffnvcodec/dynlink_cuviddec.h>

#include "bits.h"

/*
 * Write the NAL unit @nal (without a start code) to @ret, and to
 * *@ret_extra_bits what the picture parameter set must announce for it.
 * A dependent slice is left as it is, and so is *@ret_extra_bits. Returns the
 * number of that set, or -1 when the header cannot be written.
 */
int hevc_slice_rewrite(struct bits *ret, unsigned *ret_extra_bits,
                       const uint8_t *nal, size_t size,
                       const CUVIDPICPARAMS *p);

/* The number of the parameter set that the slice @nal names, or -1. */
int hevc_slice_pps(const uint8_t *nal, size_t size);

/* Whether slices of this picture refer to tables that are not passed. */
bool hevc_slice_needs_rewrite(const CUVIDPICPARAMS *p);

#endif
