#include "pipeline/pipeline.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "media/container.h"
#include "media/file_io.h"
#include "media/plan.h"
#include "media/source.h"
#include "media/surfaces.h"
#include "pipeline/decoder.h"
#include "pipeline/demuxer.h"
#include "pipeline/encoder.h"
#include "pipeline/filter.h"
#include "pipeline/item.h"
#include "pipeline/muxer.h"
#include "pipeline/queue.h"
#include "pipeline/stage.h"
#include "pipeline/subtitler.h"

/* How much waits between stages: as little as keeps both sides busy where it is
 * large. A muxer's packets are small and come from many. */
#define PACKETS       4
#define MUXER_PACKETS 32
#define FRAMES        1

struct runner {
    struct pipeline *pipeline; // not owned
    struct stage *stage;       // owned
    pthread_t thread;
    bool started;
};

/* An encoder that is there, for other outputs that want the same of it. */
struct encoding {
    const struct plan_track *track; // not owned
    bool global_header;
    struct stage *encoder; // owned by its runner
};

struct pipeline {
    struct pipeline_config config;
    struct muxer_progress *progress; // owned; one an output
    atomic_llong errors;             // of the decoders
    struct stage *demuxer;           // owned by its runner, as all stages
    struct stage **decoders;         // owned array; one a stream, or NULL
    struct encoding *encodings;      // owned
    size_t encoding_count;
    struct runner *runners; // owned
    size_t runner_count;
    struct queue **queues; // owned
    size_t queue_count;

    pthread_mutex_t lock; // for what follows
    pthread_cond_t ended;
    size_t running;
    int result; // of the first that failed
    enum outcome blame;
    enum outcome_part part;
    struct error error;
};

static struct queue *add_queue(struct pipeline *p, size_t depth, size_t senders)
{
    p->queues = xrealloc(p->queues, p->queue_count + 1, sizeof(*p->queues));
    return p->queues[p->queue_count++] =
               queue_create(depth, senders, item_destroy);
}

static void add_stage(struct pipeline *p, struct stage *stage)
{
    p->runners = xrealloc(p->runners, p->runner_count + 1, sizeof(*p->runners));
    p->runners[p->runner_count++] = (struct runner){.stage = stage};
}

static void init_waiting(struct pipeline *p)
{
    pthread_condattr_t attributes;

    pthread_mutex_init(&p->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&p->ended, &attributes);
    pthread_condattr_destroy(&attributes);
}

/* The device, where it does @op for @track; NULL: the CPU does. */
static const struct hwdevice *
device_for(const struct pipeline *p, const struct plan_track *track, enum op op)
{
    const struct backend *by = track->video.by[op];

    return by && by->type != AV_HWDEVICE_TYPE_NONE ? p->config.device : NULL;
}

/* The decoder of @track's stream, and a new queue that it sends to. */
static int add_decoder_output(struct pipeline *p,
                              const struct plan_track *track,
                              struct queue **ret, struct error *e)
{
    size_t stream = track->stream;
    const struct decoder_config config = {
        .source = p->config.source,
        .stream = stream,
        .threads = p->config.plan->threads,
        .device = device_for(p, track, OP_DECODE),
        .kept = surfaces_kept(p->config.plan, stream),
        .errors = &p->errors,
    };
    struct stage **decoder = &p->decoders[stream];

    if (!*decoder) {
        int r = decoder_create(decoder, &config, e);
        if (r < 0)
            return r;
        (*decoder)->in = add_queue(p, PACKETS, 1);
        add_stage(p, *decoder);
        demuxer_route(p->demuxer, stream, (*decoder)->in, 0, -1);
    }
    *ret = add_queue(p, FRAMES, 1);
    stage_connect(*decoder, *ret);
    return 0;
}

static bool works_with_device(const struct pipeline *p,
                              const struct plan_track *track)
{
    for (enum op op = OP_DECODE; op < OP_COUNT; op++) {
        if (device_for(p, track, op))
            return true;
    }
    return false;
}

/* One that makes for another output what @t is to be, or NULL. */
static struct stage *find_encoder(const struct pipeline *p,
                                  const struct plan_track *t,
                                  bool global_header)
{
    for (size_t i = 0; i < p->encoding_count; i++) {
        const struct encoding *there = &p->encodings[i];
        if (there->global_header == global_header &&
            plan_same_sound(there->track, t))
            return there->encoder;
    }
    return NULL;
}

static void remember_encoder(struct pipeline *p, const struct plan_track *t,
                             bool global_header, struct stage *encoder)
{
    p->encodings =
        xrealloc(p->encodings, p->encoding_count + 1, sizeof(*p->encodings));
    p->encodings[p->encoding_count++] =
        (struct encoding){t, global_header, encoder};
}

