/*
 * survey_filters: which of libav's filters on CUDA's frames run here. Running
 * them also has the driver compile their kernels, and keep that for workers
 * (CUDA_CACHE_PATH).
 */
#ifndef MEDIA_SURVEY_FILTERS_H
#define MEDIA_SURVEY_FILTERS_H

struct hwdevice;
struct survey_device;

/* Fills filters of @ret. */
void survey_filters(struct survey_device *ret, struct hwdevice *h);

#endif
