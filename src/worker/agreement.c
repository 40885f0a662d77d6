#include "agreement.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "control.h"
#include "media/plan.h"
#include "media/plan_need.h"
#include "media/plan_video.h"
#include "model/event.h"
#include "model/grant.h"
#include "model/need.h"
#include "model/order.h"
#include "model/survey.h"
#include "reporter.h"

struct agreement {
    const struct agreement_config *config;
    struct need need;
    struct plan_notes offers; // what the devices of the order cannot
};

static enum outcome blame(int code)
{
    switch (code) {
    case -ENOMEM:
        return OUTCOME_NO_MEMORY;
    case -ENOENT:
    case -EBADMSG:
        return OUTCOME_BAD_INPUT;
    default:
        return OUTCOME_BAD_REQUEST;
    }
}

static const struct survey_device *find_device(const struct order_job *order,
                                               const char *id)
{
    for (size_t i = 0; i < order->device_count; i++) {
        if (strcmp(order->devices[i].id, id) == 0)
            return &order->devices[i];
    }
    return NULL;
}

static int make_plan(const struct agreement *a, const struct grant *grant,
                     struct plan *ret, struct error *e)
{
    const struct plan_request request = {
        .job = &a->config->order->job,
        .info = a->config->info,
        .grant = grant,
        .device = find_device(a->config->order, grant->device),
        .available = plan_has_encoder,
    };

    return plan_make(ret, &request, e);
}

/* What is missing on @device, and why: its own problems, too. */
static void note_offer(struct agreement *a, const struct survey_device *device,
                       const struct plan *plan)
{
    for (size_t i = 0; i < plan->notes.why_count; i++)
        plan_notes_why(&a->offers, "%s", plan->notes.why[i]);
    for (size_t i = 0; i < device->problem_count; i++)
        plan_notes_why(&a->offers, "%s: %s", device->id, device->problems[i]);
}

/* As if all of it were granted. That it cannot is no error: the CPU can. */
static void ask_device(struct agreement *a, const struct survey_device *device)
{
    struct grant grant = {.sessions = NEED_RENDITIONS_MOST, .decode = true};
    struct error e = {0};
    struct plan plan;

    (void)snprintf(grant.device, sizeof(grant.device), "%s", device->id);
    if (make_plan(a, &grant, &plan, &e) < 0) {
        plan_notes_why(&a->offers, "%s: %s", device->id, e.text);
        return;
    }
    plan_need_device(&plan, a->config->info, &a->need);
    note_offer(a, device, &plan);
    plan_fini(&plan);
}

static int say_need(struct agreement *a, struct error *e)
{
    const struct order_job *order = a->config->order;
    const struct grant cpu = {.device = "cpu"};
    struct event event = {.kind = EVENT_NEED};
    struct plan plan;

    int r = make_plan(a, &cpu, &plan, e);
    if (r < 0)
        return r;
    plan_need(&plan, a->config->info, &a->need);
    plan_fini(&plan);
    for (size_t i = 0; i < order->device_count && a->need.rendition_count; i++)
        ask_device(a, &order->devices[i]);
    event.need = a->need;
    reporter_send(a->config->reporter, &event);
    return 0;
}

/* Why the CPU does it all, where the client might have hoped for more. What was
 * not lent, and that there is no GPU, the daemon says. */
static void explain_cpu(const struct agreement *a, struct plan_notes *notes)
{
    const struct order_job *order = a->config->order;

    if (!a->need.rendition_count || order->job.hardware == JOB_HARDWARE_NONE)
        return;
    if (a->config->grants_itself)
        plan_notes_why(notes, "without a daemon nobody shares out GPUs");
    for (size_t i = 0; i < a->offers.why_count; i++)
        plan_notes_why(notes, "%s", a->offers.why[i]);
}

/* "require": each rendition is encoded on a device, or the reason why not. */
static int check_required(const struct agreement *a, const struct plan *plan,
                          struct error *e)
{
    const struct order_job *order = a->config->order;

