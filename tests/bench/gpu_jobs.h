/*
 * gpu_jobs: what the GPU's cases work on.
 */
#ifndef BENCH_GPU_JOBS_H
#define BENCH_GPU_JOBS_H

#include <stddef.h>

#define GPU_RENDITIONS_MOST 3

struct bench;
struct error;
struct json_t;

/* One input, and what is to be made of it. */
struct gpu_work {
    const char *name; // in the report
    const char *clip;
    int heights[GPU_RENDITIONS_MOST]; // 0: no more
};

#define GPU_CLIP_1080 "counted.mp4" // H.264
#define GPU_CLIP_2160 "home.mp4"    // HEVC of 10 bits

/* Make the clip unless it is there. */
int gpu_make_clip(const struct bench *b, const char *clip, struct error *e);

size_t gpu_renditions(const struct gpu_work *w);

/* A job that does @w on a GPU or not at all, with outputs ours-@index-… in the
 * bench's folder; a new reference. */
struct json_t *gpu_job(const struct bench *b, const struct gpu_work *w,
                       size_t index);

#endif
