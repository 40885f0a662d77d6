/*
 * bench: the cases and what they share.
 */
#ifndef BENCH_BENCH_H
#define BENCH_BENCH_H

#include <stddef.h>

#include "report.h"

struct error;

struct bench {
    char folder[256]; // ours, for clips, outputs and state; removed at the end
    char build[256];  // where the programs lie
    size_t pairs;     // to run of each case
    struct report *report; // owned
};

/* 0, or -errno when it could not be measured. */
typedef int bench_case(struct bench *b, struct error *e);

// media.c
bench_case bench_transcode;
bench_case bench_ladder;
bench_case bench_remux;
bench_case bench_matroska;
bench_case bench_four;
// jobs.c
bench_case bench_submit;
bench_case bench_slow_disk;
bench_case bench_many;
// gpu.c
bench_case bench_gpu;
// gpu_memory.c
bench_case bench_gpu_memory;
// gpu_setup.c
bench_case bench_gpu_setup;
// gpu_speed.c
bench_case bench_gpu_speed;
// sandbox.c
bench_case bench_sandbox;

#endif
