/*
 * gpu: what jobs do with a GPU, counted on the stand-in for NVIDIA's driver.
 */
#include "bench.h"

#include <stdlib.h>

#include <jansson.h>

#include "base/error.h"
#include "card.h"
#include "gpu_jobs.h"
#include "process.h"
#include "service.h"

#define JOBS_MOST 10

static const struct {
    struct gpu_work work;
    size_t jobs; // at once
} crowds[] = {
    {{"gpu", GPU_CLIP_1080, {720}}, 1},
    {{"gpu-ladder", GPU_CLIP_1080, {720, 480, 360}}, 1},
    {{"gpu-ten", GPU_CLIP_1080, {360}}, JOBS_MOST},
};

static int run_jobs(const struct bench *b, const struct gpu_work *w,
                    size_t count, const struct service *s, struct error *e)
{
    json_t *jobs[JOBS_MOST];
    struct sample cost;

    for (size_t i = 0; i < count; i++)
        jobs[i] = gpu_job(b, w, i);
    int r = service_run(s, &cost, jobs, count, SERVICE_DETACHED, e);
    for (size_t i = 0; i < count; i++)
        json_decref(jobs[i]);
    return r;
}

static int measure(const struct bench *b, const struct gpu_work *w,
                   size_t count, json_t **ret, struct error *e)
{
    struct service *s = NULL;

    int r = card_serve(&s, b, e);
    if (r == 0)
        r = run_jobs(b, w, count, s, e);
    if (r == 0) {
        service_settle(s);
        r = card_count(b, ret, e);
    }
    service_stop(s);
    return r;
}

static void report_one(struct bench *b, const char *name, const char *what,
                       const char *unit, double most, double value)
{
    const struct report_measure m = {name, what,           NULL,
                                     unit, REPORT_AT_MOST, most};

    report_values(b->report, &m, &value, 1);
}

static void report_all(struct bench *b, const struct gpu_work *w, size_t count,
                       const json_t *did)
{
    double renditions = (double)gpu_renditions(w);
    double frames = card_total(did, "decoded");
    double jobs = (double)count;

    report_one(b, w->name, "frame copies", "", 0,
               card_total(did, "large_uploads") +
                   card_total(did, "large_downloads"));
    // a kernel for luma and one for chroma
    report_one(b, w->name, "launches a frame", "", 2 * renditions,
               card_total(did, "launches") / frames);
    // each is decoded into one, and handed out as one
    report_one(b, w->name, "mapped a frame", "", 1,
               card_total(did, "mapped") / frames);
    report_one(b, w->name, "decoders a job", "", 1,
               card_total(did, "decoders") / jobs);
    report_one(b, w->name, "sessions a job", "", renditions,
               card_total(did, "sessions") / jobs);
    report_one(b, w->name, "refused", "", 0,
               card_total(did, "sessions_refused"));
    report_one(b, w->name, "allocations", "1/job", 64,
               card_total(did, "allocations") / jobs);
    // one is made ahead for the next job, and is none of this one's set-up
    report_one(b, w->name, "contexts", "1/job", 1 + 1 / jobs,
               card_total(did, "contexts") / jobs);
    report_one(b, w->name, "surfaces", "", 20,
               card_total(did, "surfaces_peak"));
}

int bench_gpu(struct bench *b, struct error *e)
{
    int r = 0;

    if (!card_insert(b, "gpu"))
        return 0;
    for (size_t i = 0; i < sizeof(crowds) / sizeof(crowds[0]) && r == 0; i++) {
        const struct gpu_work *w = &crowds[i].work;
        json_t *did = NULL;
        r = gpu_make_clip(b, w->clip, e);
        if (r == 0)
            r = measure(b, w, crowds[i].jobs, &did, e);
        if (r == 0)
            report_all(b, w, crowds[i].jobs, did);
        json_decref(did);
    }
    card_remove();
    return r;
}
