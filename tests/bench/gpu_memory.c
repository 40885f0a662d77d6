/*
 * gpu-memory: how much of a card's memory a job holds, beside ffmpeg commands
 * that make the same renditions, with as many B-frames.
 *
 * What counts is the peak of one working process on either side, for that is
 * what each further job takes: a context, the encoders' sessions, the decoder's
 * pictures and those that wait for encoders. The service has one process more,
 * the worker that stands ready with a context and nothing else, however many
 * jobs there are; the machine's peak with it is a row without a figure to
 * reach. So is the part that programs decide about, for contexts and sessions
 * are the driver's; what they take is a guess of the stand-in's. It guesses that
 * sessions of smaller pictures are smaller. If they were not, a ladder of 1080
 * lines would have 208 MiB of its 267 from the driver, as ffmpeg has of its 415:
 * that comparison is a row, too.
 *
 * ffmpeg is asked as a server would run it, with 16 threads, and with each of
 * the savings below; of these the one that took the least counts.
 */
#include "bench.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/error.h"
#include "base/memory.h"
#include "card.h"
#include "clip.h"
#include "gpu_jobs.h"
#include "process.h"
#include "service.h"

#define THEIRS  "theirs-0.mp4"
#define PATIENT "60" // s, for a command that waits for itself

// MiB, as the stand-in has them by default: of a context; of a session of
// 1920x1080, and what of it one of any size takes
#define CONTEXT 64
#define SESSION 48
#define FIXED   16

/* Options of an ffmpeg command, for its decoder and for each encoder. */
struct manner {
    const char *decoder;
    const char *encoder;
};

static const struct manner server = {"-threads 16", "-bf 2"};

// extra_hw_frames only adds; the last one does less work than ours
static const struct manner tuned[] = {
    {"-threads 1", "-bf 2"},
    {"-threads 1", "-bf 2 -delay 0"},
    {"-threads 1 -extra_hw_frames 0", "-bf 2 -surfaces 1 -delay 0"},
    {"-threads 1", "-bf 0 -surfaces 1 -delay 0"},
};

static const struct gpu_work works[] = {
    {"gpu", GPU_CLIP_1080, {720}},
    {"gpu-ladder", GPU_CLIP_1080, {720, 480, 360}},
    {"gpu-4k", GPU_CLIP_2160, {1080}},
    {"4k-ladder", GPU_CLIP_2160, {1080, 720, 480}},
};

/* VRAM in MiB, and surfaces of the decoder. */
struct held {
    double vram;
    double surfaces;
    double machine; // VRAM of all processes together
};

static int look(const struct bench *b, struct held *ret, struct error *e)
{
    json_t *counters = NULL;

    int r = card_count(b, &counters, e);
    if (r < 0)
        return r;
    *ret = (struct held){
        .vram = card_most_of_one(b, "vram_peak") / (1 << 20),
        .surfaces = card_total(counters, "surfaces_peak"),
        .machine = card_total(counters, "vram_peak") / (1 << 20),
    };
    json_decref(counters);
    return 0;
}

static int measure_ours(const struct bench *b, const struct gpu_work *w,
                        struct held *ret, struct error *e)
{
    struct service *s = NULL;
    struct sample cost;
    json_t *job = gpu_job(b, w, 0);

    int r = card_serve(&s, b, e);
    if (r == 0)
        r = service_run(s, &cost, &job, 1, SERVICE_DETACHED, e);
    json_decref(job);
    if (r == 0)
        r = look(b, ret, e);
    service_stop(s);
    return r;
}

/* One decoder, a scale_cuda and an encoder for each rendition. */
static char *make_command(const struct gpu_work *w, const struct manner *m)
{
    size_t count = gpu_renditions(w);
    char *split = xasprintf("[0:v]split=%zu", count);
    char *chains = xstrdup("");
    char *outputs = xstrdup("");

    for (size_t i = 0; i < count; i++) {
        char *more = xasprintf("%s[i%zu]", split, i);
        free(split);
        split = more;
        more = xasprintf("%s;[i%zu]scale_cuda=-2:%d:format=nv12[o%zu]", chains,
                         i, w->heights[i], i);
        free(chains);
        chains = more;
        more = xasprintf("%s -map [o%zu] -c:v h264_nvenc %s theirs-%zu.mp4",
                         outputs, i, m->encoder, i);
        free(outputs);
        outputs = more;
    }
    char *command = xasprintf(
        "timeout " PATIENT " ffmpeg -nostdin -v error -y %s -hwaccel cuda "
        "-hwaccel_output_format cuda -i %s -an -filter_complex %s%s%s",
        m->decoder, w->clip, split, chains, outputs);
    free(split);
    free(chains);
    free(outputs);
    return command;
}

