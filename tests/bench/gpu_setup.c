/*
 * gpu-setup: what has to happen before a job's first picture, in a worker that
 * stood ready and in one that did not, and whether sessions are idle while jobs
 * wait. On the stand-in for NVIDIA's driver: its counts are a card's, its times
 * mean nothing and have no figure to reach.
 */
#include "bench.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/error.h"
#include "card.h"
#include "gpu_first.h"
#include "gpu_jobs.h"
#include "process.h"
#include "service.h"

#define NAME      "gpu-setup"
#define JOBS_MOST 10
#define EVERY     (50 * MILLISECOND)

static const struct gpu_work work = {NAME, GPU_CLIP_1080, {720}};
static const struct gpu_work small_work = {NAME, GPU_CLIP_1080, {360}};

// clang-format off
static const struct {
    const char *counter;
    enum report_goal warm; // at most 0: all of it was done ahead
} calls[] = {
    {"contexts",     REPORT_AT_MOST},
    {"encoder_apis", REPORT_SHOWN},
    {"modules",      REPORT_SHOWN},
    {"decoders",     REPORT_SHOWN},
    {"sessions",     REPORT_SHOWN},
    {"allocations",  REPORT_SHOWN},
};
// clang-format on

enum { CALLS = sizeof(calls) / sizeof(calls[0]) };

/* What one worker called for its job alone, and when its job came how far, in s
 * after it was accepted. */
struct setup {
    double calls[CALLS];
    bool seen;
};

/*
 * Calls.
 */

static const json_t *find_process(const json_t *processes, json_int_t pid)
{
    const json_t *p;
    size_t i;

    json_array_foreach (processes, i, p) {
        if (json_integer_value(json_object_get(p, "pid")) == pid)
            return p;
    }
    return NULL;
}

static double value_of(const json_t *process, const char *name)
{
    return (double)json_integer_value(json_object_get(process, name));
}

static void note(struct setup *ret, const json_t *ended, const json_t *before)
{
    ret->seen = true;
    for (size_t i = 0; i < CALLS; i++)
        ret->calls[i] = value_of(ended, calls[i].counter) -
                        value_of(before, calls[i].counter);
}

/* Of the workers that encoded, those that stood there before and those that did
 * not. */
static void sort_workers(const json_t *ended, const json_t *before,
                         struct setup *warm, struct setup *cold)
{
    const json_t *processes = json_object_get(before, "processes");
    const json_t *line;
    size_t i;

    json_array_foreach (ended, i, line) {
        if (value_of(line, "encoded") <= 0)
            continue;
        const json_t *stood = find_process(
            processes, json_integer_value(json_object_get(line, "pid")));
        note(stood ? warm : cold, line, stood);
    }
}

/* Two jobs at once: only one worker stands ready. */
static int measure_calls(const struct bench *b, const struct service *s,
                         struct setup *warm, struct setup *cold,
                         struct error *e)
{
    json_t *jobs[] = {gpu_job(b, &work, 0), gpu_job(b, &work, 1)};
    json_t *before = NULL;
    json_t *after = NULL;
    struct sample cost;

    service_settle(s);
    int r = card_forget(b, e);
    if (r == 0)
        r = card_count(b, &before, e);
    if (r == 0)
        r = service_run(s, &cost, jobs, 2, SERVICE_DETACHED, e);
    if (r == 0)
        r = card_count(b, &after, e);
    if (r == 0) {
        json_t *ended = card_ended(b);
        sort_workers(ended, before, warm, cold);
        json_decref(ended);
        if (!warm->seen || !cold->seen)
            r = error_set(e, -EIO, "no worker was %s",
                          warm->seen ? "cold" : "warm");
    }
    json_decref(jobs[0]);
    json_decref(jobs[1]);
    json_decref(before);
    json_decref(after);
    return r;
}

static int report_calls(struct bench *b, const struct service *s,
                        struct error *e)
{
    struct setup warm = {0};
    struct setup cold = {0};

    int r = measure_calls(b, s, &warm, &cold, e);
    for (size_t i = 0; i < CALLS && r == 0; i++) {
        const struct report_measure m = {NAME, calls[i].counter, "warm, cold",
                                         "",   calls[i].warm,    0};
        report_pairs(b->report, &m, &warm.calls[i], &cold.calls[i], 1);
    }
    return r;
}

/*
 * Phases.
 */

// clang-format off
static const struct {
    const char *what;
    const char *event;
} phases[] = {
    {"until ready",   "ready"},
    {"until written", "progress"}, // the first one that tells of a frame
    {"until done",    "outcome"},
};
// clang-format on

enum { PHASES = sizeof(phases) / sizeof(phases[0]) };

/* µs since the epoch, 0: not yet. */
struct course {
    json_int_t begin;
    json_int_t at[PHASES];
};

static void hear_phase(void *user, const json_t *event)
{
    struct course *c = user;
    const char *kind = json_string_value(json_object_get(event, "event"));
    json_int_t time = json_integer_value(json_object_get(event, "time"));
    const json_t *frame = json_object_get(event, "frame");

    if (!kind || (frame && json_integer_value(frame) == 0))
        return;
    if (!c->begin)
        c->begin = time;
    for (size_t i = 0; i < PHASES; i++) {
        if (strcmp(kind, phases[i].event) == 0 && !c->at[i])
            c->at[i] = time;
    }
}

