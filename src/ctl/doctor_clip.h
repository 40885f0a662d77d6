/*
 * doctor_clip: a film without any encoder: moving colours, a YUV4MPEG2 file.
 */
#ifndef CTL_DOCTOR_CLIP_H
#define CTL_DOCTOR_CLIP_H

#define DOCTOR_CLIP_FRAMES 25 // one second

struct error;

/* Make the file @path. 0, or -errno with words. */
int doctor_clip_write(const char *path, struct error *e);

#endif
