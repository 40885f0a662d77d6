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
    // of a stream that its capabilities promise, and its decoder does not take
    {"cuvidCreateDecoder", "CUDA_ERROR_NOT_SUPPORTED", OUTCOME_BAD_INPUT},
    // all else that comes of the driver, whatever code libav makes of it
    {"CUDA_ERROR_",                "",     OUTCOME_DEVICE_LOST},
    {"OpenEncodeSessionEx failed", "",     OUTCOME_DEVICE_LOST},
    {"EncodePicture failed",       "",     OUTCOME_DEVICE_LOST},
    {"nvenc API version",          "",     OUTCOME_DEVICE_LOST},
    {"Cannot load ",               "",     OUTCOME_DEVICE_LOST},
};

/* Codes of what is asked for, not of a device that fails. */
static const int refusals[] = {-EINVAL, -ENOSYS, -ENOTSUP, -ERANGE};

/* Whose fault it is that a part does not take what it is given. */
static const enum outcome refused[OUTCOME_PART_COUNT] = {
    [OUTCOME_PART_NONE]   = OUTCOME_DEVICE_LOST,
    [OUTCOME_PART_DECODE] = OUTCOME_BAD_INPUT,
    [OUTCOME_PART_ENCODE] = OUTCOME_BAD_REQUEST,
    [OUTCOME_PART_DEVICE] = OUTCOME_BAD_INPUT,
};

/* How lines begin, or what is in them, that tell of drivers. */
static const struct {
    const char *begin;
    const char *within;
} tales[] = {
    {"h264_nvenc: ",           ""},
    {"hevc_nvenc: ",           ""},
    {"av1_nvenc: ",            ""},
    {"AVHWDeviceContext: ",    ""},
    {"AVHWFramesContext: ",    ""},
    {"",                       "failed -> CUDA_ERROR_"},
    {"",                       "hwaccel initialisation returned error"},
    {"",                       "hardware accelerator failed to decode"},
    {"",                       "No decoder surfaces left"},
};
// clang-format on

static bool says(const char *line, const char *first, const char *then)
{
    const char *at = strstr(line, first);

    return at && strstr(at, then);
}

static bool is_refusal(int code)
{
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        if (refusals[i] == code)
            return true;
    }
    return false;
}

static enum outcome outcome_of(enum outcome_part part, int code,
                               const char *line)
{
    for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        if (says(line, lines[i].first, lines[i].then))
            return lines[i].outcome;
    }
    if (is_refusal(code))
        return refused[part];
    return code == -ENOMEM ? OUTCOME_NO_MEMORY : OUTCOME_DEVICE_LOST;
}

struct hwfault hwfault_classify(enum outcome_part part, int code,
                                const char *line, int64_t free_memory)
{
    enum outcome outcome = outcome_of(part, code, line);
    bool is_told =
        outcome == OUTCOME_NO_SESSION || outcome == OUTCOME_NO_MEMORY;

    if (outcome == OUTCOME_NO_SESSION && strstr(line, "(10)") &&
        free_memory >= 0 && free_memory < SESSION_MEMORY)
        outcome = OUTCOME_NO_MEMORY;
    // who cannot even say how much is free is lost as a whole
    if (!is_told && free_memory < 0)
        return (struct hwfault){OUTCOME_DEVICE_LOST, OUTCOME_PART_DEVICE};
    return (struct hwfault){outcome, part};
}

bool hwfault_is_told_by(const char *line)
{
    for (size_t i = 0; i < sizeof(tales) / sizeof(tales[0]); i++) {
        if (strncmp(line, tales[i].begin, strlen(tales[i].begin)) == 0 &&
            strstr(line, tales[i].within))
            return true;
    }
    return false;
}
