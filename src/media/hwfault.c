#include "media/hwfault.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

/* What a session takes at most before it has coded anything: with more than
 * that free, memory was not what was missing. */
#define SESSION_MEMORY (INT64_C(128) << 20)

// clang-format off
/* Words of libav, which has them from the driver. */
static const struct {
    const char *first;
    const char *then; // behind it in the line
    enum outcome outcome;
} lines[] = {
    {"OpenEncodeSessionEx failed", "(10)", OUTCOME_NO_SESSION},
    {"OpenEncodeSessionEx failed", "(21)", OUTCOME_NO_SESSION},
    {"CUDA_ERROR_OUT_OF_MEMORY",   "",     OUTCOME_NO_MEMORY},
    {"out of memory (10)",         "",     OUTCOME_NO_MEMORY},
    {"No decoder surfaces left",   "",     OUTCOME_NO_MEMORY},
};
// clang-format on

static bool says(const char *line, const char *first, const char *then)
{
    const char *at = strstr(line, first);

    return at && strstr(at, then);
}

static enum outcome outcome_of(int code, const char *line)
{
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        if (says(line, lines[i].first, lines[i].then))
            return lines[i].outcome;
    }
    return code == -ENOMEM ? OUTCOME_NO_MEMORY : OUTCOME_DEVICE_LOST;
}

struct hwfault hwfault_classify(enum outcome_part part, int code,
                                const char *line, int64_t free_memory)
{
    enum outcome outcome = outcome_of(code, line);

    if (outcome == OUTCOME_NO_SESSION && strstr(line, "(10)") &&
        free_memory >= 0 && free_memory < SESSION_MEMORY)
        outcome = OUTCOME_NO_MEMORY;
    return (struct hwfault){outcome, part};
}
