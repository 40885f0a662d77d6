#include "census.h"

#include "account.h"
#include "base/clock.h"
#include "model/sample.h"

#define SAMPLE_LAG (2 * SECOND)
#define GONE_FOR   (5 * SECOND) // so long samples may still name the dead

static struct loan *loan_of(struct list *link)
{
    return list_entry(link, struct loan, link);
}

/* Ours, alive or a moment ago; NULL: not ours, or dead. */
static bool is_ours(const struct lending *l, int64_t pid, int64_t now,
                    struct loan **ret)
{
    *ret = NULL;
    list_foreach (link, next, &l->loans) {
        if (loan_of(link)->pid == pid) {
            *ret = loan_of(link);
            return true;
        }
    }
    for (size_t i = 0; i < GONE_MOST; i++) {
        if (l->gone[i].pid == pid && now - l->gone[i].when < GONE_FOR)
            return true;
    }
    return false;
}

/* Of ours, sessions and VRAM that any sample must have seen: NVML may know our
 * processes by other numbers than we do (in a container), or not at all. */
static int32_t certain_sessions(const struct lending *l,
                                const struct account *a, int64_t now)
{
    int32_t sum = 0;

    list_foreach (link, next, &l->loans) {
        const struct loan *loan = loan_of(link);
        if (loan->account == a && loan->is_open &&
            now - loan->opened > SAMPLE_LAG)
            sum += loan->grant.sessions;
    }
    return sum;
}

static int64_t certain_vram(const struct lending *l, const struct account *a)
{
    int64_t sum = 0;

    list_foreach (link, next, &l->loans) {
        const struct loan *loan = loan_of(link);
        if (loan->account == a && loan->is_open)
            sum += loan->grant.vram;
    }
    return sum;
}

static int32_t count_foreign(const struct lending *l, const struct account *a,
                             const struct sample *s, int64_t now)
{
    int32_t total = s->session_total > (int32_t)s->session_count
                        ? s->session_total
                        : (int32_t)s->session_count;
    int32_t certain = certain_sessions(l, a, now);
    int32_t own = 0;
    struct loan *whose;

    for (size_t i = 0; i < s->session_count; i++)
        own += is_ours(l, s->sessions[i].pid, now, &whose);
    total -= own > certain ? own : certain;
    return total > 0 ? total : 0;
}

static void forget_idle(struct lending *l, struct account *a)
{
    a->idle_vram = a->warm_vram = 0;
    list_foreach (link, next, &l->loans) {
        struct loan *loan = loan_of(link);
        if (loan->idle_on == a) {
            loan->idle_on = NULL;
            loan->idle = 0;
        }
    }
}

static void note_idle(struct account *a, struct loan *loan, int64_t vram)
{
    a->idle_vram += vram;
    loan->idle_on = a;
    loan->idle = vram;
}

static void count_vram(struct lending *l, struct account *a,
                       const struct sample *s, int64_t now)
{
    int64_t own = 0;
    struct loan *whose;

    forget_idle(l, a);
    for (size_t i = 0; i < s->process_count; i++) {
        int64_t vram = s->processes[i].vram;
        if (vram <= 0 || !is_ours(l, s->processes[i].pid, now, &whose))
            continue;
        own += vram;
        if (whose == &a->warm)
            a->warm_vram = vram;
        else if (whose && whose->account != a)
            note_idle(a, whose, vram);
        else if (whose && vram > whose->peak)
            whose->peak = vram;
    }
    if (s->vram_used < 0)
        a->foreign_vram = 0; // nobody knows
    else
        a->foreign_vram = s->vram_used - (own > 0 ? own : certain_vram(l, a));
    if (a->foreign_vram < 0)
        a->foreign_vram = 0;
}

void census_take(struct lending *l, struct account *a, const struct sample *s,
                 int64_t now)
{
    a->foreign = count_foreign(l, a, s, now);
    count_vram(l, a, s, now);
}

void census_forget(struct lending *l, int pid, int64_t now)
{
    l->gone[l->next_gone] = (struct gone){pid, now};
    l->next_gone = (l->next_gone + 1) % GONE_MOST;
}
