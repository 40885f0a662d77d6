#include "lending.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "account.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "census.h"
#include "fallback.h"
#include "inventory.h"
#include "model/configuration.h"
#include "model/device_profile.h"
#include "scheduler.h"

#define VRAM_NONE (INT64_C(128) << 20) // with less free, memory was the trouble

static struct account *account_of(struct list *link)
{
    return list_entry(link, struct account, link);
}

static struct loan *loan_of(struct list *link)
{
    return list_entry(link, struct loan, link);
}

struct lending *lending_create(struct inventory *inventory,
                               const struct lending_ops *ops, void *user)
{
    struct lending *l = xcalloc(1, sizeof(*l));

    l->inventory = inventory;
    l->ops = ops;
    l->user = user;
    list_init(&l->accounts);
    list_init(&l->loans);
    return l;
}

void lending_destroy(struct lending *l)
{
    if (!l)
        return;
    list_foreach (link, next, &l->accounts) {
        list_remove(link);
        free(account_of(link));
    }
    free(l);
}

static void bound(const struct lending *l, struct account *a)
{
    const struct inventory_device *d = inventory_find(l->inventory, a->id);

    a->capacity.configured = CAPACITY_UNKNOWN;
    a->capacity.listed = CAPACITY_UNKNOWN;
    if (!d)
        return;
    a->capacity.configured =
        gpu_sessions_of(&l->settings.sessions, d->survey.id, d->survey.uuid);
    const struct device_profile *p =
        l->profiles ? device_profiles_find(l->profiles, d->survey.name) : NULL;
    if (p)
        a->capacity.listed = device_profile_sessions(p, d->survey.driver);
}

void lending_configure(struct lending *l, const struct configuration *c,
                       const struct device_profiles *profiles)
{
    l->settings = c->gpu;
    l->profiles = profiles;
    list_foreach (link, next, &l->accounts)
        bound(l, account_of(link));
}

static struct account *find(const struct lending *l, const char *id)
{
    list_foreach (link, next, &l->accounts) {
        if (strcmp(account_of(link)->id, id) == 0)
            return account_of(link);
    }
    return NULL;
}

static struct account *find_uuid(const struct lending *l, const char *uuid)
{
    list_foreach (link, next, &l->accounts) {
        if (strcmp(account_of(link)->uuid, uuid) == 0)
            return account_of(link);
    }
    return NULL;
}

/* The books on every device that there is. */
static void open_accounts(struct lending *l)
{
    for (const struct inventory_device *d = inventory_next(l->inventory, NULL);
         d; d = inventory_next(l->inventory, d)) {
        if (find(l, d->survey.id))
            continue;
        struct account *a = xcalloc(1, sizeof(*a));
        (void)snprintf(a->id, sizeof(a->id), "%s", d->survey.id);
        (void)snprintf(a->uuid, sizeof(a->uuid), "%s", d->survey.uuid);
        capacity_init(&a->capacity);
        loan_init(&a->warm);
        list_append(&l->accounts, &a->link);
        bound(l, a);
    }
}

void loan_init(struct loan *loan)
{
    *loan = (struct loan){0};
    list_init(&loan->link);
}

void lending_join(struct lending *l, struct loan *loan, int pid)
{
    loan_init(loan);
    loan->pid = pid;
    list_append(&l->loans, &loan->link);
}

void lending_lend(struct lending *l, struct loan *loan,
                  const struct grant *grant, const struct need *need)
{
    loan->account = find(l, grant->device);
    loan->grant = *grant;
    loan->kind = capacity_classify(need);
    loan->granted = clock_now();
}

/* Sessions of ours that were open at one moment: when the last of them had been
 * opened. One that opens may follow one that has just been closed. */
static int32_t sessions_at_once(const struct lending *l,
                                const struct account *a)
{
    int64_t moment = 0;
    int32_t sum = 0;

    list_foreach (link, next, &l->loans) {
        const struct loan *loan = loan_of(link);
        if (loan->account == a && loan->is_open && loan->opened > moment)
            moment = loan->opened;
    }
    list_foreach (link, next, &l->loans) {
        const struct loan *loan = loan_of(link);
        if (loan->account == a && loan->is_open && loan->sure >= moment)
            sum += loan->grant.sessions;
    }
    return sum;
}

static void open(struct lending *l, struct loan *loan, int64_t now)
{
    loan->is_open = true;
    loan->opened = now;
    capacity_prove(&loan->account->capacity, loan->grant.sessions, now);
    l->ops->changed(l->user);
}

void lending_flow(struct lending *l, struct loan *loan, int64_t frames)
{
    int64_t now = clock_now();

    if (!loan->account || frames <= 0)
        return;
    if (!loan->is_open) {
        open(l, loan, now);
    } else if (frames > loan->frames) {
        loan->sure = loan->reported;
        capacity_prove(&loan->account->capacity,
                       sessions_at_once(l, loan->account), now);
    }
    loan->frames = frames;
    loan->reported = now;
}

