/*
 * survey_encoders: which of libav's NVENC encoders open here, with what.
 *
 * Sessions are what a card has least of, so one at a time is opened, each for
 * a moment.
 */
#ifndef MEDIA_SURVEY_ENCODERS_H
#define MEDIA_SURVEY_ENCODERS_H

#include <stdbool.h>
#include <stddef.h>

struct hwdevice;
struct survey_device;

/* Fills encoders of @ret, and its problems; sets is_partial where others hold
 * what it would have taken to know. *@ret_headers (@size bytes) is libav's API
 * where it shows: when it is newer than the driver's. True: the same driver and
 * libav will find the same again. */
bool survey_encoders(struct survey_device *ret, struct hwdevice *h,
                     char *ret_headers, size_t size);

#endif