static int add_encoder(struct pipeline *p, const struct plan_output *out,
                       size_t track, struct queue *muxer, struct error *e)
{
    const struct plan_track *t = &out->tracks[track];
    bool global_header = container_wants_global_header(out->container);
    struct stage *there = find_encoder(p, t, global_header);

    if (there) {
        stage_connect_track(there, muxer, track);
        return 0;
    }
    const struct filter_config filter_config = {
        .track = t,
        .device = works_with_device(p, t) ? p->config.device : NULL,
        .start = p->config.plan->start,
        .duration = p->config.plan->duration,
    };
    const struct encoder_config encoder_config = {
        .track = t,
        .device = device_for(p, t, OP_ENCODE),
        .global_header = global_header,
        .source_rate =
            source_info(p->config.source)->streams[t->stream].sample_rate,
    };
    struct queue *decoded = NULL;

    int r = add_decoder_output(p, t, &decoded, e);
    if (r < 0)
        return r;
    struct stage *filter = filter_create(&filter_config);
    filter->in = decoded;
    add_stage(p, filter);
    struct stage *encoder = encoder_create(&encoder_config);
    encoder->in = add_queue(p, FRAMES, 1);
    stage_connect(filter, encoder->in);
    stage_connect_track(encoder, muxer, track);
    add_stage(p, encoder);
    remember_encoder(p, t, global_header, encoder);
    return 0;
}

static int add_subtitler(struct pipeline *p, const struct plan_output *out,
                         size_t track, struct queue *muxer, struct error *e)
{
    const struct subtitler_config config = {
        .track = &out->tracks[track],
        .source = p->config.source,
        .number = track,
    };
    struct stage *subtitler = NULL;

    int r = subtitler_create(&subtitler, &config, e);
    if (r < 0)
        return r;
    subtitler->in = add_queue(p, PACKETS, 1);
    stage_connect(subtitler, muxer);
    add_stage(p, subtitler);
    demuxer_route(p->demuxer, out->tracks[track].stream, subtitler->in, 0,
                  p->config.plan->duration);
    return 0;
}

static int add_track(struct pipeline *p, const struct plan_output *out,
                     size_t track, struct queue *muxer, struct error *e)
{
    const struct plan_track *t = &out->tracks[track];

    if (t->copied) {
        demuxer_route(p->demuxer, t->stream, muxer, track,
                      p->config.plan->duration);
        return 0;
    }
    if (t->kind == MEDIA_SUBTITLE)
        return add_subtitler(p, out, track, muxer, e);
    return add_encoder(p, out, track, muxer, e);
}

/* Those who send to a muxer: each encoder, and the demuxer for all copies. */
static size_t count_senders(const struct plan_output *out)
{
    size_t encoders = 0;

    for (size_t i = 0; i < out->track_count; i++)
        encoders += !out->tracks[i].copied;
    return encoders + (encoders < out->track_count);
}

static int add_output(struct pipeline *p, size_t index, struct error *e)
{
    const struct plan *plan = p->config.plan;
    const struct plan_output *out = &plan->outputs[index];
    const struct muxer_config config = {
        .plan = out,
        .source = p->config.source,
        .io = p->config.outputs[index],
        .progress = &p->progress[index],
        .start = plan->start,
        .duration = plan->duration,
        .number = (int)index,
    };
    struct stage *muxer = NULL;

    int r = muxer_create(&muxer, &config, e);
    if (r < 0)
        return r;
    muxer->in = add_queue(p, MUXER_PACKETS, count_senders(out));
    add_stage(p, muxer);
    for (size_t i = 0; i < out->track_count; i++) {
        r = add_track(p, out, i, muxer->in, e);
        if (r < 0)
            return r;
    }
    return 0;
}

static void use_streams(struct pipeline *p)
{
    const struct plan *plan = p->config.plan;
    size_t count = source_info(p->config.source)->stream_count;
    bool *used = xcalloc(count + 1, sizeof(*used));

    for (size_t o = 0; o < plan->output_count; o++) {
        for (size_t t = 0; t < plan->outputs[o].track_count; t++)
            used[plan->outputs[o].tracks[t].stream] = true;
    }
    source_use(p->config.source, used);
    free(used);
}

int pipeline_create(struct pipeline **ret, const struct pipeline_config *config,
                    enum outcome *ret_blame, struct error *e)
{
    struct pipeline *p = xcalloc(1, sizeof(*p));
    const struct plan *plan = config->plan;
    struct demuxer_config demuxer_config = {
        .source = config->source,
        .gate = config->gate,
        .start = plan->start,
        .duration = plan->duration,
    };

    p->config = *config;
    p->progress = xcalloc(plan->output_count, sizeof(*p->progress));
    init_waiting(p);
    use_streams(p);
    p->decoders = xcalloc(source_info(config->source)->stream_count,
                          sizeof(*p->decoders));
    p->demuxer = demuxer_create(&demuxer_config);
    add_stage(p, p->demuxer);
    for (size_t i = 0; i < plan->output_count; i++) {
        int r = add_output(p, i, e);
        if (r < 0) {
            *ret_blame = OUTCOME_BAD_REQUEST;
            pipeline_destroy(p);
            return r;
        }
    }
    *ret = p;
    return 0;
}