void lending_leave(struct lending *l, struct loan *loan)
{
    int64_t now = clock_now();

    if (list_empty(&loan->link))
        return;
    if (loan->account && loan->is_open)
        capacity_return(&loan->account->capacity, loan->grant.sessions, now);
    census_forget(l, loan->pid, now);
    list_remove(&loan->link);
    loan_init(loan);
}

int64_t lending_held(const struct loan *loan, const char **ret_device)
{
    *ret_device = loan->idle_on ? loan->idle_on->id : NULL;
    return loan->idle;
}

void lending_set_warm(struct lending *l, const char *uuid, int pid)
{
    struct account *a = find_uuid(l, uuid);

    if (!a)
        return;
    lending_leave(l, &a->warm);
    if (pid)
        lending_join(l, &a->warm, pid);
    else
        a->warm_vram = 0;
}

/*
 * What is taken of a device.
 */

static int64_t vram_of(const struct loan *loan)
{
    return loan->peak > loan->grant.vram ? loan->peak : loan->grant.vram;
}

static void add_loan(struct capacity_use *use, const struct loan *loan)
{
    use->own += loan->grant.sessions;
    use->opening += loan->grant.sessions > 0 && !loan->is_open;
    use->own_vram += vram_of(loan);
}

static struct capacity_use use_of(const struct lending *l,
                                  const struct account *a, int64_t now)
{
    const struct inventory_device *d = inventory_find(l->inventory, a->id);
    const struct sample *s = d ? inventory_latest(d, now) : NULL;
    struct capacity_use use = {
        .foreign = l->is_surveying,
        .reserve = l->settings.vram_reserve,
    };

    if (d)
        use.total = d->survey.vram;
    if (s) {
        use.foreign += a->foreign;
        use.foreign_vram = a->foreign_vram;
        use.own_vram = a->idle_vram + a->warm_vram;
    }
    if (s && s->vram_total > 0)
        use.total = s->vram_total;
    list_foreach (link, next, &l->loans) {
        if (loan_of(link)->account == a)
            add_loan(&use, loan_of(link));
    }
    return use;
}

static bool is_fit(const struct lending *l, const struct account *a,
                   enum outcome_part part)
{
    const struct inventory_device *d = inventory_find(l->inventory, a->id);

    return d && inventory_device_works(d) &&
           !quarantine_bars(&a->quarantine, part);
}

void lending_view(struct lending *l, struct scheduler_view *ret)
{
    ret->now = clock_now();
    ret->device_count = 0;
    ret->has_no_gpu = inventory_is_settled(l->inventory) &&
                      inventory_is_current(l->inventory) &&
                      inventory_is_empty(l->inventory);
    list_foreach (link, next, &l->accounts) {
        const struct account *a = account_of(link);
        if (ret->device_count == NEED_DEVICES_MOST)
            break;
        ret->devices[ret->device_count++] = (struct scheduler_device){
            .id = a->id,
            .capacity = &a->capacity,
            .use = use_of(l, a, ret->now),
            .warm_vram = a->warm_vram,
            .decodes = is_fit(l, a, OUTCOME_PART_DECODE),
            .encodes = is_fit(l, a, OUTCOME_PART_ENCODE),
        };
    }
}

bool lending_trusts(const struct lending *l, const char *uuid)
{
    const struct account *a = find_uuid(l, uuid);

    return a && is_fit(l, a, OUTCOME_PART_DEVICE);
}

bool lending_affords_warm(struct lending *l, const char *uuid)
{
    static const struct need usual; // a job of the smallest class
    const struct account *a = find_uuid(l, uuid);
    int64_t now = clock_now();

    if (!a || !is_fit(l, a, OUTCOME_PART_DEVICE))
        return false;
    const struct capacity_use use = use_of(l, a, now);
    return capacity_vram(&a->capacity, &use, now) + a->warm_vram >=
           capacity_estimate(&a->capacity, &usual, 1);
}

/*
 * What samples say.
 */

void lending_sampled(struct lending *l, const struct inventory_device *d)
{
    struct account *a = find(l, d->survey.id);
    const struct sample *s = &d->sample;
    int64_t now = clock_now();

    if (!a)
        return;
    census_take(l, a, s, now);
    bool was_memory = s->vram_free >= 0 && s->vram_free < VRAM_NONE;
    capacity_sampled(&a->capacity, a->foreign,
                     was_memory ? CAPACITY_SHORT : CAPACITY_AMPLE, now);
    if (s->session_total > 0)
        capacity_prove(&a->capacity, s->session_total, now);
    l->ops->changed(l->user);
}

/*
 * What attempts teach.
 */

