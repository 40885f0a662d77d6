#include "scheduler.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "offer.h"

#define WAITING_MOST 2             // for a GPU, of one wish
#define PATIENCE     (10 * SECOND) // then a job is not overtaken any more

static int64_t sessions_of(const struct scheduler_view *view, size_t card)
{
    const struct scheduler_device *d = &view->devices[card];

    return d->encodes ? capacity_sessions(d->capacity, &d->use, view->now) : 0;
}

static int64_t free_sessions(const struct scheduler_view *view)
{
    int64_t sum = 0;

    for (size_t i = 0; i < view->device_count; i++)
        sum += sessions_of(view, i);
    return sum;
}

static bool has_encoder(const struct scheduler_view *view)
{
    for (size_t i = 0; i < view->device_count; i++) {
        if (view->devices[i].encodes)
            return true;
    }
    return false;
}

/* Is it worth while to inspect one more job that wishes so? */
static bool has_use_for(const struct scheduler_view *view,
                        enum job_hardware wish)
{
    const struct scheduler_load *load = &view->load;
    bool wants_gpu = wish != JOB_HARDWARE_NONE && view->device_count > 0;
    int64_t most = wants_gpu ? WAITING_MOST : view->limits->cpu_jobs;
    int64_t waiting = load->ungranted[wish];
    int64_t room = 0; // for jobs that would not wait at all

    if (wish == JOB_HARDWARE_REQUIRE && !has_encoder(view) && !view->has_no_gpu)
        return false; // its worker would find no GPU to need
    if (waiting >= view->limits->attempts / 2 && waiting >= most)
        return false;
    if (wants_gpu)
        room += free_sessions(view);
    if (wish != JOB_HARDWARE_REQUIRE)
        room += view->limits->cpu_jobs - load->cpu_jobs;
    return waiting < most || load->inspecting[wish] < room;
}

/* Of those that wait for one card so many stand ready at most: their places are
 * part of those that all have. */
static int64_t ready_most(const struct limits *limits)
{
    int64_t most = limits->attempts / 4;

    return most > WAITING_MOST ? most : WAITING_MOST;
}

/* The same of one more job that no other card serves. */
static bool has_use_on_card(const struct scheduler_view *view, size_t card)
{
    const struct scheduler_load *load = &view->load;
    int64_t waiting = load->ungranted[BACKLOG_CARD(card)];

    if (!has_encoder(view) && !view->has_no_gpu)
        return false;
    return waiting < WAITING_MOST ||
           (waiting < ready_most(view->limits) &&
            load->inspecting[BACKLOG_CARD(card)] < sessions_of(view, card));
}

struct backlog_job *scheduler_next(const struct scheduler_view *view,
                                   const struct backlog *backlog, int64_t wall)
{
    const struct limits *limits = view->limits;
    unsigned lanes = 0;

    if (view->load.attempts >= limits->attempts)
        return NULL;
    for (int w = 0; w < JOB_HARDWARE_COUNT; w++) {
        if (has_use_for(view, (enum job_hardware)w))
            lanes |= BACKLOG_LANE(w);
    }
    for (size_t i = 0; i < view->device_count; i++) {
        if (has_use_on_card(view, i))
            lanes |= BACKLOG_LANE(BACKLOG_CARD(i));
    }
    return backlog_next(backlog, wall - limits->batch_age,
                        limits->attempts_per_uid, lanes);
}

bool scheduler_has_room(const struct scheduler_load *load,
                        const struct limits *limits, int64_t own,
                        int64_t *ret_limit)
{
    if (own >= limits->attempts_per_uid) {
        *ret_limit = limits->attempts_per_uid;
        return false;
    }
    *ret_limit = limits->attempts;
    return load->attempts < limits->attempts;
}

static bool cannot_wait(const struct scheduler_job *job)
{
    return job->priority == JOB_REALTIME;
}

static void wait_until(struct scheduler_answer *a, int64_t until)
{
    a->verdict = SCHEDULER_WAITS;
    a->until = until;
}

static void refuse(struct scheduler_answer *a, enum outcome outcome)
{
    a->verdict = SCHEDULER_REFUSES;
    a->outcome = outcome;
}

/* The CPU's slots are for what it encodes; who watches does not wait. */
static bool take_slot(struct scheduler_view *view,
                      const struct scheduler_job *job, size_t renditions,
                      struct scheduler_answer *a)
{
    if (renditions == 0)
        return true;
    if (!cannot_wait(job) && view->load.cpu_jobs >= view->limits->cpu_jobs)
        return false;
    view->load.cpu_jobs++;
    a->takes_slot = true;
    return true;
}

static void grant_cpu(struct scheduler_view *view,
                      const struct scheduler_job *job,
                      struct scheduler_answer *a)
{
    if (!take_slot(view, job, job->need->rendition_count, a)) {
        wait_until(a, 0);
        return;
    }
    a->verdict = SCHEDULER_GRANTS;
    (void)snprintf(a->grant.device, sizeof(a->grant.device), "cpu");
    a->grant.threads = (int32_t)view->limits->cpu_threads;
}

static void grant_gpu(struct scheduler_view *view,
                      const struct scheduler_job *job, const struct offer *o,
                      struct scheduler_answer *a)
{
    struct scheduler_device *d = &view->devices[o->device];
    size_t rest = job->need->rendition_count - (size_t)o->sessions;