void pipeline_destroy(struct pipeline *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->runner_count; i++) {
        if (p->runners[i].started)
            pthread_join(p->runners[i].thread, NULL);
    }
    for (size_t i = 0; i < p->runner_count; i++)
        stage_destroy(p->runners[i].stage);
    for (size_t i = 0; i < p->queue_count; i++)
        queue_destroy(p->queues[i]);
    pthread_cond_destroy(&p->ended);
    pthread_mutex_destroy(&p->lock);
    free(p->runners);
    free(p->queues);
    free(p->decoders);
    free(p->encodings);
    free(p->progress);
    free(p);
}

static void cancel(struct pipeline *p)
{
    for (size_t i = 0; i < p->queue_count; i++)
        queue_cancel(p->queues[i]);
}

static enum outcome blame_of(const struct stage *s, int result)
{
    bool machine = result == -ENOMEM && s->part == OUTCOME_PART_NONE;

    return machine ? OUTCOME_NO_MEMORY : s->blame;
}

static void settle(struct pipeline *p, const struct stage *s, int result,
                   const struct error *e)
{
    bool first = false;

    pthread_mutex_lock(&p->lock);
    if (result < 0 && result != -ECANCELED && p->result == 0) {
        p->result = result;
        p->blame = blame_of(s, result);
        p->part = s->part;
        p->error = *e;
        first = true;
    }
    pthread_mutex_unlock(&p->lock);

    if (first)
        cancel(p);
}

static void *run(void *opaque)
{
    struct runner *runner = opaque;
    struct pipeline *p = runner->pipeline;
    struct error e = {0};

    int r = stage_run(runner->stage, &e);
    settle(p, runner->stage, r, &e);

    pthread_mutex_lock(&p->lock);
    p->running--;
    pthread_cond_signal(&p->ended);
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

void pipeline_start(struct pipeline *p)
{
    p->running = p->runner_count;
    for (size_t i = 0; i < p->runner_count; i++) {
        struct runner *runner = &p->runners[i];
        runner->pipeline = p;
        int r = pthread_create(&runner->thread, NULL, run, runner);
        if (r != 0)
            abort(); // as when memory is out: base/memory.h
        runner->started = true;
    }
}

int pipeline_wait(struct pipeline *p, int64_t timeout)
{
    int64_t until = clock_now() + timeout;
    struct timespec deadline = {
        .tv_sec = until / SECOND,
        .tv_nsec = until % SECOND * 1000,
    };
    int r = 0;

    pthread_mutex_lock(&p->lock);
    while (p->running && r == 0)
        r = pthread_cond_timedwait(&p->ended, &p->lock, &deadline);
    r = !p->running;
    pthread_mutex_unlock(&p->lock);
    return r;
}

int pipeline_result(struct pipeline *p, enum outcome *ret_blame,
                    enum outcome_part *ret_part, struct error *e)
{
    pthread_mutex_lock(&p->lock);
    int r = p->result;
    if (r < 0) {
        *ret_blame = p->blame;
        *ret_part = p->part;
        *e = p->error;
    }
    pthread_mutex_unlock(&p->lock);
    return r;
}

void pipeline_output_progress(struct pipeline *p, size_t index,
                              struct pipeline_progress *ret)
{
    *ret = (struct pipeline_progress){
        .frames = atomic_load(&p->progress[index].frames),
        .position = atomic_load(&p->progress[index].position),
        .end = atomic_load(&p->progress[index].end),
        .whole = atomic_load(&p->progress[index].whole),
        .size = file_io_size(p->config.outputs[index]),
    };
}

static int64_t least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t moved(struct pipeline *p)
{
    int64_t sum = source_moved(p->config.source);

    for (size_t i = 0; i < p->config.plan->output_count; i++)
        sum += file_io_moved(p->config.outputs[i]);
    for (size_t i = 0; i < p->runner_count; i++)
        sum += atomic_load(&p->runners[i].stage->steps);
    return sum;
}

void pipeline_progress(struct pipeline *p, struct pipeline_progress *ret)
{
    struct pipeline_progress sum = {
        .position = INT64_MAX,
        .whole = INT64_MAX,
    };

    for (size_t i = 0; i < p->config.plan->output_count; i++) {
        struct pipeline_progress one;
        pipeline_output_progress(p, i, &one);
        sum.frames = sum.frames ? sum.frames : one.frames;
        sum.position = least(sum.position, one.position);
        sum.whole = least(sum.whole, one.whole);
        sum.end = one.end > sum.end ? one.end : sum.end;
        sum.size += one.size > 0 ? one.size : 0;
    }
    sum.errors = atomic_load(&p->errors);
    sum.moved = moved(p);
    *ret = sum;
}
