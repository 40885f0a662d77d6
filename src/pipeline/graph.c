#include "pipeline/graph.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavutil/channel_layout.h>

#include "base/error.h"
#include "base/memory.h"
#include "media/averror.h"
#include "media/compat.h"

struct graph {
    AVFilterGraph *filters;  // owned
    AVFilterContext *source; // owned by filters
    AVFilterContext *sink;   // owned by filters
    AVFrame *like;           // owned; without data: what was it built for
    AVRational time_base;
    AVRational frame_rate;
    int64_t end; // of the last frame that went in
};

static bool is_audio(const AVFrame *frame)
{
    return frame->nb_samples > 0;
}

static int describe_source(struct graph *g, AVRational frame_rate)
{
    const AVFrame *like = g->like;
    AVBufferSrcParameters *p = av_buffersrc_parameters_alloc();

    if (!p)
        return AVERROR(ENOMEM);
    p->format = like->format;
    p->time_base = g->time_base;
    if (is_audio(like)) {
        p->sample_rate = like->sample_rate;
        p->ch_layout = like->ch_layout; // copied by the call below
    } else {
        p->width = like->width;
        p->height = like->height;
        p->sample_aspect_ratio = like->sample_aspect_ratio;
        p->frame_rate = frame_rate;
        p->hw_frames_ctx = like->hw_frames_ctx; // referenced by the call
        compat_source_set_colour(p, like);
    }
    int r = av_buffersrc_parameters_set(g->source, p);
    av_free(p);
    return r;
}

/* Allocate, describe, init: what every version takes. */
static int create_ends(struct graph *g, AVRational frame_rate)
{
    bool audio = is_audio(g->like);

    g->source = avfilter_graph_alloc_filter(
        g->filters, avfilter_get_by_name(audio ? "abuffer" : "buffer"), "in");
    g->sink = avfilter_graph_alloc_filter(
        g->filters, avfilter_get_by_name(audio ? "abuffersink" : "buffersink"),
        "out");
    if (!g->source || !g->sink)
        return AVERROR(ENOMEM);
    int r = describe_source(g, frame_rate);
    if (r >= 0)
        r = avfilter_init_str(g->source, NULL);
    if (r >= 0)
        r = avfilter_init_str(g->sink, NULL);
    return r;
}

static AVFilterInOut *open_end(const char *name, AVFilterContext *filter)
{
    AVFilterInOut *end = avfilter_inout_alloc();

    if (end) {
        end->name = av_strdup(name);
        end->filter_ctx = filter;
    }
    return end;
}

static int lend_device(struct graph *g, AVBufferRef *device)
{
    for (unsigned i = 0; device && i < g->filters->nb_filters; i++) {
        AVFilterContext *filter = g->filters->filters[i];
        filter->hw_device_ctx = av_buffer_ref(device);
        if (!filter->hw_device_ctx)
            return AVERROR(ENOMEM);
    }
    return 0;
}

static int connect(struct graph *g, const char *text, AVBufferRef *device)
{
    // named as the filters see it: the source is where their input comes from
    AVFilterInOut *outputs = open_end("in", g->source);
    AVFilterInOut *inputs = open_end("out", g->sink);
    int r = AVERROR(ENOMEM);

    if (outputs && inputs)
        r = avfilter_graph_parse_ptr(g->filters, text, &inputs, &outputs, NULL);
    avfilter_inout_free(&inputs);
    avfilter_inout_free(&outputs);
    if (r >= 0)
        r = lend_device(g, device);
    return r < 0 ? r : avfilter_graph_config(g->filters, NULL);
}

