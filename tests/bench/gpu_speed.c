/*
 * gpu-speed: decoding and scaling on a real NVIDIA card beside ffmpeg, one
 * stream and eight, and how soon the first picture is there. Most cards of
 * data centres have no encoder, so that what comes out is dropped on both sides.
 *
 * BENCH_GPU=stand-in runs it on the stand-in instead, which shows that it works,
 * and nothing else.
 */
#include "bench.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/error.h"
#include "base/memory.h"
#include "card.h"
#include "clip.h"
#include "gpu_first.h"
#include "gpu_jobs.h"
#include "process.h"
#include "service.h"

#define NAME         "gpu-speed"
#define STREAMS_MOST 8
#define PAIRS_MOST   3
// so that starting is little of it; the stand-in is only to show that it works
#define MANY "-stream_loop 40"
#define FEW  "-t 0.2"

/* What the card is. */
enum card { CARD_NONE, CARD_REAL, CARD_STAND_IN };

static const struct {
    struct gpu_work work; // its clip, scaled to its first height
    const char *film;     // the clip, many times
    int width;
    const char *cuvid; // libav's decoder that scales by itself
} films[] = {
    {{"gpu-1080p", GPU_CLIP_1080, {720}}, "film-1080.mp4", 1280, "h264_cuvid"},
    {{"gpu-4k", GPU_CLIP_2160, {1080}}, "film-2160.mp4", 1920, "hevc_cuvid"},
};

enum { FILMS = sizeof(films) / sizeof(films[0]) };

static const struct {
    int streams;
    const char *what; // in the report
} crowds[] = {
    {1, "fps, one"},
    {STREAMS_MOST, "fps, eight"},
};

static char *trim(char *text)
{
    text[strcspn(text, "\n")] = '\0';
    return text;
}

/* A real one needs its node, and a driver that starts. */
static enum card find_card(const struct bench *b)
{
    const char *wanted = getenv("BENCH_GPU");
    char *command = xasprintf("%s/tests/bench/pictures", b->build);
    char *words = NULL;
    struct error e = {0};
    enum card card = CARD_NONE;

    if (wanted && strcmp(wanted, "stand-in") == 0) {
        card = card_insert(b, NAME) ? CARD_STAND_IN : CARD_NONE;
        (void)puts(NAME ": on the stand-in: these times mean nothing");
    } else if (access("/dev/nvidia0", R_OK | W_OK) < 0) {
        (void)puts(NAME ": skipped: there is no NVIDIA card here "
                        "(/dev/nvidia0)");
    } else if (process_output(&words, b->folder, command, &e) < 0) {
        (void)printf(NAME ": skipped: %s\n", trim(e.text));
    } else {
        (void)printf(NAME ": on %s\n", trim(words));
        card = CARD_REAL;
    }
    free(words);
    free(command);
    return card;
}

static int make_film(const struct bench *b, size_t film, enum card card,
                     struct error *e)
{
    char *command = xasprintf("ffmpeg -nostdin -v error -y %s -i %s -c copy %s",
                              card == CARD_REAL ? MANY : FEW,
                              films[film].work.clip, films[film].film);
    const char *const commands[] = {command};
    struct sample unused;

    int r = gpu_make_clip(b, films[film].work.clip, e);
    if (r == 0)
        r = process_run(&unused, b->folder, commands, 1, e);
    free(command);
    return r;
}

/* Frames a second of @count processes that run @command at once. */
static int measure_rate(const struct bench *b, const char *command, int count,
                        long frames, double *ret, struct error *e)
{
    const char *commands[STREAMS_MOST];
    struct sample cost;

    for (int i = 0; i < count; i++)
        commands[i] = command;
    int r = process_run(&cost, b->folder, commands, (size_t)count, e);
    if (r == 0)
        *ret = (double)frames * count / cost.wall;
    return r;
}

struct match {
    const char *ours;
    const char *theirs;
    const char *peer;
    const char *what;
    int streams;
    long frames;
};

