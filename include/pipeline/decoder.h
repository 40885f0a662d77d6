/*
 * decoder: packets of one stream → frames, sent to every output of the stage.
 *
 * On a device it yields that device's pictures or ends: what was planned is not
 * changed in silence. Damaged packets are survived and counted; an error of the
 * device is not, for the picture would be missing. Its frames have a timestamp; the
 * ones of sound count in samples, without the jitter of a coarse container.
 */
#ifndef PIPELINE_DECODER_H
#define PIPELINE_DECODER_H

#include <stdatomic.h>
#include <stddef.h>

struct error;
struct hwdevice;
struct source;
struct stage;

struct decoder_config {
    struct source *source; // not owned; read only while it is made
    size_t stream;
    int threads;                   // 0: as libav likes
    const struct hwdevice *device; // not owned; NULL: the CPU decodes
    int kept; // pictures of a device that filters keep while it decodes more
    atomic_llong *errors; // not owned; counted up
};

/* 0 or -errno with words. */
int decoder_create(struct stage **ret, const struct decoder_config *config,
                   struct error *e);

#endif
