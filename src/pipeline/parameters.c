#include "pipeline/parameters.h"

#include <errno.h>

#include <libavformat/avformat.h>

#include "base/error.h"
#include "media/averror.h"
#include "media/compat.h"
#include "media/container.h"
#include "pipeline/item.h"
#include "pipeline/light.h"

/* What an encoder made here, or what has all its parameter sets in front, gets
 * the tag that players want. */
static uint32_t preferred_tag(const struct container *container,
                              const AVCodecParameters *par)
{
    if (par->codec_id != AV_CODEC_ID_HEVC || !par->extradata_size)
        return 0;
    return container->hevc_tag;
}

/* The input's tag where the container knows it as the same codec, else the
 * container's own. */
static uint32_t choose_tag(const AVOutputFormat *format,
                           const AVCodecParameters *par)
{
    unsigned own = 0;

    if (!format->codec_tag ||
        av_codec_get_id(format->codec_tag, par->codec_tag) == par->codec_id ||
        !av_codec_get_tag2(format->codec_tag, par->codec_id, &own))
        return par->codec_tag;
    return 0;
}

int parameters_copy(AVStream *out, const AVStream *in,
                    const AVFormatContext *format,
                    const struct container *container, struct error *e)
{
    int r = avcodec_parameters_copy(out->codecpar, in->codecpar);

    if (r < 0)
        return averror_set(e, r, "cannot take over stream parameters");
    out->codecpar->codec_tag = preferred_tag(container, in->codecpar);
    if (!out->codecpar->codec_tag)
        out->codecpar->codec_tag = choose_tag(format->oformat, in->codecpar);
    out->time_base = in->time_base;
    out->avg_frame_rate = in->avg_frame_rate;
    out->sample_aspect_ratio = in->sample_aspect_ratio;
    if (!compat_stream_copy_side_data(out, in))
        return error_set(e, -ENOMEM, "out of memory");
    return 0;
}

int parameters_take(AVStream *out, const struct item *item,
                    const struct container *container, struct error *e)
{
    int r = avcodec_parameters_copy(out->codecpar, item->format.parameters);

    out->time_base = item->time_base;
    out->avg_frame_rate = item->format.frame_rate;
    out->sample_aspect_ratio = out->codecpar->sample_aspect_ratio;
    if (r >= 0)
        r = light_give(out, item->format.light);
    if (r < 0)
        return averror_set(e, r, "cannot take over stream parameters");
    uint32_t tag = preferred_tag(container, out->codecpar);
    if (tag)
        out->codecpar->codec_tag = tag;
    return 0;
}