static int play(struct bench *b, size_t film, enum card card,
                const struct match *m, struct error *e)
{
    double ours[PAIRS_MOST];
    double theirs[PAIRS_MOST];
    size_t count = b->pairs < PAIRS_MOST ? b->pairs : PAIRS_MOST;
    const struct report_measure measure = {films[film].work.name,
                                           m->what,
                                           m->peer,
                                           "1/s",
                                           card == CARD_REAL ? REPORT_AT_LEAST
                                                             : REPORT_SHOWN,
                                           1};
    int r = 0;

    for (size_t i = 0; i < count && r == 0; i++) {
        r = measure_rate(b, m->ours, m->streams, m->frames, &ours[i], e);
        if (r == 0)
            r = measure_rate(b, m->theirs, m->streams, m->frames, &theirs[i],
                             e);
    }
    if (r == 0)
        report_pairs(b->report, &measure, ours, theirs, count);
    return r;
}

/* A decoder that this ffmpeg or this card lacks is told, and is no failure. */
static int play_against(struct bench *b, size_t film, enum card card,
                        struct match m, const char *peer, const char *theirs,
                        struct error *e)
{
    m.peer = peer;
    m.theirs = theirs;
    for (size_t i = 0; i < sizeof(crowds) / sizeof(crowds[0]); i++) {
        m.streams = crowds[i].streams;
        m.what = crowds[i].what;
        int r = play(b, film, card, &m, e);
        if (r < 0) {
            (void)printf("%s: against %s skipped: %s\n", films[film].work.name,
                         peer, e->text);
            return 0;
        }
    }
    return 0;
}

static int run_film(struct bench *b, size_t film, enum card card,
                    struct error *e)
{
    const char *clip = films[film].film;
    int width = films[film].width;
    int height = films[film].work.heights[0];
    char *hwaccel = xasprintf(
        "ffmpeg -nostdin -v error -hwaccel cuda -hwaccel_output_format cuda "
        "-i %s -an -vf scale_cuda=%d:%d:format=nv12 -f null -",
        clip, width, height);
    char *cuvid = xasprintf(
        "ffmpeg -nostdin -v error -hwaccel cuda -hwaccel_output_format cuda "
        "-c:v %s -resize %dx%d -i %s -an -f null -",
        films[film].cuvid, width, height, clip);
    char *ours = NULL;
    struct match m = {0};

    int r = make_film(b, film, card, e);
    if (r == 0)
        r = clip_frames(&m.frames, b->folder, clip, e);
    m.ours = ours = xasprintf("%s/tests/bench/pictures %s %d %d %ld", b->build,
                              clip, width, height, m.frames);
    if (r == 0)
        r = play_against(b, film, card, m, "ffmpeg -hwaccel", hwaccel, e);
    if (r == 0)
        r = play_against(b, film, card, m, "ffmpeg cuvid", cuvid, e);
    free(ours);
    free(hwaccel);
    free(cuvid);
    return r;
}

/* Has the service's card an encoder? */
static bool encodes(const struct service *s)
{
    json_t *reply = NULL;
    struct error e;

    bool there =
        service_call(s, &reply, "Devices", NULL, &e) == 0 &&
        json_array_size(json_object_get(
            json_object_get(
                json_array_get(json_object_get(reply, "devices"), 1), "gpu"),
            "encoders")) > 0;
    json_decref(reply);
    return there;
}

static int run_first(struct bench *b, enum card card, struct error *e)
{
    struct service *s = NULL;

    int r = service_start(&s, NULL, b->build, b->folder, NULL, e);
    if (r == 0)
        r = card_wait(s, e);
    if (r == 0)
        r = gpu_first(b, s, &films[0].work,
                      encodes(s)
                          ? "-vf scale_cuda=1280:720 -c:v h264_nvenc"
                          : "-vf scale_cuda=1280:720:format=nv12,hwdownload,"
                            "format=nv12 -c:v libx264",
                      card == CARD_REAL ? REPORT_AT_MOST : REPORT_SHOWN, e);
    service_stop(s);
    return r;
}

int bench_gpu_speed(struct bench *b, struct error *e)
{
    enum card card = find_card(b);
    int r = 0;

    if (card == CARD_NONE)
        return 0;
    for (size_t i = 0; i < FILMS && r == 0; i++)
        r = run_film(b, i, card, e);
    if (r == 0)
        r = run_first(b, card, e);
    if (card == CARD_STAND_IN)
        card_remove();
    return r;
}
