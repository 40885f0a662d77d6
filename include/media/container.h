/*
 * container: the output formats as rows of a table.
 */
#ifndef MEDIA_CONTAINER_H
#define MEDIA_CONTAINER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libavcodec/codec_id.h>

#include "model/job.h"

struct container {
    enum job_format format;
    const char *muxer;            // libav's name
    unsigned hevc_tag;            // what we encode; 0: libav's own
    bool index_in_front;          // where it is known only at the end
    const enum AVCodecID *codecs; // ended by NONE; NULL: what libav says
    const char *options[JOB_DELIVERY_COUNT]; // "name=value:…" of the muxer
    const char *options_of_sound; // of a growing one that has no pictures
    /* µs of media, after which a growing one is made to write what it holds.
     * 0: by itself it writes all of it or nothing, a fragment at a time. */
    int64_t flush_every;
};

/* NULL for JOB_FORMAT_BY_PATH. */
const struct container *container_find(enum job_format format);

/* Does it keep what all frames of a stream need in its header? */
bool container_wants_global_header(const struct container *c);

/* How many packets of a stream of @codec may it hold though it writes what it
 * has been given? */
size_t container_keeps_back(const struct container *c, enum AVCodecID codec);

/* Does it take streams of this codec? */
bool container_takes(const struct container *c, enum AVCodecID codec);

#endif
