/*
 * media: jobs against the ffmpeg CLI with the same settings.
 */
#include "bench.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/error.h"
#include "base/memory.h"
#include "clip.h"
#include "process.h"
#include "service.h"

#define JOBS_MOST  4
#define PEERS_MOST 2

#define FFMPEG     "ffmpeg -nostdin -v error -y -i "
#define X264       " -c:v libx264 -preset veryfast -crf 23 -g 60"
#define AAC        " -c:a aac -b:a 128k -ac 2 -movflags +faststart "

enum cost { COST_WALL, COST_CPU, COST_RSS, COST_COUNT };

static const char *const cost_names[COST_COUNT] = {"wall", "cpu", "rss"};
static const char *const cost_units[COST_COUNT] = {"s", "s", "MiB"};

/* Someone who does the same work, and the ratios to reach; 0: not asked. */
struct peer {
    const char *name;
    const char *commands[JOBS_MOST];
    size_t command_count;
    double reach[COST_COUNT];
};

/* A file of ours, the same of theirs, and its size for PSNR. */
struct product {
    const char *ours;
    const char *theirs;
    const char *size;
};

struct contest {
    const char *name;
    const char *clip;
    size_t job_count;
    enum service_way way;
    json_t *(*job)(const struct bench *b, size_t index);
    struct peer peers[PEERS_MOST];
    size_t peer_count;
    struct product products[3]; // to compare; the rest NULL
};

/* What each side cost, run by run; the last row is ours. */
struct costs {
    double of[PEERS_MOST + 1][COST_COUNT][REPORT_SAMPLES_MOST];
};

static json_t *h264(const struct bench *b, const char *name, int height)
{
    char path[512];

    (void)snprintf(path, sizeof(path), "%s/%s", b->folder, name);
    return json_pack("{s:s, s:{s:s, s:i, s:s, s:i, s:i}}", "path", path,
                     "video", "codec", "h264", "max_height", height, "preset",
                     "veryfast", "quality", 23, "keyframe_frames", 60);
}

static json_t *job_of(const struct bench *b, const char *clip, json_t *outputs)
{
    char path[512];

    (void)snprintf(path, sizeof(path), "%s/%s", b->folder, clip);
    return json_pack("{s:b, s:s, s:{s:s}, s:o}", "overwrite", true, "hardware",
                     "none", "input", "path", path, "outputs", outputs);
}

static json_t *transcode_job(const struct bench *b, size_t index)
{
    (void)index;
    return job_of(b, CLIP_LONG, json_pack("[o]", h264(b, "ours.mp4", 720)));
}

static json_t *ladder_job(const struct bench *b, size_t index)
{
    (void)index;
    return job_of(b, CLIP_SHORT,
                  json_pack("[o, o, o]", h264(b, "ours-1080.mp4", 1080),
                            h264(b, "ours-720.mp4", 720),
                            h264(b, "ours-480.mp4", 480)));
}

static json_t *remux_of(const struct bench *b, const char *clip)
{
    char path[512];

    (void)snprintf(path, sizeof(path), "%s/ours-copy.mp4", b->folder);
    json_t *output =
        json_pack("{s:s, s:{s:s}, s:[{s:s}]}", "path", path, "video", "codec",
                  "copy", "audio", "codec", "copy");
    return job_of(b, clip, json_pack("[o]", output));
}

static json_t *remux_job(const struct bench *b, size_t index)
{
    (void)index;
    return remux_of(b, CLIP_STREAM);
}

static json_t *matroska_job(const struct bench *b, size_t index)
{
    (void)index;
    return remux_of(b, CLIP_MATROSKA);
}

static json_t *four_job(const struct bench *b, size_t index)
{
    static const char *const names[] = {"ours-0.mp4", "ours-1.mp4",
                                        "ours-2.mp4", "ours-3.mp4"};

    return job_of(b, CLIP_SHORT, json_pack("[o]", h264(b, names[index], 720)));
}

