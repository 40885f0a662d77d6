#include "media/survey_filters.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavutil/frame.h>
#include <libavutil/hwcontext.h>

#include "base/memory.h"
#include "media/ear.h"
#include "media/hwdevice.h"
#include "media/survey_words.h"
#include "model/survey.h"

#define WIDTH  256
#define HEIGHT 144
#define FRAMES 3 // what a deinterlacer wants to see before it says anything

/* What a filter is tried on: chains from [in] to [out], each of its own
 * kernels. It runs where all of them do. */
// clang-format off
static const struct row {
    const char *name;
    const char *chains[3]; // ended by NULL
} rows[] = {
    {"scale_cuda", {"scale_cuda=w=128:h=72",
                    "scale_cuda=format=p010le,scale_cuda=w=128:h=72:format=nv12"}},
    {"yadif_cuda", {"yadif_cuda"}},
    {"bwdif_cuda", {"bwdif_cuda"}},
    {"overlay_cuda", {"split[a][b];[b]scale_cuda=w=64:h=64[c];[a][c]overlay_cuda"}},
    {"tonemap_cuda", {"tonemap_cuda=format=nv12"}},
    {"transpose_cuda", {"transpose_cuda"}},
    {"hwdownload", {"hwdownload,format=nv12"}},
    {"hwupload_cuda", {"hwdownload,format=nv12,hwupload_cuda"}},
    {"hwupload", {"hwdownload,format=nv12,hwupload"}},
};
// clang-format on

struct bench {
    AVBufferRef *frames; // referenced
    AVFilterGraph *graph;
    AVFilterContext *source;
    AVFilterContext *sink;
};

static AVBufferRef *make_frames(AVBufferRef *device)
{
    AVBufferRef *ref = av_hwframe_ctx_alloc(device);

    if (!ref)
        return NULL;
    AVHWFramesContext *frames = (AVHWFramesContext *)ref->data;
    frames->format = AV_PIX_FMT_CUDA;
    frames->sw_format = AV_PIX_FMT_NV12;
    frames->width = WIDTH;
    frames->height = HEIGHT;
    if (av_hwframe_ctx_init(ref) < 0)
        av_buffer_unref(&ref);
    return ref;
}

static int make_source(struct bench *b)
{
    AVBufferSrcParameters *p = av_buffersrc_parameters_alloc();

    b->source = avfilter_graph_alloc_filter(
        b->graph, avfilter_get_by_name("buffer"), "in");
    if (!p || !b->source) {
        av_freep(&p);
        return AVERROR(ENOMEM);
    }
    p->format = AV_PIX_FMT_CUDA;
    p->width = WIDTH;
    p->height = HEIGHT;
    p->time_base = (AVRational){1, 25};
    p->frame_rate = (AVRational){25, 1};
    p->hw_frames_ctx = b->frames;
    int r = av_buffersrc_parameters_set(b->source, p);
    av_freep(&p);
    return r < 0 ? r : avfilter_init_str(b->source, NULL);
}

static int make_sink(struct bench *b)
{
    b->sink = avfilter_graph_alloc_filter(
        b->graph, avfilter_get_by_name("buffersink"), "out");
    return b->sink ? avfilter_init_str(b->sink, NULL) : AVERROR(ENOMEM);
}

/* Filters that make frames of their own have to be told where. */
static int give_device(struct bench *b, AVBufferRef *device)
{
    for (unsigned i = 0; i < b->graph->nb_filters; i++) {
        b->graph->filters[i]->hw_device_ctx = av_buffer_ref(device);
        if (!b->graph->filters[i]->hw_device_ctx)
            return AVERROR(ENOMEM);
    }
    return 0;
}

static int make_chain(struct bench *b, const char *chain, AVBufferRef *device)
{
    AVFilterInOut *in = avfilter_inout_alloc();
    AVFilterInOut *out = avfilter_inout_alloc();
    int r = AVERROR(ENOMEM);

    if (in && out) {
        // seen from the chain: its input is what the source puts out
        out->name = av_strdup("in");
        out->filter_ctx = b->source;
        in->name = av_strdup("out");
        in->filter_ctx = b->sink;
        r = avfilter_graph_parse_ptr(b->graph, chain, &in, &out, NULL);
    }
    avfilter_inout_free(&in);
    avfilter_inout_free(&out);
    if (r >= 0)
        r = give_device(b, device);
    return r < 0 ? r : avfilter_graph_config(b->graph, NULL);
}

static int push(struct bench *b, int64_t time)
{
    AVFrame *frame = av_frame_alloc();
    int r =
        frame ? av_hwframe_get_buffer(b->frames, frame, 0) : AVERROR(ENOMEM);

    if (r >= 0) {
        frame->pts = time;
        r = av_buffersrc_add_frame(b->source, frame);
    }
    av_frame_free(&frame);
    return r;
}

static int pull(struct bench *b)
{
    AVFrame *frame = av_frame_alloc();
    int r = frame ? av_buffersink_get_frame(b->sink, frame) : AVERROR(ENOMEM);

    av_frame_free(&frame);
    return r;
}

static int run(struct bench *b)
{
    int r = 0;

    for (int i = 0; i < FRAMES && r >= 0; i++)
        r = push(b, i);
    if (r >= 0)
        r = av_buffersrc_add_frame(b->source, NULL);
    return r < 0 ? r : pull(b);
}

static int try_chain(AVBufferRef *frames, AVBufferRef *device,
                     const char *chain)
{
    struct bench b = {.frames = frames, .graph = avfilter_graph_alloc()};
    int r = b.graph ? make_source(&b) : AVERROR(ENOMEM);

    if (r >= 0)
        r = make_sink(&b);
    if (r >= 0)
        r = make_chain(&b, chain, device);
    if (r >= 0)
        r = run(&b);
    avfilter_graph_free(&b.graph);
    return r;
}

static bool runs(const struct row *row, AVBufferRef *frames,
                 AVBufferRef *device)
{
    for (size_t i = 0; row->chains[i]; i++) {
        if (try_chain(frames, device, row->chains[i]) < 0)
            return false;
    }
    return true;
}

static void add(struct survey_device *ret, const char *name)
{
    ret->filters =
        xrealloc(ret->filters, ret->filter_count + 1, sizeof(char *));
    ret->filters[ret->filter_count++] = xstrdup(name);
}

/* Will it be the same the next time? */
static bool explain(struct survey_device *ret, const char *name)
{
    struct survey_failure failure;

    if (!*ear_heard())
        return true;
    survey_explain_filter(&failure, ear_heard(), name, ret->driver);
    survey_add_problem(ret, "%s", failure.words);
    ret->is_partial |= failure.verdict == SURVEY_BUSY;
    return survey_is_lasting(failure.verdict);
}

bool survey_filters(struct survey_device *ret, struct hwdevice *h)
{
    bool is_sure = true;
    AVBufferRef *device = hwdevice_ref(h);
    AVBufferRef *frames = make_frames(device);

    if (!frames) {
        survey_add_problem(ret, "there is no memory for frames on the card");
        ret->is_partial = true;
        return false;
    }
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!avfilter_get_by_name(rows[i].name))
            continue;
        ear_clear();
        if (runs(&rows[i], frames, device))
            add(ret, rows[i].name);
        else
            is_sure &= explain(ret, rows[i].name);
    }
    av_buffer_unref(&frames);
    return is_sure;
}
