/*
 * rebuild: make a bitstream again of what the decoder API passes: parsed
 * parameters and the slices.
 *
 * Stateful: headers are written when they change. One for a decoder, used by
 * one thread at a time.
 */
#ifndef VGPU_REBUILD_H
#define VGPU_REBUILD_H

#include <ffnvcodec/dynlink_cuda.h>
#include <ffnvcodec/dynlink_cuviddec.h>

#include "bits.h"
#include "software.h"

struct rebuild;

struct rebuilder {
    cudaVideoCodec codec;
    const char *decoder; // libavcodec's name
    enum software_pick pick;
    struct rebuild *(*create)(void); // NULL: nothing to remember
    void (*destroy)(struct rebuild *r);
    /* Append to @packet what decodes to @p. 0, or -1 when that cannot be. */
    int (*picture)(struct rebuild *r, const CUVIDPICPARAMS *p,
                   struct bytes *packet);
};

extern const struct rebuilder rebuilder_h264;
extern const struct rebuilder rebuilder_hevc;
extern const struct rebuilder rebuilder_mpeg2;
extern const struct rebuilder rebuilder_vp9;

/* The bytes of slice @i, start code and all; 0 when the offsets lie. */
int rebuild_slice(const CUVIDPICPARAMS *p, unsigned i, const uint8_t **ret,
                  size_t *ret_size);

/* Zig-zag scan of 4x4 and 8x8: raster position of the n-th coefficient. */
extern const uint8_t rebuild_zigzag4[16];
extern const uint8_t rebuild_zigzag8[64];

#endif