// clang-format off
static const struct contest transcode = {
    .name = "transcode",
    .clip = CLIP_LONG,
    .job_count = 1,
    .job = transcode_job,
    .peers = {{
        "ffmpeg",
        {FFMPEG CLIP_LONG " -vf scale=-2:720" X264 AAC "theirs.mp4"}, 1,
        {[COST_WALL] = 0.98, [COST_CPU] = 1.01, [COST_RSS] = 1.00}}},
    .peer_count = 1,
    .products = {{"ours.mp4", "theirs.mp4", "1280:720"}},
};

#define RUNG(label, height) \
    " -map " label " -map 0:a" X264 AAC "split-" height ".mp4"

static const struct contest ladder = {
    .name = "ladder",
    .clip = CLIP_SHORT,
    .job_count = 1,
    .job = ladder_job,
    .peers = {
        {"three ffmpeg",
         {FFMPEG CLIP_SHORT X264 AAC "theirs-1080.mp4",
          FFMPEG CLIP_SHORT " -vf scale=-2:720" X264 AAC "theirs-720.mp4",
          FFMPEG CLIP_SHORT " -vf scale=-2:480" X264 AAC "theirs-480.mp4"}, 3,
         {[COST_WALL] = 0.83, [COST_CPU] = 0.82}},
        {"ffmpeg with split",
         {FFMPEG CLIP_SHORT
          " -filter_complex [0:v]split=3[a][b][c];[b]scale=-2:720[d];"
          "[c]scale=-2:480[f]"
          RUNG("[a]", "1080") RUNG("[d]", "720") RUNG("[f]", "480")}, 1,
         {[COST_WALL] = 1.00}}},
    .peer_count = 2,
    .products = {{"ours-1080.mp4", "theirs-1080.mp4", "1920:1080"},
                 {"ours-720.mp4", "theirs-720.mp4", "1280:720"},
                 {"ours-480.mp4", "theirs-480.mp4", "854:480"}},
};

#define REMUX(label, source, function) { \
    .name = label, \
    .clip = source, \
    .job_count = 1, \
    .way = SERVICE_ATTACHED, \
    .job = function, \
    .peers = {{ \
        "ffmpeg -c copy", \
        {FFMPEG source " -c copy -movflags +faststart theirs-copy.mp4"}, 1, \
        {[COST_WALL] = 0.15}}}, \
    .peer_count = 1, \
    .products = {{"ours-copy.mp4", "theirs-copy.mp4", "1920:1080"}}, \
}

static const struct contest remux = REMUX("remux", CLIP_STREAM, remux_job);

/* Matroska knows no decoding times: libav looks for the reordering. */
static const struct contest matroska =
    REMUX("remux-mkv", CLIP_MATROSKA, matroska_job);

#define ONE_OF_FOUR(n) \
    FFMPEG CLIP_SHORT " -vf scale=-2:720" X264 AAC "theirs-" n ".mp4"

static const struct contest four = {
    .name = "four",
    .clip = CLIP_SHORT,
    .job_count = 4,
    .job = four_job,
    .peers = {{
        "four ffmpeg",
        {ONE_OF_FOUR("0"), ONE_OF_FOUR("1"), ONE_OF_FOUR("2"),
         ONE_OF_FOUR("3")}, 4,
        {[COST_WALL] = 1.00}}},
    .peer_count = 1,
    .products = {{"ours-3.mp4", "theirs-3.mp4", "1280:720"}},
};
// clang-format on

static int run_ours(struct bench *b, const struct service *s,
                    const struct contest *c, struct sample *ret,
                    struct error *e)
{
    json_t *jobs[JOBS_MOST];

    for (size_t i = 0; i < c->job_count; i++)
        jobs[i] = c->job(b, i);
    int r = service_run(s, ret, jobs, c->job_count, c->way, e);
    for (size_t i = 0; i < c->job_count; i++)
        json_decref(jobs[i]);
    return r;
}

