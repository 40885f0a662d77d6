#include "pipeline/regroup.h"

#include <errno.h>
#include <stdlib.h>

#include <libavutil/audio_fifo.h>
#include <libavutil/channel_layout.h>

#include "base/memory.h"

struct regroup {
    AVAudioFifo *samples; // owned
    AVFrame *like;        // owned; without data
    int length;
    int64_t next; // timestamp of the first sample that waits
};

struct regroup *regroup_create(const AVFrame *like, int length)
{
    struct regroup *g = xcalloc(1, sizeof(*g));

    g->length = length;
    g->next = AV_NOPTS_VALUE;
    g->samples = av_audio_fifo_alloc((enum AVSampleFormat)like->format,
                                     like->ch_layout.nb_channels, length);
    g->like = av_frame_alloc();
    if (!g->samples || !g->like ||
        av_channel_layout_copy(&g->like->ch_layout, &like->ch_layout) < 0) {
        regroup_destroy(g);
        return NULL;
    }
    g->like->format = like->format;
    g->like->sample_rate = like->sample_rate;
    return g;
}

void regroup_destroy(struct regroup *g)
{
    if (!g)
        return;
    if (g->samples)
        av_audio_fifo_free(g->samples);
    av_frame_free(&g->like);
    free(g);
}

int regroup_push(struct regroup *g, const AVFrame *frame)
{
    int waiting = av_audio_fifo_size(g->samples);

    if (frame->pts != AV_NOPTS_VALUE)
        g->next = frame->pts - waiting;
    else if (g->next == AV_NOPTS_VALUE)
        g->next = 0;
    int n = av_audio_fifo_write(g->samples, (void **)frame->extended_data,
                                frame->nb_samples);
    return n < frame->nb_samples ? -ENOMEM : 0;
}

int regroup_pull(struct regroup *g, enum regroup_rest rest, AVFrame **ret)
{
    int count = av_audio_fifo_size(g->samples);

    if (count > g->length)
        count = g->length;
    if (!count || (count < g->length && rest == REGROUP_KEEP))
        return 0;

    AVFrame *frame = av_frame_alloc();
    if (!frame)
        return -ENOMEM;
    frame->format = g->like->format;
    frame->sample_rate = g->like->sample_rate;
    frame->nb_samples = count;
    if (av_channel_layout_copy(&frame->ch_layout, &g->like->ch_layout) < 0 ||
        av_frame_get_buffer(frame, 0) < 0 ||
        av_audio_fifo_read(g->samples, (void **)frame->extended_data, count) <
            count) {
        av_frame_free(&frame);
        return -ENOMEM;
    }
    frame->pts = g->next;
    g->next += count;
    *ret = frame;
    return 1;
}
