#include "pipeline/sound.h"

#include <stdio.h>
#include <string.h>

#include <libavutil/channel_layout.h>
#include <libavutil/samplefmt.h>

#include "media/compat.h"
#include "media/plan.h"

/* The smallest rate that loses nothing, or else the highest. */
static int choose_rate(const AVCodec *encoder, int wanted)
{
    const int *rates = compat_encoder_rates(encoder);
    int above = 0;
    int most = 0;

    for (; rates && *rates; rates++) {
        if (*rates >= wanted && (!above || *rates < above))
            above = *rates;
        most = *rates > most ? *rates : most;
    }
    if (!most)
        return wanted; // takes any
    return above ? above : most;
}

/* The source's own layout where it may stay; else the usual one of the most
 * channels that both sides can. */
static void choose_layout(const AVCodec *encoder, const AVChannelLayout *source,
                          int most, AVChannelLayout *ret)
{
    const AVChannelLayout *list = compat_encoder_layouts(encoder);
    const AVChannelLayout *best = NULL;
    int channels = source->nb_channels < most ? source->nb_channels : most;

    for (; list && list->nb_channels; list++) {
        if (channels == source->nb_channels &&
            av_channel_layout_compare(list, source) == 0) {
            av_channel_layout_copy(ret, source);
            return;
        }
        if (list->nb_channels <= channels &&
            (!best || list->nb_channels > best->nb_channels))
            best = list;
    }
    if (best)
        av_channel_layout_copy(ret, best);
    else if (channels == source->nb_channels &&
             source->order == AV_CHANNEL_ORDER_NATIVE)
        av_channel_layout_copy(ret, source);
    else
        av_channel_layout_default(ret, channels);
}

static void describe_formats(const AVCodec *encoder, char *ret, size_t size)
{
    const enum AVSampleFormat *formats = compat_encoder_sample_formats(encoder);
    size_t used = 0;

    *ret = '\0';
    for (; formats && *formats != AV_SAMPLE_FMT_NONE; formats++) {
        used +=
            (size_t)snprintf(ret + used, size - used, "%s%s", used ? "|" : "",
                             av_get_sample_fmt_name(*formats));
        if (used >= size)
            return;
    }
}

void sound_describe(const struct plan_track *track, const AVFrame *frame,
                    char *ret, size_t size)
{
    const AVCodec *encoder = avcodec_find_encoder_by_name(track->encoder);
    AVChannelLayout layout = {0};
    char layout_name[128];
    char formats[128];
    int rate = track->audio.sample_rate ? track->audio.sample_rate
                                        : frame->sample_rate;

    choose_layout(encoder, &frame->ch_layout, track->audio.channels, &layout);
    av_channel_layout_describe(&layout, layout_name, sizeof(layout_name));
    av_channel_layout_uninit(&layout);
    describe_formats(encoder, formats, sizeof(formats));
    (void)snprintf(ret, size,
                   "aformat=sample_rates=%d:channel_layouts=%s:sample_fmts=%s",
                   choose_rate(encoder, rate), layout_name, formats);
}
