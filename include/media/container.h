/*
 * container: the output formats as rows of a table.
 */
#ifndef MEDIA_CONTAINER_H
#define MEDIA_CONTAINER_H

#include <stdbool.h>

#include <libavcodec/codec_id.h>

#include "model/job.h"

struct container {
    enum job_format format;
    const char *muxer;                       // libav's name
    const char *options[JOB_DELIVERY_COUNT]; // "name=value:…" of the muxer
};

/* NULL for JOB_FORMAT_BY_PATH. */
const struct container *container_find(enum job_format format);

/* Does it take streams of this codec? */
bool container_takes(const struct container *c, enum AVCodecID codec);

#endif
