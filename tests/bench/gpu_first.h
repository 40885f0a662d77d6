/*
 * gpu_first: how long it takes from asking until there is a picture.
 */
#ifndef BENCH_GPU_FIRST_H
#define BENCH_GPU_FIRST_H

#include "report.h"

struct bench;
struct error;
struct gpu_work;
struct service;

/*
 * A job of one picture, from Submit until it is done, by a worker that stood
 * ready, beside an ffmpeg command from its start to its end: both outputs are
 * whole. @theirs is what the command makes of its decoded picture, up to its
 * output's options.
 */
int gpu_first(struct bench *b, const struct service *s,
              const struct gpu_work *w, const char *theirs,
              enum report_goal goal, struct error *e);

#endif
