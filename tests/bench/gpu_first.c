#include "gpu_first.h"

#include <stdlib.h>

#include <jansson.h>

#include "base/memory.h"
#include "bench.h"
#include "gpu_jobs.h"
#include "process.h"
#include "service.h"

#define PAIRS_MOST 5
#define REACH      0.3
#define ONE        0.02 // s, less than two pictures last

/* Where no encoder is on the card, the rest of the work still is. */
static json_t *make_job(const struct bench *b, const struct gpu_work *w)
{
    json_t *job = gpu_job(b, w, 0);

    json_object_set_new(job, "hardware", json_string("prefer"));
    json_object_set_new(json_object_get(job, "input"), "duration",
                        json_real(ONE));
    return job;
}

static int measure_pair(const struct bench *b, const struct service *s,
                        json_t *job, const char *command, double *ret_ours,
                        double *ret_theirs, struct error *e)
{
    struct sample ours;
    struct sample theirs;

    service_settle(s);
    int r = service_run(s, &ours, &job, 1, SERVICE_DETACHED, e);
    if (r == 0)
        r = process_run(&theirs, b->folder, &command, 1, e);
    if (r < 0)
        return r;
    *ret_ours = ours.wall;
    *ret_theirs = theirs.wall;
    return 0;
}

int gpu_first(struct bench *b, const struct service *s,
              const struct gpu_work *w, const char *theirs,
              enum report_goal goal, struct error *e)
{
    const struct report_measure m = {w->name, "first frame", "ffmpeg",
                                     "s",     goal,          REACH};
    double ours[PAIRS_MOST];
    double others[PAIRS_MOST];
    size_t count = b->pairs < PAIRS_MOST ? b->pairs : PAIRS_MOST;
    json_t *job = make_job(b, w);
    char *command =
        xasprintf("ffmpeg -nostdin -v error -y -hwaccel cuda "
                  "-hwaccel_output_format cuda -i %s -an -frames:v 1 %s "
                  "theirs-first.mp4",
                  w->clip, theirs);
    int r = 0;

    for (size_t i = 0; i < count && r == 0; i++)
        r = measure_pair(b, s, job, command, &ours[i], &others[i], e);
    if (r == 0)
        report_pairs(b->report, &m, ours, others, count);
    json_decref(job);
    free(command);
    return r;
}
