/*
 * survey_decoders: which codecs, depths and chroma formats NVDEC takes here
 * and libav's own decoders (nvdec, not the *_cuvid ones) hand to it.
 */
#ifndef MEDIA_SURVEY_DECODERS_H
#define MEDIA_SURVEY_DECODERS_H

#include <stdbool.h>

struct hwdevice;
struct survey_device;

/* Fills decoders of @ret, and says in its problems why there are none. True:
 * the same driver and libav will find the same again. */
bool survey_decoders(struct survey_device *ret, struct hwdevice *h);

#endif