    if (!take_slot(view, job, rest, a)) {
        wait_until(a, 0);
        return;
    }
    a->verdict = SCHEDULER_GRANTS;
    a->sends_warm_away = o->needs_warm;
    (void)snprintf(a->grant.device, sizeof(a->grant.device), "%s", d->id);
    a->grant.sessions = o->sessions;
    a->grant.decode = o->decode;
    a->grant.vram = o->vram;
    a->grant.threads = (int32_t)view->limits->cpu_threads;
    d->use.own += o->sessions;
    d->use.opening += o->sessions > 0;
    d->use.own_vram += o->vram;
    if (o->needs_warm)
        d->warm_vram = 0;
}

/* It has been overtaken for long enough: what it needs is not for those behind
 * it. */
static void reserve(struct scheduler_view *view,
                    const struct scheduler_job *job, const struct offer *o)
{
    struct scheduler_device *d = &view->devices[o->device];

    if (view->now - job->since < PATIENCE)
        return;
    d->use.own += o->sessions;
    d->use.own_vram += o->vram;
}

/* It waits among those in @lane from now on. Where @most stand ready already it
 * goes back to the queue, if it can: what a pipe gave is gone, then its worker
 * is the only one. */
static void lean(struct scheduler_view *view, const struct scheduler_job *job,
                 size_t lane, int64_t most, struct scheduler_answer *a)
{
    int64_t *beside = &view->load.ungranted[lane];

    a->lane = lane;
    if (job->lane == lane)
        return;
    if (*beside >= most && !job->stays && !job->need->input_passes)
        a->verdict = SCHEDULER_RETURNS;
    else
        (*beside)++;
}

/* Does it wait for one card alone, while another has what jobs behind it could
 * use? */
static bool stands_in_the_way(const struct scheduler_view *view,
                              const struct offer *o)
{
    return o->is_only && free_sessions(view) > sessions_of(view, o->device);
}

/* Every rendition on a GPU, or nothing. */
static void decide_require(struct scheduler_view *view,
                           const struct scheduler_job *job,
                           struct scheduler_answer *a)
{
    struct offer best;

    offer_find(view, job, OFFER_EVERYTHING, &best);
    offer_explain(view, &best, a->why, sizeof(a->why));
    if (best.fit == OFFER_FITS)
        grant_gpu(view, job, &best, a);
    else if (best.fit == OFFER_NEVER)
        refuse(a, OUTCOME_BAD_REQUEST);
    else if (best.fit == OFFER_FAILED || best.fit == OFFER_ABSENT)
        refuse(a, OUTCOME_DEVICE_LOST);
    else if (best.fit == OFFER_TOO_MANY || cannot_wait(job))
        refuse(a, OUTCOME_NO_SESSION);
    else
        wait_until(a, 0);
    if (a->verdict == SCHEDULER_WAITS && stands_in_the_way(view, &best))
        lean(view, job, BACKLOG_CARD(best.device), ready_most(view->limits), a);
    if (a->verdict == SCHEDULER_WAITS && best.fit == OFFER_LATER)
        reserve(view, job, &best);
}

/* Will no GPU end its waiting soon enough? Then it is one of those that wish
 * for the CPU, of which there are not more than can go on soon. */
static bool leans_to_cpu(const struct scheduler_view *view,
                         const struct offer *best)
{
    if (view->device_count == 0)
        return false;
    return (best->fit != OFFER_LATER && best->fit != OFFER_BARRED) ||
           stands_in_the_way(view, best);
}

/* What is free now, and the CPU for the rest. */
static void decide_auto(struct scheduler_view *view,
                        const struct scheduler_job *job,
                        struct scheduler_answer *a)
{
    struct offer best;

    offer_find(view, job, OFFER_WHAT_IS_FREE, &best);
    offer_explain(view, &best, a->why, sizeof(a->why));
    if (best.fit == OFFER_FITS)
        grant_gpu(view, job, &best, a);
    else
        grant_cpu(view, job, a);
    if (a->verdict == SCHEDULER_WAITS && leans_to_cpu(view, &best))
        lean(view, job, JOB_HARDWARE_NONE, view->limits->cpu_jobs, a);
}

/* All that the GPU takes of it, for a while; then what is free. */
static void decide_prefer(struct scheduler_view *view,
                          const struct scheduler_job *job,
                          struct scheduler_answer *a)
{
    int64_t until = job->since + view->limits->prefer_wait;
    struct offer best;

    offer_find(view, job, OFFER_ALL_IT_TAKES, &best);
    if (best.fit == OFFER_FITS) {
        offer_explain(view, &best, a->why, sizeof(a->why));
        grant_gpu(view, job, &best, a);
    } else if (best.fit == OFFER_LATER && view->now < until) {
        offer_explain(view, &best, a->why, sizeof(a->why));
        wait_until(a, until);
        reserve(view, job, &best);
    } else {
        decide_auto(view, job, a);
    }
}

void scheduler_decide(struct scheduler_view *view,
                      const struct scheduler_job *job,
                      struct scheduler_answer *ret)
{
    *ret = (struct scheduler_answer){.lane = job->lane};
    // copies and sound take no device
    if (job->need->rendition_count == 0) {
        grant_cpu(view, job, ret);
        return;
    }
    switch (job->hardware) {
    case JOB_HARDWARE_AUTO:
        decide_auto(view, job, ret);
        break;
    case JOB_HARDWARE_PREFER:
        decide_prefer(view, job, ret);
        break;
    case JOB_HARDWARE_REQUIRE:
        decide_require(view, job, ret);
        break;
    case JOB_HARDWARE_NONE:
    case JOB_HARDWARE_COUNT:
        grant_cpu(view, job, ret);
        break;
    }
}
