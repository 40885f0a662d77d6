/*
 * Thousands of moments of a card that many want, with scheduler, capacity and
 * fallback as they are and a driver that knows the true limit: what must hold
 * in each of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scheduler.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define MIB      INT64_C(1048576)
#define STEP     (SECOND / 20)
#define JOBS     120
#define ARRIVALS (120 * SECOND)  // the last one comes then
#define END      (3600 * SECOND) // and by then all is over
#define PATIENCE (10 * SECOND)   // the scheduler's
#define LIMIT    3               // the driver's, which nobody is told

enum phase { COMING, WAITING, OPENING, RUNNING, OVER };

struct thing {
    enum phase phase;
    enum job_priority priority;
    enum job_hardware hardware;
    struct need need;
    struct fallback fallback;
    struct grant grant;
    bool takes_slot;
    int64_t comes;
    int64_t since; // that it waits
    int64_t opens; // its sessions
    int64_t ends;
    int64_t length;
};

struct world {
    const struct limits *limits;
    struct capacity capacity;
    struct thing jobs[JOBS];
    int32_t foreign; // really
    int32_t sampled; // as the last sample had it
    bool has_neighbours;
    int arrivals; // of neighbours
    int refusals;
    int64_t now;
    uint32_t dice;
};

static const struct limits limits = {
    .cpu_jobs = 2, .prefer_wait = 60 * SECOND, .attempts = 8};

/* 0 to @sides - 1; the same in each run. */
static int64_t roll(struct world *w, int64_t sides)
{
    w->dice = w->dice * 1664525U + 1013904223U;
    return (int64_t)(w->dice >> 8) % sides;
}

static void set_up(struct world *w, uint32_t seed, int32_t configured,
                   int32_t listed, bool has_neighbours)
{
    memset(w, 0, sizeof(*w));
    w->limits = &limits;
    w->dice = seed;
    w->now = 1000 * SECOND;
    w->has_neighbours = has_neighbours;
    capacity_init(&w->capacity);
    w->capacity.configured = configured;
    w->capacity.listed = listed;
    for (size_t i = 0; i < JOBS; i++) {
        struct thing *t = &w->jobs[i];
        size_t renditions = roll(w, 4) ? 1 : (size_t)roll(w, 3) + 1;
        t->priority = (enum job_priority)roll(w, JOB_PRIORITY_COUNT);
        t->hardware = (enum job_hardware)roll(w, JOB_HARDWARE_COUNT);
        t->comes = w->now + roll(w, ARRIVALS);
        t->length = SECOND / 5 + roll(w, 15 * SECOND);
        t->need = (struct need){
            .width = 1920,
            .height = 1080,
            .decodes_video = true,
            .rendition_count = renditions,
            .devices = {{"cuda:0", (int32_t)renditions, true, 12, ""}},
            .device_count = 1,
        };
    }
}

static bool is_on_gpu(const struct thing *t)
{
    return (t->phase == OPENING || t->phase == RUNNING) &&
           strcmp(t->grant.device, "cpu") != 0;
}

static int32_t open_sessions(const struct world *w)
{
    int32_t sum = w->foreign;

    for (size_t i = 0; i < JOBS; i++) {
        if (w->jobs[i].phase == RUNNING)
            sum += w->jobs[i].grant.sessions;
    }
    return sum;
}

static struct capacity_use use_of(const struct world *w,
                                  const struct thing *without)
{
    struct capacity_use use = {.total = 4096 * MIB, .foreign = w->sampled};

    for (size_t i = 0; i < JOBS; i++) {
        const struct thing *t = &w->jobs[i];
        if (t == without || !is_on_gpu(t))
            continue;
        use.own += t->grant.sessions;
        use.own_vram += t->grant.vram;
        use.opening += t->phase == OPENING && t->grant.sessions > 0;
    }
    return use;
}

static void look(const struct world *w, struct scheduler_view *ret)
{
    *ret = (struct scheduler_view){
        .limits = w->limits, .device_count = 1, .now = w->now};
    ret->devices[0] = (struct scheduler_device){.id = "cuda:0",
                                                .capacity = &w->capacity,
                                                .use = use_of(w, NULL),
                                                .decodes = true,
                                                .encodes = true};
    for (size_t i = 0; i < JOBS; i++) {
        const struct thing *t = &w->jobs[i];
        ret->load.cpu_jobs += t->takes_slot && t->phase != OVER;
    }
}

/* The first that waits, of those that were not asked; by class, then by age. */
static struct thing *next_waiting(struct world *w, const bool asked[JOBS])
{
    struct thing *best = NULL;

    for (size_t i = 0; i < JOBS; i++) {
        struct thing *t = &w->jobs[i];
        if (t->phase != WAITING || asked[i])
            continue;
        int classes =
            best ? backlog_compare_class(t->priority, best->priority) : -1;
        if (classes < 0 || (classes == 0 && t->comes < best->comes))
            best = t;
    }
    return best;
}

static void take(struct world *w, struct thing *t,
                 const struct scheduler_answer *a)
{
    t->grant = a->grant;
    t->takes_slot = a->takes_slot;
    t->phase = OPENING;
    t->opens = w->now + STEP * (1 + roll(w, 4));
}

static void decide_all(struct world *w)
{
    bool asked[JOBS] = {false};
    struct scheduler_view view;
    struct thing *t;

    look(w, &view);
    while ((t = next_waiting(w, asked))) {
        const struct scheduler_job job = {
            .priority = t->priority,
            .hardware = t->hardware,
            .need = &t->need,
            .fallback = &t->fallback,
            .since = t->since,
        };
        struct scheduler_answer a;
        asked[t - w->jobs] = true;
        scheduler_decide(&view, &job, &a);
        if (a.verdict == SCHEDULER_GRANTS)
            take(w, t, &a);
        else if (a.verdict == SCHEDULER_REFUSES)
            t->phase = OVER;
    }
}