static int measure_theirs(const struct bench *b, const struct gpu_work *w,
                          const struct manner *m, struct held *ret,
                          struct error *e)
{
    char *command = make_command(w, m);
    const char *const commands[] = {command};
    struct sample cost;
    long wanted = 0;
    long got = 0;

    int r = card_forget(b, e);
    if (r == 0)
        r = process_run(&cost, b->folder, commands, 1, e);
    free(command);
    if (r == 0)
        r = clip_frames(&wanted, b->folder, w->clip, e);
    if (r == 0)
        r = clip_frames(&got, b->folder, THEIRS, e);
    if (r == 0 && got != wanted)
        r = error_set(e, -EIO, "%ld frames of %ld", got, wanted);
    return r == 0 ? look(b, ret, e) : r;
}

/* The one that takes the least, of those that work. */
static const struct manner *
find_best(const struct bench *b, const struct gpu_work *w, struct held *ret)
{
    const struct manner *best = NULL;
    struct held held;
    struct error e;

    for (size_t i = 0; i < sizeof(tuned) / sizeof(tuned[0]); i++) {
        if (measure_theirs(b, w, &tuned[i], &held, &e) < 0) {
            (void)printf("%s: '%s … %s' does not work: %s\n", w->name,
                         tuned[i].decoder, tuned[i].encoder, e.text);
        } else if (!best || held.vram < ret->vram) {
            best = &tuned[i];
            *ret = held;
        }
    }
    return best;
}

static void compare(struct bench *b, const char *name, const char *peer,
                    const struct held *ours, const struct held *theirs,
                    double reach)
{
    const struct report_measure vram = {name,  "vram",         peer,
                                        "MiB", REPORT_AT_MOST, reach};
    const struct report_measure surfaces = {name, "surfaces",     peer,
                                            "",   REPORT_AT_MOST, reach};

    report_pairs(b->report, &vram, &ours->vram, &theirs->vram, 1);
    report_pairs(b->report, &surfaces, &ours->surfaces, &theirs->surfaces, 1);
}

/* MiB of all sessions. */
static double sessions_take(const struct gpu_work *w)
{
    double sum = 0;

    for (size_t i = 0; i < gpu_renditions(w); i++)
        sum += FIXED + (SESSION - FIXED) * pow(w->heights[i] / 1080.0, 2);
    return sum;
}

/* A row that says more, without a figure to reach: the VRAM of both sides, if
 * the driver took so much of each besides. */
static void show_other(struct bench *b, const struct gpu_work *w,
                       const char *name, double besides,
                       const struct held *ours, const struct held *theirs)
{
    const struct report_measure row = {
        w->name, name, "ffmpeg threads 16", "MiB", REPORT_SHOWN, 0};
    const double ours_then = ours->vram + besides;
    const double theirs_then = theirs->vram + besides;

    report_pairs(b->report, &row, &ours_then, &theirs_then, 1);
}

static void explain(struct bench *b, const struct gpu_work *w,
                    const struct held *ours, const struct held *theirs)
{
    const double sessions = sessions_take(w);
    const double flat = SESSION * (double)gpu_renditions(w);
    const struct report_measure machine = {w->name, "vram, with ready", NULL,
                                           "MiB",   REPORT_SHOWN,       0};

    show_other(b, w, "vram, pictures", -CONTEXT - sessions, ours, theirs);
    show_other(b, w, "vram, one size", flat - sessions, ours, theirs);
    report_values(b->report, &machine, &ours->machine, 1);
}

static int work_run(struct bench *b, const struct gpu_work *w, struct error *e)
{
    struct held ours = {0};
    struct held theirs = {0};
    struct held least = {0};

    int r = gpu_make_clip(b, w->clip, e);
    if (r == 0)
        r = measure_ours(b, w, &ours, e);
    if (r == 0)
        r = measure_theirs(b, w, &server, &theirs, e);
    if (r < 0)
        return r;
    compare(b, w->name, "ffmpeg threads 16", &ours, &theirs, 0.6);
    explain(b, w, &ours, &theirs);
    const struct manner *best = find_best(b, w, &least);
    if (!best)
        return error_set(e, -EIO, "no tuned command works");
    (void)printf("%s: best tuned command: '%s … %s'\n", w->name, best->decoder,
                 best->encoder);
    compare(b, w->name, "ffmpeg tuned", &ours, &least, 1);
    return 0;
}

int bench_gpu_memory(struct bench *b, struct error *e)
{
    int r = 0;

    if (!card_insert(b, "gpu-memory"))
        return 0;
    for (size_t i = 0; i < sizeof(works) / sizeof(works[0]) && r == 0; i++)
        r = work_run(b, &works[i], e);
    card_remove();
    return r;
}
