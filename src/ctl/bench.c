#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "bench_clip.h"
#include "bench_crowd.h"

enum clip { CLIP_2160P, CLIP_1080P, CLIP_COUNT };

static const struct bench_clip clips[CLIP_COUNT] = {
    [CLIP_2160P] = {"2160p.mkv", "3840x2160", "libx265"},
    [CLIP_1080P] = {"1080p.mkv", "1920x1080", "libx264"},
};

const struct bench_test bench_tests[] = {
    {"2160p-hevc-to-1080p-h264", "4K HEVC to 1080p H.264", "fps"},
    {"1080p-h264-to-720p-h264", "1080p H.264 to 720p H.264", "fps"},
    {"1080p-h264-to-720p-h264-streams", "the latter, streams in real time",
     "streams"},
};
const size_t bench_test_count = sizeof(bench_tests) / sizeof(bench_tests[0]);

// What each test does, in the same order.
static const struct {
    enum clip clip;
    int height;
    bool counts_streams;
} recipes[] = {
    {CLIP_2160P, 1080, false},
    {CLIP_1080P, 720, false},
    {CLIP_1080P, 720, true},
};

int bench_prepare(const struct bench_config *c, struct error *e)
{
    for (size_t i = 0; i < CLIP_COUNT; i++) {
        int r = bench_clip_make(&clips[i], c->folder, c->seconds, e);
        if (r < 0)
            return r;
    }
    return 0;
}

static char *output_path(const struct bench_config *c, size_t index)
{
    return xasprintf("%s/result-%zu.mp4", c->folder, index);
}

void bench_tidy(const struct bench_config *c)
{
    for (size_t i = 0; i < CLIP_COUNT; i++) {
        char *path = xasprintf("%s/%s", c->folder, clips[i].name);
        (void)unlink(path);
        free(path);
    }
}

static json_t *make_job(const struct bench_config *c, size_t test,
                        enum bench_side side, size_t index)
{
    char *input = xasprintf("%s/%s", c->folder, clips[recipes[test].clip].name);
    char *output = output_path(c, index);
    json_t *job =
        json_pack("{s:s, s:s?, s:b, s:{s:s}, s:[{s:s, s:{s:s, s:i}, s:[]}]}",
                  "hardware", side == BENCH_GPU ? "require" : "none", "device",
                  side == BENCH_GPU ? c->gpu : NULL, "overwrite", 1, "input",
                  "path", input, "outputs", "path", output, "video", "codec",
                  "h264", "max_height", recipes[test].height, "audio");

    free(input);
    free(output);
    return job;
}

/* @count streams of @test at the same time. */
static enum status run(const struct bench_config *c, size_t test,
                       enum bench_side side, size_t count,
                       struct bench_member *ret, struct error *e)
{
    json_t *jobs[BENCH_CROWD_MOST] = {0};

    for (size_t i = 0; i < count; i++)
        jobs[i] = make_job(c, test, side, i);
    enum status s = bench_crowd_run(c->socket, jobs, count, ret, e);
    for (size_t i = 0; i < count; i++) {
        char *output = output_path(c, i);
        (void)unlink(output);
        free(output);
        json_decref(jobs[i]);
    }
    return s;
}

static void give_up(struct bench_figure *ret, const struct bench_member *m)
{
    ret->value = -1;
    (void)snprintf(ret->text, sizeof(ret->text), "%s",
                   m->text[0] ? m->text : "the job was not accepted");
}

static enum status measure_speed(const struct bench_config *c, size_t test,
                                 enum bench_side side, struct bench_figure *ret,
                                 struct error *e)
{
    struct bench_member m;
    enum status s = run(c, test, side, 1, &m, e);

    if (s != STATUS_GOOD)
        return s;
    if (m.is_done && m.ended > m.ready)
        ret->value =
            (double)m.frames * (double)SECOND / (double)(m.ended - m.ready);
    else
        give_up(ret, &m);
    return s;
}

/*
 * Were all of them as fast as one watches? Time counts from the first one's
 * first frame: who has to wait for others is not in real time.
 */
static bool keep_up(const struct bench_config *c,
                    const struct bench_member *members, size_t count)
{
    int64_t first = INT64_MAX;

    for (size_t i = 0; i < count; i++) {
        if (!members[i].is_done)
            return false;
        if (members[i].ready < first)
            first = members[i].ready;
    }
    for (size_t i = 0; i < count; i++) {
        if (members[i].ended - first > c->seconds * SECOND)
            return false;
    }
    return true;
}

static enum status count_streams(const struct bench_config *c, size_t test,
                                 enum bench_side side, double alone,
                                 struct bench_figure *ret, struct error *e)
{
    struct bench_member members[BENCH_CROWD_MOST];
    int64_t most = c->streams;
    int64_t count = (int64_t)(alone / BENCH_CLIP_RATE);
    bool fell_short = false;

    if (count > most)
        count = most;
    if (count < 1)
        count = 1;
    ret->value = 0;
    while (count >= 1 && count <= most) {
        enum status s = run(c, test, side, (size_t)count, members, e);
        if (s != STATUS_GOOD)
            return s;
        bool kept_up = keep_up(c, members, (size_t)count);
        if (kept_up)
            ret->value = (double)count;
        if (kept_up && fell_short)
            break;
        if (!kept_up && ret->value > 0)
            break;
        fell_short = !kept_up;
        count += kept_up ? 1 : -1;
    }
    return STATUS_GOOD;
}

enum status bench_measure(const struct bench_config *c, size_t test,
                          enum bench_side side, double alone,
                          struct bench_figure *ret, struct error *e)
{
    *ret = (struct bench_figure){.value = -1};
    if (!recipes[test].counts_streams)
        return measure_speed(c, test, side, ret, e);
    if (alone >= 0)
        return count_streams(c, test, side, alone, ret, e);
    (void)snprintf(ret->text, sizeof(ret->text), "not even one could be done");
    return STATUS_GOOD;
}
