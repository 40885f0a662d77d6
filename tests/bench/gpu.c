/*
 * gpu: what jobs move and hold on a GPU, beside the ffmpeg CLI. On the stand-in
 * for NVIDIA's driver, which counts: its times mean nothing.
 */
#include "bench.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "process.h"
#include "service.h"

#define JOBS_MOST 10
#define SURVEY    (20 * SECOND) // at most

// what is in the pictures matters to nobody who counts
#define CLIP "counted.mp4"
#define MAKE_CLIP \
    "ffmpeg -nostdin -v error -y -f lavfi -i testsrc2=size=1920x1080:rate=30 " \
    "-frames:v 48 -c:v libx264 -preset veryfast -bf 2 " CLIP

#define INPUT  " -hwaccel cuda -hwaccel_output_format cuda -i " CLIP " -an "
#define FFMPEG "ffmpeg -nostdin -v error -y "
// its default on a server, and the least that it gets along with
#define SERVER    FFMPEG "-threads 16" INPUT
#define TUNED     FFMPEG "-threads 1" INPUT

#define ONE_OF_IT "-vf scale_cuda=1280:720 -c:v h264_nvenc theirs.mp4"
#define LADDER_OF_IT \
    "-filter_complex [0:v]split=3[a][b][c];[a]scale_cuda=1280:720[d];" \
    "[b]scale_cuda=854:480[f];[c]scale_cuda=640:360[g] " \
    "-map [d] -c:v h264_nvenc theirs-720.mp4 " \
    "-map [f] -c:v h264_nvenc theirs-480.mp4 " \
    "-map [g] -c:v h264_nvenc theirs-360.mp4"

/* The same work, by both sides. */
struct contest {
    const char *name;
    int heights[3]; // of the renditions, 0: no more
    size_t jobs;    // of ours at once
    const char *server;
    const char *tuned; // NULL with several jobs: nothing to compare
};

static const struct contest contests[] = {
    {"gpu", {720}, 1, SERVER ONE_OF_IT, TUNED ONE_OF_IT},
    {"gpu-ladder", {720, 480, 360}, 1, SERVER LADDER_OF_IT, TUNED LADDER_OF_IT},
    {"gpu-ten", {360}, JOBS_MOST, NULL, NULL},
};

/* The driver's counters, all of them; a new reference. */
static int count(const struct bench *b, json_t **ret, struct error *e)
{
    char *command = xasprintf("%s/vgpu/vgpuctl counters", b->build);
    char *text = NULL;

    int r = process_output(&text, b->folder, command, e);
    free(command);
    if (r < 0)
        return r;
    *ret = json_loads(text, 0, NULL);
    free(text);
    return *ret ? 0 : error_set(e, -EBADMSG, "vgpuctl makes no sense");
}

static char *ended_path(const struct bench *b)
{
    return xasprintf("%s/card/ended.jsonl", b->folder);
}

/* Each process that has ended left a line: the most that one of them had. The
 * machine's own peak counts the worker that stands ready, too. */
static double most_of_one(const struct bench *b, const char *name)
{
    char *path = ended_path(b);
    FILE *file = fopen(path, "re");
    json_t *line;
    double most = 0;

    free(path);
    while (file && (line = json_loadf(file, JSON_DISABLE_EOF_CHECK, NULL))) {
        double value = (double)json_integer_value(json_object_get(line, name));
        most = value > most ? value : most;
        json_decref(line);
    }
    if (file)
        (void)fclose(file);
    return most;
}

static double counter(const json_t *counters, const char *name)
{
    return (double)json_integer_value(
        json_object_get(json_object_get(counters, "total"), name));
}

static int forget(const struct bench *b, struct error *e)
{
    char *command = xasprintf("%s/vgpu/vgpuctl reset", b->build);
    char *text = NULL;

    int r = process_output(&text, b->folder, command, e);
    free(command);
    free(text);
    char *ended = ended_path(b);
    (void)unlink(ended);
    free(ended);
    return r;
}

static json_t *make_job(const struct bench *b, const struct contest *c,
                        size_t index)
{
    json_t *outputs = json_array();

    for (size_t i = 0; i < 3 && c->heights[i]; i++) {
        char *path = xasprintf("%s/ours-%zu-%zu.mp4", b->folder, index, i);
        json_array_append_new(outputs,
                              json_pack("{s:s, s:{s:s, s:i}, s:[]}", "path",
                                        path, "video", "codec", "h264",
                                        "max_height", c->heights[i], "audio"));
        free(path);
    }
    char *input = xasprintf("%s/%s", b->folder, CLIP);
    json_t *job =
        json_pack("{s:b, s:s, s:{s:s}, s:o}", "overwrite", 1, "hardware",
                  "require", "input", "path", input, "outputs", outputs);
    free(input);
    return job;
}

/* Until the survey has found the card. */
static int wait_for_card(const struct service *s, struct error *e)
{
    for (int64_t end = clock_now() + SURVEY; clock_now() < end;) {
        json_t *reply = NULL;
        int r = service_call(s, &reply, "Devices", NULL, e);
        size_t devices = json_array_size(json_object_get(reply, "devices"));
        json_decref(reply);
        if (r < 0)
            return r;
        if (devices > 1) // the CPU is one
            return 0;
        (void)poll(NULL, 0, 20);
    }
    return error_set(e, -ENODEV, "no GPU was found");
}

static int run_jobs(const struct bench *b, const struct contest *c,
                    const struct service *s, struct sample *cost,
                    struct error *e)
{
    json_t *jobs[JOBS_MOST];

