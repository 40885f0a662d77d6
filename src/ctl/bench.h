/*
 * bench: how fast this machine transcodes, on its GPU and on its CPU. What is
 * measured, by whom it is told (command_bench.c) aside.
 */
#ifndef CTL_BENCH_H
#define CTL_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status.h"

struct error;

enum bench_side { BENCH_GPU, BENCH_CPU, BENCH_SIDE_COUNT };

/* One number, or why there is none. */
struct bench_figure {
    double value;   // < 0: none
    char text[160]; // why not
};

struct bench_test {
    const char *name;  // as device profiles call it
    const char *title; // for people
    const char *unit;
};

extern const struct bench_test bench_tests[];
extern const size_t bench_test_count;

struct bench_config {
    const char *socket; // of the service; NULL: as always
    const char *folder; // for clips and results
    const char *gpu;    // id, that is measured
    int64_t seconds;    // of a clip
    int64_t streams;    // at most at the same time
};

/* Make the clips. 0 or -errno with words, see bench_clip.h. */
int bench_prepare(const struct bench_config *c, struct error *e);

/* Measure test @test on @side. What fails is a figure without a value; else
 * STATUS_INTERRUPTED, or what bench_crowd_run() says, with words. The speed of
 * a stream alone (a test before) tells where the count of streams begins:
 * @alone, in frames a second. */
enum status bench_measure(const struct bench_config *c, size_t test,
                          enum bench_side side, double alone,
                          struct bench_figure *ret, struct error *e);

/* Takes the clips away. */
void bench_tidy(const struct bench_config *c);

#endif