static int report_phases(struct bench *b, struct service *s, struct error *e)
{
    struct course course = {0};
    struct sample cost;
    json_t *job = gpu_job(b, &work, 0);

    service_listen(s, hear_phase, &course);
    int r = service_run(s, &cost, &job, 1, SERVICE_DETACHED, e);
    service_listen(s, NULL, NULL);
    json_decref(job);
    for (size_t i = 0; i < PHASES && r == 0; i++) {
        const struct report_measure m = {NAME, phases[i].what, NULL,
                                         "ms", REPORT_SHOWN,   0};
        double value = (double)(course.at[i] - course.begin) / 1e3;
        if (course.at[i])
            report_values(b->report, &m, &value, 1);
    }
    return r;
}

/*
 * Idle sessions.
 */

struct watch {
    const struct bench *bench;
    const struct service *service;
    int64_t next; // when to look again
    bool filled;  // all sessions were lent once
    double samples;
    double idle; // of these, a session was lent to nobody and a job waited
    double open; // sessions that the driver had, in all of them
};

struct load {
    int unfinished;
    int lent;
    int limit;
};

static int count_unfinished(const struct service *s, int *ret)
{
    json_t *reply = NULL;
    struct error e;
    int queued = 0;
    int starting = 0;
    int running = 0;

    int r = service_call(s, &reply, "Status", NULL, &e);
    if (r == 0)
        r = json_unpack(reply, "{s:{s:i, s:i, s:i}}", "jobs", "queued", &queued,
                        "starting", &starting, "running", &running);
    json_decref(reply);
    *ret = queued + starting + running;
    return r;
}

static int count_lent(const struct service *s, struct load *ret)
{
    json_t *reply = NULL;
    struct error e;

    int r = service_call(s, &reply, "Devices", NULL, &e);
    const json_t *card =
        json_array_get(json_object_get(reply, "devices"), 1); // 0 is the CPU
    if (r == 0)
        r = json_unpack((json_t *)card, "{s:{s:{s:i, s:i}}}", "gpu", "sessions",
                        "own", &ret->lent, "limit", &ret->limit);
    json_decref(reply);
    return r;
}

static void count_open(struct watch *w)
{
    json_t *counters = NULL;
    struct error e;

    if (card_count(w->bench, &counters, &e) == 0)
        w->open += (double)json_integer_value(
            json_object_get(counters, "sessions_used"));
    json_decref(counters);
}

/* Jobs only become fewer: those that are unfinished behind the look at the
 * sessions were so at it, too. Each has one session, or waits for it. Before
 * all were lent once, jobs are still told apart by what they need. */
static void look(void *user, const json_t *event)
{
    struct watch *w = user;
    struct load load;

    if (event || clock_now() < w->next)
        return;
    w->next = clock_now() + EVERY;
    if (count_lent(w->service, &load) < 0 ||
        count_unfinished(w->service, &load.unfinished) < 0)
        return;
    w->filled = w->filled || load.lent == load.limit;
    if (!w->filled || load.unfinished <= load.limit)
        return;
    w->samples++;
    w->idle += load.lent < load.limit;
    count_open(w);
}

static int run_crowd(struct bench *b, struct service *s, struct watch *watch,
                     struct error *e)
{
    json_t *jobs[JOBS_MOST];
    struct sample cost;

    for (size_t i = 0; i < JOBS_MOST; i++)
        jobs[i] = gpu_job(b, &small_work, i);
    service_listen(s, look, watch);
    int r = service_run(s, &cost, jobs, JOBS_MOST, SERVICE_DETACHED, e);
    service_listen(s, NULL, NULL);
    for (size_t i = 0; i < JOBS_MOST; i++)
        json_decref(jobs[i]);
    return r;
}

static int report_idle(struct bench *b, struct service *s, struct error *e)
{
    const struct report_measure idle = {NAME, "samples idle", NULL,
                                        "",   REPORT_AT_MOST, 0};
    const struct report_measure samples = {NAME, "samples",       NULL,
                                           "",   REPORT_AT_LEAST, 1};
    const struct report_measure open = {NAME, "sessions open", NULL,
                                        "",   REPORT_SHOWN,    0};
    struct watch watch = {.bench = b, .service = s};

    int r = run_crowd(b, s, &watch, e);
    if (r < 0)
        return r;
    report_values(b->report, &samples, &watch.samples, 1);
    report_values(b->report, &idle, &watch.idle, 1);
    if (watch.samples > 0) {
        double mean = watch.open / watch.samples;
        report_values(b->report, &open, &mean, 1);
    }
    return 0;
}

int bench_gpu_setup(struct bench *b, struct error *e)
{
    struct service *s = NULL;

    if (!card_insert(b, NAME))
        return 0;
    int r = gpu_make_clip(b, work.clip, e);
    if (r == 0)
        r = service_start(&s, NULL, b->build, b->folder, NULL, e);
    if (r == 0)
        r = card_wait(s, e);
    if (r == 0)
        r = report_calls(b, s, e);
    if (r == 0)
        r = report_phases(b, s, e);
    if (r == 0)
        r = report_idle(b, s, e);
    if (r == 0)
        r = gpu_first(b, s, &work,
                      "-vf scale_cuda=1280:720 -c:v h264_nvenc -bf 2",
                      REPORT_SHOWN, e);
    service_stop(s);
    card_remove();
    return r;
}