    for (size_t i = 0; i < c->jobs; i++)
        jobs[i] = make_job(b, c, i);
    int r = service_run(s, cost, jobs, c->jobs, SERVICE_DETACHED, e);
    for (size_t i = 0; i < c->jobs; i++)
        json_decref(jobs[i]);
    return r;
}

/* What only the jobs did is counted: the survey before them is forgotten. */
static int measure_ours(const struct bench *b, const struct contest *c,
                        json_t **ret, struct error *e)
{
    struct service *s = NULL;
    struct sample cost;

    int r = service_start(&s, NULL, b->build, b->folder, NULL, e);
    if (r == 0)
        r = wait_for_card(s, e);
    if (r == 0) {
        service_settle(s);
        r = forget(b, e);
    }
    if (r == 0)
        r = run_jobs(b, c, s, &cost, e);
    if (r == 0) {
        service_settle(s);
        r = count(b, ret, e);
    }
    service_stop(s);
    return r;
}

static int measure_theirs(const struct bench *b, const char *command,
                          json_t **ret, struct error *e)
{
    struct sample cost;

    int r = forget(b, e);
    if (r == 0)
        r = process_run(&cost, b->folder, &command, 1, e);
    return r == 0 ? count(b, ret, e) : r;
}

static void report_one(struct bench *b, const struct contest *c,
                       const char *what, const char *unit, double most,
                       double value)
{
    const struct report_measure m = {c->name, what,           NULL,
                                     unit,    REPORT_AT_MOST, most};

    report_values(b->report, &m, &value, 1);
}

static void report_ours(struct bench *b, const struct contest *c,
                        const json_t *ours)
{
    double renditions = 0;
    double frames = counter(ours, "decoded");
    double jobs = (double)c->jobs;

    for (size_t i = 0; i < 3 && c->heights[i]; i++)
        renditions++;
    report_one(b, c, "frame copies", "", 0,
               counter(ours, "large_uploads") +
                   counter(ours, "large_downloads"));
    // a kernel for luma and one for chroma
    report_one(b, c, "launches a frame", "", 2 * renditions,
               counter(ours, "launches") / frames);
    report_one(b, c, "decoders a job", "", 1, counter(ours, "decoders") / jobs);
    report_one(b, c, "sessions a job", "", renditions,
               counter(ours, "sessions") / jobs);
    report_one(b, c, "refused", "", 0, counter(ours, "sessions_refused"));
    report_one(b, c, "allocations", "1/job", 64,
               counter(ours, "allocations") / jobs);
    // one is made ahead for the next job, and is none of this one's set-up
    report_one(b, c, "contexts", "1/job", 1 + 1 / jobs,
               counter(ours, "contexts") / jobs);
    report_one(b, c, "surfaces", "", 20, counter(ours, "surfaces_peak"));
}

/* VRAM in MiB, and surfaces of a decoder. */
struct held {
    double vram;
    double surfaces;
};

static struct held held_by(const struct bench *b, const json_t *counters)
{
    return (struct held){most_of_one(b, "vram_peak") / (1 << 20),
                         counter(counters, "surfaces_peak")};
}

static int report_against(struct bench *b, const struct contest *c,
                          const struct held *ours, const char *peer,
                          const char *command, double reach, struct error *e)
{
    const struct report_measure vram = {c->name, "vram",         peer,
                                        "MiB",   REPORT_AT_MOST, reach};
    const struct report_measure surfaces = {c->name, "surfaces",     peer,
                                            "",      REPORT_AT_MOST, reach};
    json_t *counters = NULL;

    int r = measure_theirs(b, command, &counters, e);
    if (r == 0) {
        const struct held theirs = held_by(b, counters);
        report_pairs(b->report, &vram, &ours->vram, &theirs.vram, 1);
        report_pairs(b->report, &surfaces, &ours->surfaces, &theirs.surfaces,
                     1);
    }
    json_decref(counters);
    return r;
}

static int contest_run(struct bench *b, const struct contest *c,
                       struct error *e)
{
    json_t *counters = NULL;
    struct held ours = {0};

    int r = measure_ours(b, c, &counters, e);
    if (r == 0) {
        ours = held_by(b, counters);
        report_ours(b, c, counters);
    }
    json_decref(counters);
    if (r == 0 && c->server)
        r = report_against(b, c, &ours, "ffmpeg threads 16", c->server, 0.6, e);
    if (r == 0 && c->tuned)
        r = report_against(b, c, &ours, "ffmpeg threads 1", c->tuned, 1, e);
    return r;
}

static int make_clip(const struct bench *b, struct error *e)
{
    const char *command = MAKE_CLIP;
    struct sample cost;

    return process_run(&cost, b->folder, &command, 1, e);
}

/* Children find the stand-in, on a card of their own. */
static void stand_in(const struct bench *b)
{
    char *libraries = xasprintf("%s/vgpu", b->build);
    char *machine = xasprintf("%s/card", b->folder);

    (void)setenv("LD_LIBRARY_PATH", libraries, 1);
    (void)setenv("VGPU_MACHINE", machine, 1);
    free(libraries);
    free(machine);
}

int bench_gpu(struct bench *b, struct error *e)
{
    char *library = xasprintf("%s/vgpu/libvgpu.so", b->build);
    int there = access(library, R_OK);
    int r = 0;

    free(library);
    if (there < 0) {
        (void)puts("gpu: skipped: build the stand-in with `make vgpu`");
        return 0;
    }
    stand_in(b);
    r = make_clip(b, e);
    for (size_t i = 0; i < sizeof(contests) / sizeof(contests[0]) && r == 0;
         i++)
        r = contest_run(b, &contests[i], e);
    (void)unsetenv("LD_LIBRARY_PATH");
    (void)unsetenv("VGPU_MACHINE");
    return r;
}
