#include "pipeline/pool.h"

#include <errno.h>

#include <libavutil/hwcontext.h>

#include "base/error.h"
#include "media/averror.h"

static int copy(AVBufferRef *pool, AVFrame *to, const AVFrame *from)
{
    int r = av_hwframe_get_buffer(pool, to, 0);

    if (r < 0)
        return r;
    to->width = from->width; // a pool's pictures are larger than what they show
    to->height = from->height;
    r = av_hwframe_transfer_data(to, from, 0);
    return r < 0 ? r : av_frame_copy_props(to, from);
}

int pool_adopt(AVBufferRef *pool, AVFrame *frame, struct error *e)
{
    if (frame->hw_frames_ctx->data == pool->data)
        return 0;
    AVFrame *own = av_frame_alloc();
    int r = own ? copy(pool, own, frame) : AVERROR(ENOMEM);
    if (r >= 0) {
        av_frame_unref(frame);
        av_frame_move_ref(frame, own);
    }
    av_frame_free(&own);
    return r < 0 ? averror_set(e, r, "cannot copy a picture") : 0;
}
