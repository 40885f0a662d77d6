#include "pipeline/pool.h"

#include <errno.h>

#include <libavcodec/avcodec.h>
#include <libavutil/hwcontext.h>

#include "base/error.h"
#include "media/averror.h"
#include "media/backend.h"
#include "media/hwdevice.h"

/* What libav hangs its own data on. The decoder puts a surface's address in its
 * place; pictures that are allocated would never be seen. */
static AVBufferRef *allocate_nothing(size_t size)
{
    (void)size;
    return av_buffer_allocz(1);
}

/* Whoever gives a context its pool also takes it back. */
static void free_nothing(AVHWFramesContext *frames)
{
    av_buffer_pool_uninit(&frames->pool);
}

/* libav's decoder keeps the picture before, and the last one whose map of
 * segments counts, also where the stream refers to neither. */
static int kept_besides(enum AVCodecID codec)
{
    return codec == AV_CODEC_ID_VP9 ? 2 : 0;
}

/* H.264: what it refers to, what waits for its turn, and two more. Pictures that
 * wait are nearly always referred to as well: what counts is the larger of both,
 * the picture that is decoded, and the one before, which libav still has. */
static int unused_h264(const AVCodecContext *decoder, int size)
{
    int waiting = size - decoder->refs - 2;
    int both = waiting < decoder->refs ? waiting : decoder->refs;

    return both > 1 ? both : 1;
}

/* Of libav's size for a stream, how many nobody holds: its callers' pictures are
 * in it, too. HEVC says how many there are with the one that is decoded; libav
 * has one more while it begins the next. */
static int unused(const AVCodecContext *decoder, int size)
{
    switch (decoder->codec_id) {
    case AV_CODEC_ID_H264:
        return unused_h264(decoder, size);
    case AV_CODEC_ID_HEVC:
        return 2;
    default:
        return 1;
    }
}

static int make_surfaces(AVBufferRef *pool, const AVCodecContext *decoder,
                         int kept)
{
    AVHWFramesContext *frames = (void *)pool->data;

    frames->initial_pool_size -= unused(decoder, frames->initial_pool_size);
    frames->initial_pool_size += kept + kept_besides(decoder->codec_id);
    frames->pool = av_buffer_pool_init(1, allocate_nothing);
    frames->free = free_nothing;
    return frames->pool ? av_hwframe_ctx_init(pool) : AVERROR(ENOMEM);
}

int pool_lend(AVCodecContext *decoder, const struct hwdevice *device, int kept)
{
    AVBufferRef *pool = NULL;

    int r = avcodec_get_hw_frames_parameters(
        decoder, hwdevice_ref(device), hwdevice_backend(device)->format, &pool);
    if (r >= 0)
        r = make_surfaces(pool, decoder, kept);
    if (r < 0)
        av_buffer_unref(&pool);
    decoder->hw_frames_ctx = pool;
    return r;
}

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
