/*
 * hwfault: what an error of libav's on a device means for the next attempt.
 *
 * A device that does not take one stream, or one job's settings, is well: that
 * is bad_input or bad_request of a part, and others may go on with it. A device
 * that fails is lost, and kept from others.
 *
 * NVENC answers a session too many as it answers a lack of memory, and libav
 * passes on a code that means several things; its log line and the memory that
 * is free tell them apart. Pure.
 */
#ifndef MEDIA_HWFAULT_H
#define MEDIA_HWFAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "model/outcome.h"

#define HWFAULT_MEMORY_UNKNOWN (-1)

struct hwfault {
    enum outcome outcome;
    enum outcome_part part;
};

/*
 * @part was at work when @code (-errno) came back; @line is what libav said of it
 * in this thread, a line or several, "" for none; @free_memory in bytes, and
 * unknown where the device does not answer any more.
 */
struct hwfault hwfault_classify(enum outcome_part part, int code,
                                const char *line, int64_t free_memory);

/*
 * Does @line, the name of what said it in front, come of a driver's refusal?
 * That is for whoever keeps the machine. A client whose job goes on elsewhere
 * is told so in our words, and whatever failed for good is in its outcome.
 */
bool hwfault_is_told_by(const char *line);

#endif
