/*
 * pool: pictures in a device's memory, all from one pool.
 */
#ifndef PIPELINE_POOL_H
#define PIPELINE_POOL_H

#include <libavutil/frame.h>

struct AVBufferRef;
struct error;

/*
 * Make @frame a picture of @pool (a frames context that allocates), by a copy
 * on the device where it is of another: an encoder on a device knows its
 * pictures by their addresses, and keeps what it knows. Memory of a pool that
 * has ended must not come back as another picture. 0 or -errno with words.
 */
int pool_adopt(struct AVBufferRef *pool, AVFrame *frame, struct error *e);

#endif
