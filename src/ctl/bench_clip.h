/*
 * bench_clip: the films that bench transcodes, made by the ffmpeg program, for
 * there is no encoder in transcodectl.
 */
#ifndef CTL_BENCH_CLIP_H
#define CTL_BENCH_CLIP_H

#include <stdint.h>

struct error;

struct bench_clip {
    const char *name;    // of its file
    const char *size;    // "3840x2160"
    const char *encoder; // ffmpeg's
};

#define BENCH_CLIP_RATE 25 // frames a second

/* Make @clip, @seconds long, in @folder: 0; -ENOENT without ffmpeg, -EINTR for
 * Ctrl-C, or -EIO when it cannot; with words. */
int bench_clip_make(const struct bench_clip *clip, const char *folder,
                    int64_t seconds, struct error *e);

#endif