    if (order->job.hardware != JOB_HARDWARE_REQUIRE)
        return 0;
    for (size_t o = 0; o < plan->output_count; o++) {
        for (size_t t = 0; t < plan->outputs[o].track_count; t++) {
            const struct plan_track *track = &plan->outputs[o].tracks[t];
            if (track->kind != MEDIA_VIDEO || track->copied ||
                plan_video_is_on_device(track))
                continue;
            return error_set_field(
                e, -ENOTSUP, "hardware", "a GPU is required, but not used: %s",
                plan->notes.why_count ? plan->notes.why[0]
                : order->device_count ? "none was lent"
                                      : "there is none for this job");
        }
    }
    return 0;
}

static void say_clamps(const struct agreement *a, const struct plan *plan)
{
    for (size_t i = 0; i < plan->notes.clamp_count; i++) {
        char field[sizeof(plan->notes.clamps[i].field)];
        char reason[PLAN_WORDS_MOST];
        const struct plan_clamp *clamp = &plan->notes.clamps[i];
        const struct event event = {
            .kind = EVENT_CLAMP,
            .clamp = {field, clamp->from, clamp->to, reason},
        };
        memcpy(field, clamp->field, sizeof(field));
        memcpy(reason, clamp->reason, sizeof(reason));
        reporter_send(a->config->reporter, &event);
    }
}

/* Who asks for a plan hears no events. */
static void note_clamps(struct plan_notes *notes)
{
    for (size_t i = 0; i < notes->clamp_count; i++) {
        const struct plan_clamp *c = &notes->clamps[i];
        plan_notes_why(notes, "%s is %g instead of %g: %s", c->field, c->to,
                       c->from, c->reason);
    }
}

static void say_ready(const struct agreement *a, struct plan *plan)
{
    struct event event = {.kind = EVENT_READY};
    char *tracks[EVENT_PLAN_MOST];
    char *why[PLAN_WHY_MOST];

    (void)snprintf(event.ready.device, sizeof(event.ready.device), "%s",
                   plan->device);
    event.ready.plan = tracks;
    for (size_t o = 0; o < plan->output_count; o++) {
        struct plan_output *out = &plan->outputs[o];
        for (size_t t = 0; t < out->track_count; t++) {
            if (event.ready.plan_count < EVENT_PLAN_MOST)
                tracks[event.ready.plan_count++] = out->tracks[t].description;
        }
    }
    event.ready.why = why;
    for (size_t i = 0; i < plan->notes.why_count; i++)
        why[event.ready.why_count++] = plan->notes.why[i];
    reporter_send(a->config->reporter, &event);
}

static enum outcome plan_grant(const struct agreement *a,
                               const struct grant *grant, struct plan *ret,
                               struct error *e)
{
    bool cpu = strcmp(grant->device, "cpu") == 0;

    if (!cpu && !find_device(a->config->order, grant->device)) {
        error_set(e, -ENODEV, "%s was granted, but is not in the order",
                  grant->device);
        return OUTCOME_DEVICE_LOST;
    }
    int r = make_plan(a, grant, ret, e);
    if (r < 0)
        return blame(r);
    if (cpu)
        explain_cpu(a, &ret->notes);
    r = check_required(a, ret, e);
    if (r < 0) {
        plan_fini(ret);
        return blame(r);
    }
    return OUTCOME_NONE;
}

enum outcome agreement_reach(struct plan *ret,
                             const struct agreement_config *config,
                             struct error *e)
{
    struct agreement a = {.config = config};
    struct grant grant = {.device = "cpu"};

    int r = say_need(&a, e);
    if (r < 0)
        return blame(r);
    if (!config->grants_itself) {
        r = control_wait_grant(config->control, &grant, e);
        if (r < 0)
            return OUTCOME_INTERRUPTED;
    }
    enum outcome o = plan_grant(&a, &grant, ret, e);
    if (o != OUTCOME_NONE)
        return o;
    say_clamps(&a, ret);
    if (config->order->plan_only)
        note_clamps(&ret->notes);
    say_ready(&a, ret);
    return OUTCOME_NONE;
}
