/*
 * absence: encoders, decoders and filters that jobs may need and that this
 * build of libav lacks.
 */
#ifndef MEDIA_ABSENCE_H
#define MEDIA_ABSENCE_H

#include <stddef.h>

struct diagnosis_absence;

/* How many there are; the first @room of them are in @ret. */
size_t absence_find(struct diagnosis_absence *ret, size_t room);

#endif
