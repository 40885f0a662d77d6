/*
 * software: the decoder behind the decoder, libavcodec's own in software.
 *
 * It is given a picture at a time and asked for the buffer that it decoded
 * into, at once: what it puts out, and in which order, does not matter. One
 * thread, so a picture is complete when its packet has been taken.
 */
#ifndef VGPU_SOFTWARE_H
#define VGPU_SOFTWARE_H

#include <libavutil/frame.h>

#include "bits.h"

/* Of several buffers that one picture made the decoder ask for: which one is
 * the picture's. The others stand in for references that are missing. */
enum software_pick {
    SOFTWARE_FIRST,
    SOFTWARE_LAST,
};

struct software;

/* By the name of a libavcodec decoder; NULL when there is none. */
struct software *software_create(const char *name, enum software_pick pick);
void software_destroy(struct software *s);

/*
 * Decode one picture. @picture is replaced by a reference to its buffer, or
 * left as it is for a second field, which has none of its own. Returns 0, or
 * a negative libav code; the picture may be there all the same.
 */
int software_decode(struct software *s, const struct bytes *packet,
                    AVFrame *picture);

#endif
