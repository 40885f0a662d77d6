#include "rebuild.h"

// clang-format off
const uint8_t rebuild_zigzag4[16] = {
    0, 1, 4, 8, 5, 2, 3, 6, 9, 12, 13, 10, 7, 11, 14, 15,
};

const uint8_t rebuild_zigzag8[64] = {
     0,  1,  8, 16,  9,  2,  3, 10, 17, 24, 32, 25, 18, 11,  4,  5,
    12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13,  6,  7, 14, 21, 28,
    35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51,
    58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
};
// clang-format on

int rebuild_slice(const CUVIDPICPARAMS *p, unsigned i, const uint8_t **ret,
                  size_t *ret_size)
{
    size_t from = p->pSliceDataOffsets[i];
    size_t to = i + 1 < p->nNumSlices ? p->pSliceDataOffsets[i + 1]
                                      : p->nBitstreamDataLen;

    if (from >= to || to > p->nBitstreamDataLen)
        return 0;
    *ret = p->pBitstreamData + from;
    *ret_size = to - from;
    return 1;
}

/* A whole coded frame is passed; nothing is missing. */
static int pass_frame(struct rebuild *r, const CUVIDPICPARAMS *p,
                      struct bytes *packet)
{
    (void)r;
    bytes_append(packet, p->pBitstreamData, p->nBitstreamDataLen);
    return 0;
}

const struct rebuilder rebuilder_vp9 = {
    .codec = cudaVideoCodec_VP9,
    .decoder = "vp9",
    .pick = SOFTWARE_FIRST,
    .picture = pass_frame,
};
