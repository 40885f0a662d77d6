#include "attempt.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agreement.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "control.h"
#include "leave.h"
#include "media/avlog.h"
#include "media/file_io.h"
#include "media/hwdevice.h"
#include "media/hwfault.h"
#include "media/info.h"
#include "media/plan.h"
#include "media/plan_need.h"
#include "media/source.h"
#include "meter.h"
#include "model/event.h"
#include "model/need.h"
#include "model/order.h"
#include "model/survey.h"
#include "opener.h"
#include "pipeline/pipeline.h"
#include "reporter.h"
#include "sandbox/sandbox.h"

#define PROGRESS_EVERY (SECOND / 2)
#define PROGRESS_FIRST (SECOND / 20)

struct attempt {
    struct attempt_config config;
    const struct job *job; // not owned
    struct source *source; // owned
    struct plan plan;
    bool planned;
    struct file_io **outputs;  // owned
    struct hwdevice *device;   // owned; NULL on the CPU
    struct pipeline *pipeline; // owned
    int64_t moved;             // in it, when that was last told
    enum outcome_part part;    // of the device, that failed
    struct error error;
};

/* What an error means when nothing in it says otherwise. */
static enum outcome blame(int code, enum outcome usual)
{
    switch (code) {
    case -ENOMEM:
        return OUTCOME_NO_MEMORY;
    case -ECONNRESET: // of the file channel
        return OUTCOME_INTERRUPTED;
    default:
        return usual;
    }
}

static enum outcome open_input(struct attempt *a)
{
    const struct job_input *input = &a->job->input;
    const struct source_request request = {
        .format = input->format,
        .probe_size = input->probe_size != JOB_UNSET
                          ? input->probe_size
                          : a->config.order->probe_size,
        .analyze_duration = input->analyze_duration,
    };
    struct file_io *io = NULL;
    int fd = -1;

    int r =
        opener_attempt(a->config.channel, a->config.order->attempt, &a->error);
    if (r < 0)
        return blame(r, OUTCOME_OUTPUT_FAILED);
    r = opener_open(a->config.channel, CHANNEL_INPUT, 0, &fd, &a->error);
    if (r == 0)
        r = file_io_open_input(&io, fd, &a->error);
    if (r == 0)
        r = source_open(&a->source, io, &request, &a->error);
    if (r < 0)
        return *a->error.field ? OUTCOME_BAD_REQUEST
                               : blame(r, OUTCOME_BAD_INPUT);
    return OUTCOME_NONE;
}

static enum outcome agree(struct attempt *a)
{
    const struct agreement_config config = {
        .order = a->config.order,
        .info = source_info(a->source),
        .control = a->config.control,
        .reporter = a->config.reporter,
        .grants_itself = a->config.grants_itself,
    };

    enum outcome o = agreement_reach(&a->plan, &config, &a->error);
    a->planned = o == OUTCOME_NONE;
    return o;
}

static const struct survey_device *granted_device(const struct attempt *a)
{
    const struct order_job *order = a->config.order;

    for (size_t i = 0; i < order->device_count; i++) {
        if (strcmp(order->devices[i].id, a->plan.device) == 0)
            return &order->devices[i];
    }
    return NULL; // the CPU
}

/* The warm one where it is that; without need of it, its memory is given back
 * before the work begins. */
static void take_warm(struct attempt *a, const struct survey_device *granted)
{
    if (!a->config.device || !*a->config.device)
        return;
    a->device = *a->config.device;
    *a->config.device = NULL;
    if (granted && strcmp(hwdevice_uuid(a->device), granted->uuid) == 0)
        return;
    hwdevice_close(a->device);
    a->device = NULL;
}

/* A worker that is started for the CPU could reach no driver, and shall not. */
static int check_device(struct attempt *a)
{
    if (a->config.sandbox->config.device == SANDBOX_GPU)
        return 0;
    return error_set(&a->error, -EPERM, "this worker is none for a GPU");
}

