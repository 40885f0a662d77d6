/*
 * pool: where pictures in a device's memory come from.
 */
#ifndef PIPELINE_POOL_H
#define PIPELINE_POOL_H

#include <libavutil/frame.h>

struct AVBufferRef;
struct AVCodecContext;
struct error;
struct hwdevice;

/*
 * Give @decoder, from its get_format(), surfaces of @device: as many as its
 * stream needs and @kept, which others have while it decodes. libav's own pool
 * is sized for callers of whom nothing is known, and each surface of NVDEC is
 * there twice: decoded, and as it is handed out. 0 or libav's error.
 */
int pool_lend(struct AVCodecContext *decoder, const struct hwdevice *device,
              int kept);

/*
 * Make @frame a picture of @pool (a frames context that allocates), by a copy
 * on the device where it is of another: an encoder on a device knows its
 * pictures by their addresses, and keeps what it knows. Memory of a pool that
 * has ended must not come back as another picture. 0 or -errno with words.
 */
int pool_adopt(struct AVBufferRef *pool, AVFrame *frame, struct error *e);

#endif
