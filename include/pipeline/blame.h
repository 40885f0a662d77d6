/*
 * blame: a stage's failure that is a device's.
 */
#ifndef PIPELINE_BLAME_H
#define PIPELINE_BLAME_H

#include "model/outcome.h"

struct error;
struct hwdevice;
struct stage;

/*
 * Stage @s failed with @code while @part of @device was at work: make that its
 * outcome, by what libav said in this thread, which is added to the words.
 * -EPIPE and -ECANCELED are nobody's fault. Returns @code.
 */
int blame_device(struct stage *s, const struct hwdevice *device,
                 enum outcome_part part, int code, struct error *e);

#endif
