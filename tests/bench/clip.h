/*
 * clip: what the cases work on, and how good their outputs are.
 */
#ifndef BENCH_CLIP_H
#define BENCH_CLIP_H

struct error;

#define CLIP_LONG     "long.mp4"   // 10 s, 8 Mbit/s
#define CLIP_SHORT    "short.mp4"  // 5 s, 8 Mbit/s
#define CLIP_STREAM   "stream.mp4" // 10 s at the 4 Mbit/s of a streaming site
#define CLIP_MATROSKA "stream.mkv" // the same in another container

/*
 * Make the clip @name in @folder unless it is there: 1920x1080 at 30 frames a
 * second, turning and zooming, with the noise of a camera, H.264 and AAC.
 * Encoders find it hard, as they do real films. Takes it from the folder
 * BENCH_CLIPS, and keeps it there, if the environment names one.
 */
int clip_make(const char *folder, const char *name, struct error *e);

/* Frames of the first video of the file @name. */
int clip_frames(long *ret, const char *folder, const char *name,
                struct error *e);

/* PSNR in dB of @name against @clip scaled to the same @width and @height. */
int clip_psnr(double *ret, const char *folder, const char *name,
              const char *clip, const char *size, struct error *e);

#endif