static void learn(struct lending *l, const struct loan *loan,
                  enum outcome outcome, int64_t now)
{
    struct account *a = loan->account;
    const struct inventory_device *d = inventory_find(l->inventory, a->id);
    const struct sample *s = d ? inventory_latest(d, now) : NULL;
    bool is_short = s && s->vram_free >= 0 && s->vram_free < VRAM_NONE;
    struct capacity_use use = use_of(l, a, now);

    use.own -= loan->grant.sessions;
    use.own_vram -= vram_of(loan);
    if (outcome == OUTCOME_NO_MEMORY || is_short) {
        capacity_refuse(&a->capacity, &use, loan->grant.vram, now);
        return;
    }
    capacity_learn(&a->capacity, &use, loan->grant.sessions, now);
    log_info(NULL,
             "%s: an encoder session was refused; limit=%d own=%d "
             "foreign=%d",
             a->id, (int)capacity_limit(&a->capacity, now), (int)use.own,
             (int)use.foreign);
}

/* What the attempt used is well. */
static void praise(struct account *a, const struct grant *used)
{
    if (used->sessions > 0 && used->decode)
        quarantine_praise(&a->quarantine, OUTCOME_PART_DEVICE);
    else
        quarantine_praise(&a->quarantine, used->decode ? OUTCOME_PART_DECODE
                                                       : OUTCOME_PART_ENCODE);
}

void lending_judge(struct lending *l, const struct loan *loan,
                   enum outcome outcome, enum outcome_part part,
                   const char *text)
{
    struct account *a = loan->account;
    int64_t now = clock_now();

    if (!a)
        return;
    if (outcome == OUTCOME_DONE) {
        capacity_prove(&a->capacity, loan->grant.sessions, now);
        praise(a, &loan->grant);
        if (loan->peak > 0 && loan->grant.sessions <= 1)
            capacity_observe(&a->capacity, loan->kind, loan->peak);
        return;
    }
    if (outcome == OUTCOME_NO_SESSION ||
        (outcome == OUTCOME_NO_MEMORY && part != OUTCOME_PART_NONE))
        learn(l, loan, outcome, now);
    if (quarantine_fail(&a->quarantine, outcome, part, loan->granted, text,
                        now)) {
        log_warning(NULL, "%s is in quarantine: %s", a->id, text);
        l->ops->changed(l->user);
    }
}

/*
 * Health.
 */

void lending_survey_begins(struct lending *l)
{
    l->is_surveying = true;
}

void lending_surveyed(struct lending *l)
{
    int64_t now = clock_now();

    l->is_surveying = false;
    open_accounts(l);
    list_foreach (link, next, &l->accounts) {
        struct account *a = account_of(link);
        const struct inventory_device *d = inventory_find(l->inventory, a->id);
        bool is_sound = inventory_is_current(l->inventory) && d &&
                        inventory_device_works(d);
        bound(l, a); // another driver, perhaps
        if (quarantine_surveyed(&a->quarantine,
                                is_sound ? QUARANTINE_SOUND : QUARANTINE_BROKEN,
                                now))
            log_info(NULL, "%s is well again", a->id);
    }
    l->ops->changed(l->user);
}

/* Of two times the earlier one; 0 is none. */
static void sooner(int64_t *time, int64_t other)
{
    if (other && (!*time || other < *time))
        *time = other;
}

int64_t lending_tick(struct lending *l)
{
    int64_t ret = 0;

    list_foreach (link, next, &l->accounts) {
        struct account *a = account_of(link);
        if (quarantine_is_due(&a->quarantine, clock_now()))
            l->ops->doubt(l->user, a->uuid);
        sooner(&ret, a->quarantine.parts ? a->quarantine.due : 0);
        sooner(&ret, capacity_changes(&a->capacity, clock_now()));
    }
    return ret;
}

/* @why is cut where there is no room. */
static void explain(const struct quarantine *q, const char *why, char *ret,
                    size_t size)
{
    const char *what = quarantine_bars_all(q) ? "in quarantine"
                       : quarantine_bars(q, OUTCOME_PART_DECODE)
                           ? "decoder in quarantine"
                           : "encoder in quarantine";

    *ret = '\0';
    if (q->parts)
        (void)snprintf(ret, size, "%s: %s", what, why);
    text_repair(ret);
}

bool lending_state(struct lending *l, const char *id, struct lending_state *ret)
{
    const struct account *a = find(l, id);
    int64_t now = clock_now();

    if (!a)
        return false;
    const struct capacity_use use = use_of(l, a, now);
    *ret = (struct lending_state){
        .own = use.own,
        .foreign = use.foreign - l->is_surveying,
        .limit = capacity_limit(&a->capacity, now),
        .vram = capacity_vram(&a->capacity, &use, now),
    };
    list_foreach (link, next, &l->loans)
        ret->attempts += loan_of(link)->account == a;
    explain(&a->quarantine, fallback_words(a->quarantine.outcome), ret->trouble,
            sizeof(ret->trouble));
    explain(&a->quarantine, a->quarantine.reason, ret->details,
            sizeof(ret->details));
    return true;
}