/* The driver is of no more use to it, so neither to what it decodes. */
static void do_without_gpu(struct attempt *a)
{
    if (a->config.sandbox->config.device == SANDBOX_GPU)
        sandbox_seal(a->config.sandbox, SANDBOX_CPU);
}

static enum outcome open_device(struct attempt *a)
{
    const struct survey_device *granted = granted_device(a);

    take_warm(a, granted);
    if (!granted)
        do_without_gpu(a);
    if (!granted || a->device)
        return OUTCOME_NONE;
    avlog_forget_errors();
    int r = check_device(a);
    if (r == 0)
        r = hwdevice_open(&a->device, granted->id, granted->uuid, &a->error);
    if (r == 0)
        return OUTCOME_NONE;
    const struct hwfault fault = hwfault_classify(
        OUTCOME_PART_DEVICE, r, avlog_errors(), HWFAULT_MEMORY_UNKNOWN);
    a->part = fault.part;
    return fault.outcome;
}

static enum outcome open_outputs(struct attempt *a)
{
    a->outputs = xcalloc(a->plan.output_count, sizeof(*a->outputs));
    for (size_t i = 0; i < a->plan.output_count; i++) {
        int fd = -1;
        int r = opener_open(a->config.channel, CHANNEL_OUTPUT, (int)i, &fd,
                            &a->error);
        if (r == -EEXIST)
            return OUTCOME_BAD_REQUEST;
        if (r == 0)
            r = file_io_open_output(&a->outputs[i], fd, &a->error);
        if (r < 0)
            return blame(r, OUTCOME_OUTPUT_FAILED);
    }
    return OUTCOME_NONE;
}

static int64_t total(const struct attempt *a)
{
    struct need need;

    plan_need(&a->plan, source_info(a->source), &need);
    return need.duration < 0 ? -1 : (int64_t)(need.duration * (double)SECOND);
}

/* Nothing while nothing moves: by its silence a worker is known to be stuck. */
static void say_progress(struct attempt *a, struct meter *meter)
{
    struct event event = {.kind = EVENT_PROGRESS};
    struct pipeline_progress p;

    pipeline_progress(a->pipeline, &p);
    if (p.moved == a->moved)
        return;
    a->moved = p.moved;
    const struct meter_sample sample = {clock_now(), p.frames, p.position};
    meter_read(meter, sample, p.size, &event.progress);
    event.progress.whole =
        a->job->delivery == JOB_GROWING ? (double)p.whole / (double)SECOND : -1;
    reporter_send(a->config.reporter, &event);
}

/* That the first frame is out is told soon: the daemon then knows that the
 * encoders are open, and may lend what is left of the device. */
static int64_t patience(const struct attempt *a)
{
    struct pipeline_progress p;

    pipeline_progress(a->pipeline, &p);
    return a->device && p.frames == 0 ? PROGRESS_FIRST : PROGRESS_EVERY;
}

static enum outcome run(struct attempt *a)
{
    const struct pipeline_config config = {
        .plan = &a->plan,
        .source = a->source,
        .outputs = a->outputs,
        .gate = a->config.gate,
        .device = a->device,
    };
    enum outcome o = OUTCOME_NONE;
    struct meter meter;

    if (pipeline_create(&a->pipeline, &config, &o, &a->error) < 0)
        return o;
    meter_init(&meter, total(a), clock_now());
    pipeline_start(a->pipeline);
    while (!pipeline_wait(a->pipeline, patience(a)))
        say_progress(a, &meter);
    say_progress(a, &meter);
    if (pipeline_result(a->pipeline, &o, &a->part, &a->error) < 0)
        return o;
    return OUTCOME_NONE;
}

static enum outcome name_outputs(struct attempt *a)
{
    control_commit(a->config.control);
    for (size_t i = 0; i < a->plan.output_count; i++) {
        int r =
            opener_done(a->config.channel, CHANNEL_OUTPUT, (int)i, &a->error);
        if (r == -EEXIST)
            return OUTCOME_BAD_REQUEST;
        if (r < 0)
            return blame(r, OUTCOME_OUTPUT_FAILED);
    }
    return OUTCOME_DONE;
}