/* The driver refuses it: it teaches, and the job goes on. */
static void refuse(struct world *w, struct thing *t)
{
    const struct capacity_use use = use_of(w, t);

    w->refusals++;
    capacity_learn(&w->capacity, &use, t->grant.sessions, w->now);
    enum fallback_step step =
        fallback_judge(&t->fallback, t->hardware, &t->need, &t->grant,
                       OUTCOME_NO_SESSION, OUTCOME_PART_ENCODE);
    t->phase = step == FALLBACK_END ? OVER : WAITING;
    t->since = w->now;
    t->takes_slot = false;
    assert_int_not_equal(step, FALLBACK_NONE);
}

static void open_or_fail(struct world *w, struct thing *t)
{
    if (open_sessions(w) + t->grant.sessions > LIMIT && t->grant.sessions > 0) {
        refuse(w, t);
        return;
    }
    t->phase = RUNNING;
    t->ends = w->now + t->length;
    int32_t own = open_sessions(w) - w->foreign;
    capacity_prove(&w->capacity, own + w->sampled, w->now);
}

static void live(struct world *w)
{
    for (size_t i = 0; i < JOBS; i++) {
        struct thing *t = &w->jobs[i];
        if (t->phase == COMING && t->comes <= w->now) {
            t->phase = WAITING;
            t->since = w->now;
        } else if (t->phase == OPENING && t->opens <= w->now) {
            open_or_fail(w, t);
        } else if (t->phase == RUNNING && t->ends <= w->now) {
            t->phase = OVER;
            if (is_on_gpu(t))
                capacity_return(&w->capacity, t->grant.sessions, w->now);
        }
    }
}

static void let_neighbours_live(struct world *w)
{
    if (!w->has_neighbours || roll(w, 40))
        return;
    if (w->foreign > 0 && roll(w, 2)) {
        w->foreign--;
    } else if (open_sessions(w) < LIMIT) {
        w->foreign++;
        w->arrivals++;
    }
}

static void sample(struct world *w)
{
    if (w->now % SECOND)
        return;
    w->sampled = w->foreign;
    capacity_sampled(&w->capacity, w->sampled, CAPACITY_AMPLE, w->now);
    capacity_prove(&w->capacity, open_sessions(w), w->now);
}

/* Nobody waits for one session while one may be granted, unless somebody who
 * has waited long keeps it. */
static void check_nothing_is_idle(struct world *w)
{
    struct scheduler_view view;
    bool is_kept = false;

    look(w, &view);
    const struct scheduler_device *d = &view.devices[0];
    for (size_t i = 0; i < JOBS; i++)
        is_kept |= w->jobs[i].phase == WAITING &&
                   w->now - w->jobs[i].since >= PATIENCE;
    if (is_kept || capacity_sessions(d->capacity, &d->use, w->now) == 0 ||
        capacity_vram(d->capacity, &d->use, w->now) < 320 * MIB)
        return;
    for (size_t i = 0; i < JOBS; i++) {
        const struct thing *t = &w->jobs[i];
        if (t->phase == WAITING && t->hardware != JOB_HARDWARE_NONE &&
            fallback_allows(&t->fallback, "cuda:0", OUTCOME_PART_ENCODE))
            assert_true(t->need.rendition_count > 1);
    }
}

static bool is_over(const struct world *w)
{
    for (size_t i = 0; i < JOBS; i++) {
        if (w->jobs[i].phase != OVER)
            return false;
    }
    return true;
}

/* Until all is over; says how long that took. */
static int64_t run(struct world *w)
{
    int64_t start = w->now;

    while (!is_over(w) && w->now - start < END) {
        let_neighbours_live(w);
        live(w);
        sample(w);
        decide_all(w);
        assert_true(open_sessions(w) <= LIMIT);
        check_nothing_is_idle(w);
        w->now += STEP;
    }
    assert_true(is_over(w));
    return w->now - start;
}

static void
card__whatever_is_believed__serves_all_and_is_never_idle(void **state)
{
    static const struct {
        int32_t configured;
        int32_t listed;
        bool has_neighbours;
        int refusals; // at most, of those that no neighbour is to blame for
    } cases[] = {
        {CAPACITY_UNKNOWN, LIMIT, false, 0}, // right
        {LIMIT, CAPACITY_UNKNOWN, false, 0},
        {1, LIMIT, false, 0},                           // too low
        {8, LIMIT, false, 0},                           // too high
        {8, CAPACITY_UNKNOWN, false, 2},                // and not listed
        {CAPACITY_UNKNOWN, CAPACITY_UNKNOWN, false, 2}, // not known
        {CAPACITY_UNKNOWN, LIMIT + 2, false, 2},        // listed wrong
        {CAPACITY_UNKNOWN, LIMIT, true, 0},
        {CAPACITY_UNKNOWN, CAPACITY_UNKNOWN, true, 2},
        {8, LIMIT + 2, true, 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (uint32_t seed = 1; seed <= 5; seed++) {
            struct world w;

            set_up(&w, seed, cases[i].configured, cases[i].listed,
                   cases[i].has_neighbours);
            int64_t took = run(&w);
            print_message("case %zu seed %u: %d s, refused %d, neighbours %d\n",
                          i, seed, (int)(took / SECOND), w.refusals,
                          w.arrivals);
            // one who comes between two samples may cost some more
            assert_true(w.refusals <= cases[i].refusals + w.arrivals);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            card__whatever_is_believed__serves_all_and_is_never_idle),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
