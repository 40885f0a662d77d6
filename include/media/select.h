/*
 * select: which stream of an input a track of an output takes.
 */
#ifndef MEDIA_SELECT_H
#define MEDIA_SELECT_H

#include <stdint.h>

#include "media/info.h"

struct error;

/*
 * The stream of @kind: number @wanted of the input, or with JOB_UNSET the one
 * that ffmpeg picks: the video with the most pixels, the audio with the most
 * channels, one that is marked as the default before all others; the first
 * among equals; of subtitles the first that is text. Attached pictures are no video.
 *
 * The index, -ENOENT when there is none of this kind, or -EINVAL when @wanted
 * is no such stream.
 */
int select_stream(const struct media_info *info, enum media_kind kind,
                  int64_t wanted, struct error *e);

/*
 * The attached picture that a copy of "the video" means: stream @wanted when it
 * is one, or with JOB_UNSET the first one of an input without other video. -1
 * when none is meant.
 */
int select_cover(const struct media_info *info, int64_t wanted);

#endif
