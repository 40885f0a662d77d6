#include "offer.h"

#include <stdio.h>
#include <string.h>

#include "scheduler.h"

#define WARY_AFTER 2 // attempts that found no session or memory

/* What @job would take of device @id, NULL: nothing. */
static const struct need_device *need_of(const struct need *need,
                                         const char *id)
{
    for (size_t i = 0; i < need->device_count; i++) {
        if (strcmp(need->devices[i].id, id) == 0)
            return &need->devices[i];
    }
    return NULL;
}

static int32_t lesser(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

/* What is left of the device for this job, by its own past and the device's
 * health. */
struct parts {
    int32_t sessions; // that it could use
    bool decode;
};

static struct parts usable(const struct scheduler_device *d,
                           const struct scheduler_job *job,
                           const struct need_device *n, enum offer_fit *ret_why)
{
    const struct fallback *past = job->fallback;
    bool may_encode = fallback_allows(past, d->id, OUTCOME_PART_ENCODE);
    bool may_decode = fallback_allows(past, d->id, OUTCOME_PART_DECODE);
    int32_t sure = capacity_sure_limit(d->capacity);
    struct parts p = {.decode = may_decode && d->decodes && n->decodes};

    if (may_encode && d->encodes)
        p.sessions =
            sure == CAPACITY_UNKNOWN ? n->sessions : lesser(n->sessions, sure);
    *ret_why = n->sessions > 0 && !may_encode   ? OFFER_FAILED
               : n->sessions > 0 && !d->encodes ? OFFER_BARRED
               : n->decodes && !may_decode      ? OFFER_FAILED
               : n->decodes && !d->decodes      ? OFFER_BARRED
                                                : OFFER_NEVER;
    return p;
}

/* Is there nothing of what @wish asks for? Then *@why says it. */
static bool is_hopeless(const struct scheduler_job *job,
                        const struct need_device *n, struct parts p,
                        enum offer_wish wish, enum offer_fit *why)
{
    int32_t all = (int32_t)job->need->rendition_count;

    if (wish != OFFER_EVERYTHING)
        return p.sessions == 0 && !p.decode;
    if (n->sessions < all)
        *why = OFFER_NEVER;
    else if (p.sessions > 0 && p.sessions < all)
        *why = OFFER_TOO_MANY;
    return p.sessions < all;
}

/* The sessions to ask for, of @useful ones. What was learned of the limit may
 * be forgotten again: who needs all of them waits for that. */
static int32_t ask_for(int32_t useful, int32_t limit, int32_t free,
                       enum offer_wish wish)
{
    if (wish == OFFER_WHAT_IS_FREE)
        return lesser(useful, free);
    if (wish == OFFER_EVERYTHING || limit == CAPACITY_UNKNOWN)
        return useful;
    return lesser(useful, limit);
}

static enum offer_lack lack_of(const struct offer *o, struct parts p,
                               int32_t free, int64_t room)
{
    if (o->sessions > free || (p.sessions > 0 && o->sessions == 0))
        return OFFER_LACKS_SESSIONS;
    return o->vram > room ? OFFER_LACKS_VRAM : OFFER_LACKS_NOTHING;
}

/* Has it found no memory so often that it had better wait for more? Who has
 * another way does. */
static bool is_wary(const struct scheduler_job *job)
{
    return job->hardware == JOB_HARDWARE_PREFER &&
           job->fallback->waits >= WARY_AFTER;
}

/* Bytes of VRAM for this job. The context that its worker has is part of what
 * it will take, and not in its way. */
static int64_t room_of(const struct scheduler_device *d,
                       const struct scheduler_job *job, int64_t now)
{
    struct capacity_use use = d->use;

    if (job->held_on && strcmp(job->held_on, d->id) == 0)
        use.own_vram -= job->held;
    if (is_wary(job) && !capacity_has_recovered(d->capacity, &use))
        return 0;
    return capacity_vram(d->capacity, &use, now);
}

static struct offer offer_of(const struct scheduler_view *view, size_t device,
                             const struct scheduler_job *job,
                             enum offer_wish wish)
{
    const struct scheduler_device *d = &view->devices[device];
    const struct need_device *n = need_of(job->need, d->id);
    struct offer o = {.device = device};

    if (!n) {
        o.fit = d->decodes || d->encodes ? OFFER_NEVER : OFFER_ABSENT;
        return o;
    }
    o.never = n->why;
    const struct parts p = usable(d, job, n, &o.worst);
    o.fit = o.worst;
    if (is_hopeless(job, n, p, wish, &o.fit))
        return o;

    int32_t free = capacity_sessions(d->capacity, &d->use, view->now);
    int32_t limit = capacity_limit(d->capacity, view->now);
    int64_t room = room_of(d, job, view->now);
    o.useful = n->sessions;
    o.decode = p.decode;
    o.sessions = ask_for(p.sessions, limit, free, wish);
    o.vram = capacity_estimate(d->capacity, job->need, o.sessions);
    o.needs_warm = o.vram > room;
    o.left = free - o.sessions;
    o.lack = lack_of(&o, p, free, room + d->warm_vram);
    o.fit = o.lack == OFFER_LACKS_NOTHING ? OFFER_FITS : OFFER_LATER;
    return o;
}

/* Is @a a better one than @b? */
static bool is_better(const struct offer *a, const struct offer *b)
{
    if (a->fit != b->fit)
        return a->fit > b->fit;
    if (a->sessions != b->sessions && a->fit == OFFER_FITS)
        return a->sessions > b->sessions;
    if (a->needs_warm != b->needs_warm)
        return b->needs_warm;
    return a->left > b->left;
}

void offer_find(const struct scheduler_view *view,
                const struct scheduler_job *job, enum offer_wish wish,
                struct offer *ret)
{
    size_t count = 0; // that may do, now or later

    *ret = (struct offer){.fit = OFFER_NEVER, .device = view->device_count};
    for (size_t i = 0; i < view->device_count; i++) {
        if (job->device && strcmp(job->device, view->devices[i].id) != 0)
            continue;
        const struct offer o = offer_of(view, i, job, wish);
        count += o.fit >= OFFER_BARRED;
        if (ret->device == view->device_count || is_better(&o, ret))
            *ret = o;
    }
    ret->is_only = count == 1 && ret->fit >= OFFER_BARRED;
}

static const char *const fits[] = {
    [OFFER_NEVER] = "cannot do this",
    [OFFER_ABSENT] = "does not work, or is in quarantine after a failure",
    [OFFER_TOO_MANY] = "never grants so many encoder sessions at once",
    [OFFER_FAILED] = "failed this job before",
    [OFFER_BARRED] = "is in quarantine after a failure",
    [OFFER_LATER] = "",
    [OFFER_FITS] = "",
};
static const char *const lacks[] = {
    [OFFER_LACKS_NOTHING] = "",
    [OFFER_LACKS_SESSIONS] = "has no encoder session free",
    [OFFER_LACKS_VRAM] = "has not enough of its memory free",
};

void offer_explain(const struct scheduler_view *view, const struct offer *o,
                   char *ret, size_t size)
{
    bool is_any = o->device < view->device_count;
    const char *id = is_any ? view->devices[o->device].id : "";

    *ret = '\0';
    if (!is_any)
        (void)snprintf(ret, size, "there is no %s",
                       view->device_count ? "such GPU any more" : "GPU");
    else if (o->fit == OFFER_NEVER && o->never && o->never[0])
        (void)snprintf(ret, size, "%s", o->never);
    else if (o->fit != OFFER_FITS)
        (void)snprintf(ret, size, "%s %s%s", id, fits[o->fit], lacks[o->lack]);
    else if (o->worst != OFFER_NEVER)
        (void)snprintf(ret, size, "a part of %s %s", id, fits[o->worst]);
    else if (o->sessions < o->useful)
        (void)snprintf(ret, size, "%s grants %d of %d encoder sessions", id,
                       (int)o->sessions, (int)o->useful);
}
