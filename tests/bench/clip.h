/*
 * clip: what the cases work on, and how good their outputs are.
 */
#ifndef BENCH_CLIP_H
#define BENCH_CLIP_H

struct error;

#define CLIP_LONG  "long.mkv"  // 10 s
#define CLIP_SHORT "short.mkv" // 5 s

/*
 * Make the clip @name in @folder unless it is there: 1920x1080 at 30 frames a
 * second, turning and zooming, with the noise of a camera, H.264 at 8 Mbit/s
 * and AAC. Encoders find it hard, as they do real films.
 */
int clip_make(const char *folder, const char *name, struct error *e);

/* Frames of the first video of the file @name. */
int clip_frames(long *ret, const char *folder, const char *name,
                struct error *e);

/* PSNR in dB of @name against @clip scaled to the same @width and @height. */
int clip_psnr(double *ret, const char *folder, const char *name,
              const char *clip, const char *size, struct error *e);

#endif
