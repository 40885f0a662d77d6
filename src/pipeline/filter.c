#include "pipeline/filter.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/hwcontext.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "media/avlog.h"
#include "media/chain.h"
#include "media/hwdevice.h"
#include "media/plan.h"
#include "pipeline/blame.h"
#include "pipeline/graph.h"
#include "pipeline/item.h"
#include "pipeline/sound.h"
#include "pipeline/stage.h"

#define TEXT_MOST 1024

struct filter {
    struct stage stage;
    struct filter_config config;
    struct graph *graph; // owned; NULL before the first frame
    char format[512];    // what the encoder was opened for; of sound
};

/* The deprecated formats for full range are the plain ones, marked. */
static void name_range(AVFrame *frame)
{
    enum AVPixelFormat format = (enum AVPixelFormat)frame->format;
    enum AVPixelFormat plain = chain_plain_format(format);

    if (plain == format)
        return;
    frame->format = plain;
    frame->color_range = AVCOL_RANGE_JPEG;
}

static void add(char text[TEXT_MOST], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void add(char text[TEXT_MOST], const char *format, ...)
{
    size_t used = strlen(text);
    va_list ap;

    va_start(ap, format);
    if (used)
        text[used++] = ',';
    (void)vsnprintf(text + used, TEXT_MOST - used, format, ap);
    va_end(ap);
}

/* A device's picture says what it shows in its pool's description. */
static struct chain_picture picture_of(const struct filter *f,
                                       const AVFrame *frame)
{
    struct chain_picture picture = {
        .memory = MEMORY_SYSTEM,
        .format = (enum AVPixelFormat)frame->format,
        .width = frame->width,
        .height = frame->height,
        .full_range = frame->color_range == AVCOL_RANGE_JPEG,
    };

    if (frame->hw_frames_ctx) {
        const AVHWFramesContext *pool = (void *)frame->hw_frames_ctx->data;
        picture.memory = hwdevice_backend(f->config.device)->memory;
        picture.format = pool->sw_format;
    }
    return picture;
}

static void describe_video(const struct filter *f, const AVFrame *frame,
                           char text[TEXT_MOST])
{
    const struct chain_picture picture = picture_of(f, frame);
    struct chain chain;

    chain_make(&chain, &f->config.track->video, &picture);
    chain_describe(&chain, text, TEXT_MOST);
}

static void describe_audio(struct filter *f, const AVFrame *frame,
                           char text[TEXT_MOST])
{
    const struct plan_track *track = f->config.track;
    AVRational samples = {1, frame->sample_rate};

    if (f->config.start > 0)
        add(text, "atrim=start_pts=0");
    if (f->config.duration >= 0)
        add(text, "atrim=end_pts=%lld",
            (long long)av_rescale_q(f->config.duration, AV_TIME_BASE_Q,
                                    samples));
    if (track->audio.volume != 1)
        add(text, "volume=%g", track->audio.volume);
    if (!*f->format)
        sound_describe(track, frame, f->format, sizeof(f->format));
    // async=1: silence for gaps, so that the sound stays with the picture
    add(text, "aresample=async=1");
    add(text, "%s", f->format);
}

static int build(struct filter *f, const AVFrame *frame, AVRational time_base,
                 struct error *e)
{
    const struct plan_track *track = f->config.track;
    const struct hwdevice *device = f->config.device;
    char text[TEXT_MOST] = "";
    struct graph_config config = {
        .text = text,
        .frame = frame,
        .time_base = time_base,
        .frame_rate = {0, 1},
        .device = device ? hwdevice_ref(device) : NULL,
    };

    if (track->kind == MEDIA_VIDEO) {
        describe_video(f, frame, text);
        config.frame_rate = track->video.average_rate;
    } else {
        describe_audio(f, frame, text);
    }
    return graph_create(&f->graph, &config, e);
}

/* Send all that is ready. */
static int drain(struct filter *f, struct error *e)
{
    AVFrame *frame = NULL;
    int r;

    while ((r = graph_pull(f->graph, &frame, e)) > 0) {
        AVRational base = graph_time_base(f->graph);
        r = stage_send_all(&f->stage, item_frame(frame, base));
        if (r < 0)
            return r;
    }
    return r;
}

static int finish(struct filter *f, struct error *e)
{
    if (!f->graph)
        return 0;
    int r = graph_push(f->graph, NULL, e);
    return r < 0 ? r : drain(f, e);
}

static int ensure_graph(struct filter *f, const AVFrame *frame,
                        AVRational time_base, struct error *e)
{
    if (f->graph && graph_fits(f->graph, frame, time_base))
        return 0;
    int r = finish(f, e);
    if (r < 0)
        return r;
    graph_destroy(f->graph);
    f->graph = NULL;
    return build(f, frame, time_base, e);
}

enum place { PLACE_BEFORE, PLACE_INSIDE, PLACE_BEHIND };

static enum place place_of(const struct filter *f, const AVFrame *frame,
                           AVRational time_base)
{
    int64_t length = frame->nb_samples; // 0 of pictures

    if (f->config.duration >= 0 &&
        frame->pts >=
            av_rescale_q(f->config.duration, AV_TIME_BASE_Q, time_base))
        return PLACE_BEHIND;
    if (f->config.start > 0 && frame->pts + length <= 0 &&
        (length || frame->pts < 0))
        return PLACE_BEFORE;
    return PLACE_INSIDE;
}

static int filter_frame(struct filter *f, AVFrame *frame, AVRational time_base,
                        struct error *e)
{
    if (f->config.track->kind == MEDIA_VIDEO)
        name_range(frame);
    int r = ensure_graph(f, frame, time_base, e);
    if (r < 0) {
        av_frame_free(&frame);
        return r;
    }
    r = graph_push(f->graph, frame, e); // consumes
    if (r == 0)
        r = drain(f, e);
    return r < 0 ? r : 1;
}

static int work(struct filter *f, struct item *item, struct error *e)
{
    if (!item)
        return finish(f, e);
    AVRational time_base = item->time_base;
    AVFrame *frame = item_take_frame(item);
    switch (place_of(f, frame, time_base)) {
    case PLACE_BEFORE:
        av_frame_free(&frame);
        return 1;
    case PLACE_BEHIND:
        av_frame_free(&frame);
        return finish(f, e);
    case PLACE_INSIDE:
        break;
    }
    return filter_frame(f, frame, time_base, e);
}

/* What filters fail at where a device is at work is the device, as a whole: it
 * is their memory, their copies and their kernels. */
static int process(struct stage *s, struct item *item, struct error *e)
{
    struct filter *f = (struct filter *)s;

    avlog_forget_errors();
    int r = work(f, item, e);
    if (r < 0 && f->config.device)
        return blame_device(s, f->config.device, OUTCOME_PART_DEVICE, r, e);
    return r;
}

static void destroy(struct stage *s)
{
    struct filter *f = (struct filter *)s;

    graph_destroy(f->graph);
    stage_fini(s);
    free(f);
}

static const struct stage_ops ops = {
    .kind = "filter",
    .blame = OUTCOME_BAD_INPUT,
    .process = process,
    .destroy = destroy,
};

struct stage *filter_create(const struct filter_config *config)
{
    struct filter *f = xcalloc(1, sizeof(*f));

    stage_init(&f->stage, &ops, "filter of stream %zu", config->track->stream);
    f->config = *config;
    return &f->stage;
}
