/*
 * seek: to a key frame from which a time can be reached.
 *
 * Containers with an index lead to a key frame by themselves; others (MPEG-TS)
 * lead to any packet near a time, and pictures up to the next key frame would
 * be lost.
 */
#ifndef MEDIA_SEEK_H
#define MEDIA_SEEK_H

#include <stdint.h>

struct AVFormatContext;

/*
 * Go where the next packets hold a key frame of the first video stream that is
 * not discarded, at or before @time (µs of the input's own clock); or to the
 * beginning when there is none. Without video, near @time. 0 or -errno.
 */
int seek_to_key(struct AVFormatContext *format, int64_t time);

#endif
