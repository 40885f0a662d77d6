/*
 * hwfault: what an error of libav's on a device means for the next attempt.
 *
 * NVENC answers a session too many as it answers a lack of memory, and libav
 * passes on a code that means several things; its log line and the memory that
 * is free tell them apart. Pure.
 */
#ifndef MEDIA_HWFAULT_H
#define MEDIA_HWFAULT_H

#include <stdint.h>

#include "model/outcome.h"

#define HWFAULT_MEMORY_UNKNOWN (-1)

struct hwfault {
    enum outcome outcome;
    enum outcome_part part;
};

/*
 * @part was at work when @code (-errno) came back; @line is the last that libav
 * said in this thread, "" for none; @free_memory in bytes.
 */
struct hwfault hwfault_classify(enum outcome_part part, int code,
                                const char *line, int64_t free_memory);

#endif