/* What a growing output has by now is its client's to go on from. */
static void keep_growing(struct attempt *a)
{
    struct error e = {0};

    if (a->job->delivery != JOB_GROWING)
        return;
    control_commit(a->config.control);
    for (size_t i = 0; i < a->plan.output_count; i++) {
        if (file_io_size(a->outputs[i]) > 0)
            (void)opener_done(a->config.channel, CHANNEL_OUTPUT, (int)i, &e);
    }
}

/* What the pipeline has made so far; the caller frees it, not its texts. */
static struct event_output *list_outputs(const struct attempt *a, size_t *ret)
{
    size_t count = a->pipeline ? a->plan.output_count : 0;
    struct event_output *outputs = xcalloc(count + 1, sizeof(*outputs));
    struct pipeline_progress p;

    for (size_t i = 0; i < count; i++) {
        pipeline_output_progress(a->pipeline, i, &p);
        outputs[i] = (struct event_output){
            .path = a->job->outputs[i].path,
            .size = p.size,
            .duration = (double)p.end / (double)SECOND,
            .frames = p.frames,
        };
    }
    *ret = count;
    return outputs;
}

static void say_done(struct attempt *a)
{
    struct event event = {.kind = EVENT_OUTCOME};
    struct event_outcome *said = &event.outcome;
    struct pipeline_progress p = {0};

    if (a->pipeline)
        pipeline_progress(a->pipeline, &p);
    *said = (struct event_outcome){
        .outcome = OUTCOME_DONE,
        .text = a->pipeline ? "done" : "planned",
        .frames = p.frames,
        .whole = -1,
        .errors = p.errors,
    };
    said->outputs = list_outputs(a, &said->output_count);
    reporter_send(a->config.reporter, &event);
    free(said->outputs);
}

static enum outcome work(struct attempt *a)
{
    enum outcome o = open_input(a);

    if (o == OUTCOME_NONE)
        o = agree(a);
    if (o != OUTCOME_NONE)
        return o;
    if (a->config.order->plan_only)
        return OUTCOME_DONE;
    o = open_device(a);
    if (o == OUTCOME_NONE)
        o = open_outputs(a);
    if (o == OUTCOME_NONE)
        o = run(a);
    if (o == OUTCOME_NONE)
        return name_outputs(a);
    if (a->pipeline)
        keep_growing(a);
    return o;
}

static void release(struct attempt *a)
{
    pipeline_destroy(a->pipeline);
    for (size_t i = 0; a->outputs && i < a->plan.output_count; i++)
        file_io_close(a->outputs[i]);
    free(a->outputs);
    if (a->planned)
        plan_fini(&a->plan);
    source_close(a->source);
    hwdevice_close(a->device); // behind all that was made with it
}

static void say_failure(struct attempt *a, enum outcome outcome)
{
    char text[sizeof(a->error.field) + sizeof(a->error.text) + 2];
    struct event event = {
        .kind = EVENT_OUTCOME,
        .outcome = {.outcome = outcome,
                    .part = a->part,
                    .text = text,
                    .whole = -1},
    };
    struct event_outcome *said = &event.outcome;

    (void)snprintf(text, sizeof(text), "%s%s%s", a->error.field,
                   *a->error.field ? ": " : "", a->error.text);
    if (a->job->delivery == JOB_GROWING)
        said->outputs = list_outputs(a, &said->output_count);
    reporter_send(a->config.reporter, &event);
    free(said->outputs);
}

/* Who is lent nothing by a daemon has nothing to give back. */
static void leave(const struct attempt_config *config)
{
    leave_early(config->grants_itself ? NULL : config->reporter);
}

void attempt_run(const struct attempt_config *config)
{
    struct attempt a = {.config = *config, .job = &config->order->job};

    control_watch(config->control, config->channel);
    enum outcome o = work(&a);
    if (o == OUTCOME_DONE)
        say_done(&a);
    else
        say_failure(&a, o);
    if (!a.device)
        leave(config); // all that it holds is memory
    release(&a);
    leave(config);
}
