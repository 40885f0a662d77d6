/*
 * survey_filters: which of libav's filters on CUDA's frames run here. Running
 * them also has the driver compile their kernels, and keep that for workers
 * (CUDA_CACHE_PATH).
 */
#ifndef MEDIA_SURVEY_FILTERS_H
#define MEDIA_SURVEY_FILTERS_H

#include <stdbool.h>

struct hwdevice;
struct survey_device;

/* Fills filters of @ret, and says in its problems what did not run; sets
 * is_partial where others held the memory. True: the same driver and libav will
 * find the same again. */
bool survey_filters(struct survey_device *ret, struct hwdevice *h);

#endif
