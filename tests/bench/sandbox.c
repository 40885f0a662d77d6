/*
 * sandbox: what it costs, switched off against on.
 */
#include <stdbool.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "bench.h"
#include "clip.h"
#include "service.h"

#define STARTS 9 // of a worker, or of short jobs, for one value

enum mode { OFF, ON, MODE_COUNT };

static const char *const mode_names[MODE_COUNT] = {"off", "required"};

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values)
{
    qsort(values, STARTS, sizeof(values[0]), compare);
    return values[STARTS / 2];
}

/* How long a worker takes from its start to its end, in ms, with nothing to do
 * but to confine itself. */
static int time_start(const struct bench *b, enum mode mode, double *ret,
                      struct error *e)
{
    char *said = NULL;
    char *command = xasprintf("%s/transcoded-worker --probe-sandbox "
                              "--sandbox %s",
                              b->build, mode_names[mode]);

    int64_t begin = clock_now();
    int r = process_output(&said, b->folder, command, e);
    *ret = (double)(clock_now() - begin) / MILLISECOND;
    free(said);
    free(command);
    return r;
}

/* How much longer it takes: most of a start is the loader's, and varies. */
static int time_starts(const struct bench *b, double *ret, struct error *e)
{
    double longer[STARTS];
    int r = 0;

    for (size_t i = 0; i < STARTS && r == 0; i++) {
        double took[MODE_COUNT] = {0};
        for (int mode = 0; mode < MODE_COUNT && r == 0; mode++)
            r = time_start(b, (enum mode)mode, &took[mode], e);
        longer[i] = took[ON] - took[OFF];
    }
    if (r == 0)
        *ret = median(longer);
    return r;
}

static json_t *make_job(const struct bench *b, json_t *video)
{
    json_t *input = json_sprintf("%s/" CLIP_SHORT, b->folder);
    json_t *output = json_sprintf("%s/ours.mp4", b->folder);

    return json_pack("{s:b, s:s, s:{s:o}, s:[{s:o, s:o, s:[]}]}", "overwrite",
                     true, "hardware", "none", "input", "path", input,
                     "outputs", "path", output, "video", video, "audio");
}

/* The median of short jobs, in ms: little more than their start. */
static int time_short_jobs(const struct bench *b, const struct service *s,
                           double *ret, struct error *e)
{
    double took[STARTS];
    json_t *job = make_job(b, json_pack("{s:s}", "codec", "copy"));
    int r = 0;

    for (size_t i = 0; i < STARTS && r == 0; i++) {
        struct sample sample = {0};
        r = service_run(s, &sample, &job, 1, SERVICE_DETACHED, e);
        took[i] = sample.wall * 1e3;
    }
    json_decref(job);
    if (r == 0)
        *ret = median(took);
    return r;
}

static int time_long_job(const struct bench *b, const struct service *s,
                         struct sample *ret, struct error *e)
{
    json_t *job =
        make_job(b, json_pack("{s:s, s:i, s:s}", "codec", "h264", "max_height",
                              720, "preset", "veryfast"));

    int r = service_run(s, ret, &job, 1, SERVICE_DETACHED, e);
    json_decref(job);
    return r;
}

/* What a pair of runs has shown, for each mode. */
struct pair {
    double start; // ms
    struct sample work;
};

static int run_pair(const struct bench *b, const struct service *s, size_t turn,
                    struct pair ret[MODE_COUNT], struct error *e)
{
    int r = 0;

    for (size_t i = 0; i < MODE_COUNT && r == 0; i++) {
        enum mode mode = (enum mode)((i + turn) % MODE_COUNT);
        r = service_set(s, "sandbox", mode_names[mode], e);
        if (r == 0)
            r = time_short_jobs(b, s, &ret[mode].start, e);
        if (r == 0)
            r = time_long_job(b, s, &ret[mode].work, e);
    }
    return r;
}

static int time_jobs(struct bench *b, const struct service *s, struct error *e)
{
    double longer[REPORT_SAMPLES_MOST];
    double wall[MODE_COUNT][REPORT_SAMPLES_MOST];
    double cpu[MODE_COUNT][REPORT_SAMPLES_MOST];
    int r = 0;

    for (size_t i = 0; i < b->pairs && r == 0; i++) {
        struct pair pair[MODE_COUNT] = {0};
        r = run_pair(b, s, i, pair, e);
        longer[i] = pair[ON].start - pair[OFF].start;
        for (size_t mode = 0; mode < MODE_COUNT; mode++) {
            wall[mode][i] = pair[mode].work.wall;
            cpu[mode][i] = pair[mode].work.cpu;
        }
    }
    if (r < 0)
        return r;
    report_values(b->report,
                  &(struct report_measure){"sandbox", "start of a job", "off",
                                           "ms", REPORT_AT_MOST, 2},
                  longer, b->pairs);
    report_pairs(b->report,
                 &(struct report_measure){"sandbox", "wall of a job", "off",
                                          "s", REPORT_AT_MOST, 1.01},
                 wall[ON], wall[OFF], b->pairs);
    report_pairs(b->report,
                 &(struct report_measure){"sandbox", "cpu of a job", "off", "s",
                                          REPORT_AT_MOST, 1.01},
                 cpu[ON], cpu[OFF], b->pairs);
    return 0;
}

/* A worker confines itself before it has a job, so the job does not wait for
 * that; a worker that is started for its job does. */
int bench_sandbox(struct bench *b, struct error *e)
{
    double longer[REPORT_SAMPLES_MOST];
    struct service *s = NULL;
    int r = 0;

    for (size_t i = 0; i < b->pairs && r == 0; i++)
        r = time_starts(b, &longer[i], e);
    if (r < 0)
        return r;
    report_values(b->report,
                  &(struct report_measure){"sandbox", "start of a worker",
                                           "off", "ms", REPORT_AT_MOST, 4},
                  longer, b->pairs);

    r = clip_make(b->folder, CLIP_SHORT, e);
    if (r == 0)
        r = service_start(&s, NULL, b->build, b->folder, NULL, e);
    if (r == 0)
        r = time_jobs(b, s, e);
    service_stop(s);
    return r;
}