static int keep_kind(struct graph *g, const AVFrame *frame)
{
    g->like = av_frame_alloc();
    if (!g->like)
        return AVERROR(ENOMEM);
    g->like->format = frame->format;
    g->like->width = frame->width;
    g->like->height = frame->height;
    g->like->sample_aspect_ratio = frame->sample_aspect_ratio;
    g->like->color_range = frame->color_range;
    g->like->colorspace = frame->colorspace;
    g->like->nb_samples = frame->nb_samples;
    g->like->sample_rate = frame->sample_rate;
    if (frame->hw_frames_ctx) {
        g->like->hw_frames_ctx = av_buffer_ref(frame->hw_frames_ctx);
        if (!g->like->hw_frames_ctx)
            return AVERROR(ENOMEM);
    }
    return av_channel_layout_copy(&g->like->ch_layout, &frame->ch_layout);
}

int graph_create(struct graph **ret, const struct graph_config *config,
                 struct error *e)
{
    struct graph *g = xcalloc(1, sizeof(*g));

    g->time_base = config->time_base;
    g->frame_rate = config->frame_rate;
    g->end = AV_NOPTS_VALUE;
    g->filters = avfilter_graph_alloc();
    int r = g->filters ? keep_kind(g, config->frame) : AVERROR(ENOMEM);
    if (r >= 0) {
        // stages have threads of their own
        g->filters->nb_threads = 1;
        r = create_ends(g, config->frame_rate);
    }
    if (r >= 0)
        r = connect(g, config->text, config->device);
    if (r < 0) {
        graph_destroy(g);
        return averror_set(e, r, "cannot build filters '%s'", config->text);
    }
    *ret = g;
    return 0;
}

void graph_destroy(struct graph *g)
{
    if (!g)
        return;
    avfilter_graph_free(&g->filters);
    av_frame_free(&g->like);
    free(g);
}

/* Surfaces of another pool are other surfaces, whatever they look like. */
static bool same_pool(const AVFrame *a, const AVFrame *b)
{
    if (!a->hw_frames_ctx || !b->hw_frames_ctx)
        return a->hw_frames_ctx == b->hw_frames_ctx;
    return a->hw_frames_ctx->data == b->hw_frames_ctx->data;
}

bool graph_fits(const struct graph *g, const AVFrame *frame,
                AVRational time_base)
{
    const AVFrame *like = g->like;

    return like->format == frame->format && like->width == frame->width &&
           like->height == frame->height && same_pool(like, frame) &&
           like->sample_rate == frame->sample_rate &&
           av_cmp_q(g->time_base, time_base) == 0 &&
           av_channel_layout_compare(&like->ch_layout, &frame->ch_layout) == 0;
}

static int64_t duration_of(const struct graph *g, const AVFrame *frame)
{
    int64_t duration = compat_frame_duration(frame);

    if (is_audio(frame))
        return frame->nb_samples;
    if (duration <= 0 && g->frame_rate.num)
        duration = av_rescale_q(1, av_inv_q(g->frame_rate), g->time_base);
    return duration > 0 ? duration : 0;
}

/* The end is told, too: a filter that counts frames by time would lose the last
 * one otherwise. */
static int push(struct graph *g, AVFrame *frame)
{
    if (!frame)
        return av_buffersrc_close(g->source, g->end, 0);
    g->end = frame->pts + duration_of(g, frame);
    return av_buffersrc_add_frame_flags(g->source, frame, 0);
}

int graph_push(struct graph *g, AVFrame *frame, struct error *e)
{
    int r = push(g, frame);

    av_frame_free(&frame);
    return r < 0 ? averror_set(e, r, "cannot filter a frame") : 0;
}

int graph_pull(struct graph *g, AVFrame **ret, struct error *e)
{
    AVFrame *frame = av_frame_alloc();

    if (!frame)
        return error_set(e, -ENOMEM, "out of memory");
    int r = av_buffersink_get_frame(g->sink, frame);
    if (r >= 0) {
        *ret = frame;
        return 1;
    }
    av_frame_free(&frame);
    if (r == AVERROR(EAGAIN) || r == AVERROR_EOF)
        return 0;
    return averror_set(e, r, "cannot filter a frame");
}

AVRational graph_time_base(const struct graph *g)
{
    return av_buffersink_get_time_base(g->sink);
}
