/*
 * bench: transcoded side by side with the ffmpeg CLI, and under load.
 *
 * BENCH_PAIRS  runs of each case, 7
 * BENCH_ONLY   names of cases, with commas between them
 * BENCH_JSON   also write the figures there
 * BENCH_GPU    "stand-in": gpu-speed on the stand-in, to see that it works
 * BENCH_CLIPS  a folder to keep clips in, on TMPDIR's file system
 */
#include <errno.h>
#include <ftw.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "bench.h"

static const struct {
    const char *name;
    bench_case *run;
} cases[] = {
    {"transcode", bench_transcode},
    {"ladder", bench_ladder},
    {"remux", bench_remux},
    {"remux-mkv", bench_matroska},
    {"four", bench_four},
    {"submit", bench_submit},
    {"slow-disk", bench_slow_disk},
    {"many", bench_many},
    {"gpu", bench_gpu},
    {"gpu-memory", bench_gpu_memory},
    {"gpu-setup", bench_gpu_setup},
    {"gpu-speed", bench_gpu_speed},
    {"sandbox", bench_sandbox},
};

static bool is_wanted(const char *name)
{
    const char *only = getenv("BENCH_ONLY");
    const size_t length = strlen(name);

    if (!only || !*only)
        return true;
    for (const char *p = only; (p = strstr(p, name)); p += length) {
        bool begins = p == only || p[-1] == ',';
        if (begins && (p[length] == ',' || p[length] == '\0'))
            return true;
    }
    return false;
}

static int remove_entry(const char *path, const struct stat *st, int type,
                        struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

/* The programs lie two folders above this one. */
static int find_build(struct bench *b)
{
    char self[PATH_MAX];

    ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (length < 0)
        return -errno;
    self[length] = '\0';
    const char *folder = dirname(dirname(dirname(self)));
    (void)snprintf(b->build, sizeof(b->build), "%s", folder);
    return 0;
}

static int begin(struct bench *b, struct error *e)
{
    const char *base = getenv("TMPDIR");
    const char *pairs = getenv("BENCH_PAIRS");
    int64_t count = 7;

    if (pairs && (text_parse_integer(pairs, &count) < 0 || count < 1 ||
                  count > REPORT_SAMPLES_MOST))
        return error_set(e, -EINVAL, "BENCH_PAIRS is none of 1 to %d: '%s'",
                         REPORT_SAMPLES_MOST, pairs);
    b->pairs = (size_t)count;
    int r = find_build(b);
    if (r < 0)
        return error_set_errno(e, r, "cannot find the programs");
    (void)snprintf(b->folder, sizeof(b->folder), "%s/bench-XXXXXX",
                   base ? base : "/tmp");
    if (!mkdtemp(b->folder))
        return error_set_errno(e, -errno, "cannot make '%s'", b->folder);
    b->report = report_create();
    return 0;
}

/* Each case begins with an empty store. */
static void forget_state(const struct bench *b)
{
    char state[300];

    (void)snprintf(state, sizeof(state), "%s/state", b->folder);
    (void)nftw(state, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

/* What the daemon said last, where a case could not be run. */
static void show_log(const struct bench *b)
{
    char line[512];
    char path[300];

    (void)snprintf(path, sizeof(path), "%s/daemon.log", b->folder);
    FILE *log = fopen(path, "re");
    while (log && fgets(line, sizeof(line), log))
        (void)fprintf(stderr, "  %s", line);
    if (log)
        (void)fclose(log);
}

static int run_cases(struct bench *b)
{
    int failed = 0;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error e = {0};
        if (!is_wanted(cases[i].name))
            continue;
        int r = cases[i].run(b, &e);
        report_print(b->report);
        forget_state(b);
        if (r < 0) {
            (void)fprintf(stderr, "%s: %s\n", cases[i].name, e.text);
            show_log(b);
            failed++;
        }
    }
    return failed;
}

int main(void)
{
    const char *json = getenv("BENCH_JSON");
    struct bench b = {0};
    struct error e;

    (void)signal(SIGPIPE, SIG_IGN);
    if (begin(&b, &e) < 0) {
        (void)fprintf(stderr, "bench: %s\n", e.text);
        return 2;
    }
    int failed = run_cases(&b);
    if (json && *json && report_write(b.report, json) < 0) {
        (void)fprintf(stderr, "bench: cannot write '%s'\n", json);
        failed++;
    }
    (void)printf("value: the median of the pairs' ratios, ours by theirs; of "
                 "frames and PSNR the\ndistance; else the median measured. "
                 "%d figures not reached\n",
                 report_missed(b.report));
    report_destroy(b.report);
    (void)nftw(b.folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    return failed > 0;
}