static void keep(double of[COST_COUNT][REPORT_SAMPLES_MOST], size_t run,
                 const struct sample *s)
{
    of[COST_WALL][run] = s->wall;
    of[COST_CPU][run] = s->cpu;
    of[COST_RSS][run] = s->rss / (1 << 20);
}

/* Each run of all sides begins with another one. */
static int run_sides(struct bench *b, const struct service *s,
                     const struct contest *c, struct costs *costs, size_t run,
                     struct error *e)
{
    const size_t sides = c->peer_count + 1;
    int r = 0;

    for (size_t i = 0; i < sides && r == 0; i++) {
        size_t side = (i + run) % sides;
        struct sample sample;
        if (side == c->peer_count)
            r = run_ours(b, s, c, &sample, e);
        else
            r = process_run(&sample, b->folder, c->peers[side].commands,
                            c->peers[side].command_count, e);
        if (r == 0)
            keep(costs->of[side], run, &sample);
    }
    return r;
}

static void report_costs(struct bench *b, const struct contest *c,
                         const struct costs *costs)
{
    for (size_t i = 0; i < c->peer_count; i++) {
        const struct peer *peer = &c->peers[i];
        for (int cost = 0; cost < COST_COUNT; cost++) {
            if (peer->reach[cost] <= 0)
                continue;
            report_pairs(
                b->report,
                &(struct report_measure){c->name, cost_names[cost], peer->name,
                                         cost_units[cost], REPORT_AT_MOST,
                                         peer->reach[cost]},
                costs->of[c->peer_count][cost], costs->of[i][cost], b->pairs);
        }
    }
}

static int report_product(struct bench *b, const struct contest *c,
                          const struct product *p, struct error *e)
{
    long frames[2];
    double psnr[2];
    const char *const names[] = {p->ours, p->theirs};

    for (int i = 0; i < 2; i++) {
        int r = clip_frames(&frames[i], b->folder, names[i], e);
        if (r == 0)
            r = clip_psnr(&psnr[i], b->folder, names[i], c->clip, p->size, e);
        if (r < 0)
            return r;
    }
    report_difference(b->report,
                      &(struct report_measure){c->name, "frames", p->theirs, "",
                                               REPORT_AT_MOST, 0},
                      (double)frames[0], (double)frames[1]);
    report_difference(b->report,
                      &(struct report_measure){c->name, "psnr", p->theirs, "dB",
                                               REPORT_AT_MOST, 0.1},
                      psnr[0], psnr[1]);
    return 0;
}

static int hold(struct bench *b, const struct service *s,
                const struct contest *c, struct error *e)
{
    struct costs *costs = xcalloc(1, sizeof(*costs));
    struct sample unused;

    int r = run_ours(b, s, c, &unused, e); // warms the caches
    for (size_t i = 0; i < b->pairs && r == 0; i++)
        r = run_sides(b, s, c, costs, i, e);
    if (r == 0)
        report_costs(b, c, costs);
    free(costs);
    for (size_t i = 0; i < 3 && c->products[i].ours && r == 0; i++)
        r = report_product(b, c, &c->products[i], e);
    return r;
}

static int contest_run(struct bench *b, const struct contest *c,
                       struct error *e)
{
    struct service *s = NULL;

    int r = clip_make(b->folder, c->clip, e);
    if (r == 0)
        r = service_start(&s, NULL, b->build, b->folder, NULL, e);
    if (r == 0)
        r = hold(b, s, c, e);
    service_stop(s);
    return r;
}

int bench_transcode(struct bench *b, struct error *e)
{
    return contest_run(b, &transcode, e);
}

int bench_ladder(struct bench *b, struct error *e)
{
    return contest_run(b, &ladder, e);
}

int bench_remux(struct bench *b, struct error *e)
{
    return contest_run(b, &remux, e);
}

int bench_matroska(struct bench *b, struct error *e)
{
    return contest_run(b, &matroska, e);
}

int bench_four(struct bench *b, struct error *e)
{
    return contest_run(b, &four, e);
}
