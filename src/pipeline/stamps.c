#include "pipeline/stamps.h"

#include <libavutil/avutil.h>
#include <libavutil/mathematics.h>

void stamps_init(struct stamps *s)
{
    *s = (struct stamps){.last_dts = AV_NOPTS_VALUE, .samples = AV_NOPTS_VALUE};
}

static void move(AVPacket *packet, int64_t ticks)
{
    if (packet->pts != AV_NOPTS_VALUE)
        packet->pts += ticks;
    if (packet->dts != AV_NOPTS_VALUE)
        packet->dts += ticks;
}

/* Sound of a coarse clock (Matroska's milliseconds) gets the places that its
 * samples have, and not the nearest tick for each packet. */
static void smooth(struct stamps *s, AVPacket *packet, AVCodecParameters *par,
                   int64_t dts, AVRational from, AVRational to)
{
    int samples = av_get_audio_frame_duration2(par, packet->size);

    if (par->codec_type != AVMEDIA_TYPE_AUDIO || par->sample_rate <= 0 ||
        dts == AV_NOPTS_VALUE)
        return;
    if (!samples)
        samples = par->frame_size;
    packet->dts = av_rescale_delta(from, dts, (AVRational){1, par->sample_rate},
                                   samples, &s->samples, to);
    packet->pts = packet->dts;
}

/* Decoding times have to grow in every container. */
static void keep_order(struct stamps *s, AVPacket *packet)
{
    int64_t least = s->last_dts == AV_NOPTS_VALUE ? AV_NOPTS_VALUE
                                                  : s->last_dts + s->is_strict;

    if (packet->dts == AV_NOPTS_VALUE)
        return;
    if (least != AV_NOPTS_VALUE && packet->dts < least) {
        if (packet->pts != AV_NOPTS_VALUE && packet->pts < least)
            packet->pts = least;
        packet->dts = least;
    }
    s->last_dts = packet->dts;
}

void stamps_place(struct stamps *s, AVPacket *packet, AVCodecParameters *par,
                  AVRational from, AVRational to, int64_t shift)
{
    move(packet, av_rescale_q(shift, AV_TIME_BASE_Q, from));
    int64_t dts = packet->dts;
    av_packet_rescale_ts(packet, from, to);
    if (s->is_copied)
        smooth(s, packet, par, dts, from, to);
    keep_order(s, packet);
}
