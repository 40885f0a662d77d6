#include "media/survey_words.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "model/survey.h"

#define PROBLEMS_MOST 16

void survey_add_problem(struct survey_device *ret, const char *format, ...)
{
    char text[sizeof(((struct error *)0)->text)];
    va_list ap;

    if (ret->problem_count == PROBLEMS_MOST)
        return;
    va_start(ap, format);
    (void)vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    ret->problems =
        xrealloc(ret->problems, ret->problem_count + 1, sizeof(char *));
    ret->problems[ret->problem_count++] = xstrdup(text);
}

/* Signs in libav's log, the first that is found counts. */
// clang-format off
static const struct {
    const char *sign;
    enum survey_verdict verdict;
    const char *words; // behind the encoder's name; NULL: what libav said
} signs[] = {
    {"out of memory (10)", SURVEY_BUSY, "others hold all of the card's encoder sessions, or its memory"},
    {"incompatible client key (21)", SURVEY_BUSY, "others hold all of the card's encoder sessions"},
    {"CUDA_ERROR_OUT_OF_MEMORY", SURVEY_BUSY, "others hold the card's memory"},
    {"no encode device (1)", SURVEY_ABSENT, "the card has no encoder (NVENC)"},
    {"unsupported device (2)", SURVEY_ABSENT, "the card has no encoder (NVENC)"},
    {"Codec not supported", SURVEY_LACKING, "the card does not encode it"},
    {"10 bit encode not supported", SURVEY_LACKING, "the card does not encode 10 bit"},
    {"Max B-frames", SURVEY_LACKING, "the card does not encode so many B-frames"},
    {"InitializeEncoder failed: invalid param (8)", SURVEY_REFUSED, NULL},
    {"InitializeEncoder failed: unsupported param (12)", SURVEY_REFUSED, NULL},
    {"Cannot load libnvidia-encode", SURVEY_BROKEN, "the driver's library libnvidia-encode.so.1 is missing"},
};
// clang-format on

/* "Driver does not support the required nvenc API version. Required: 12.0
 * Found: 11.1" */
static bool is_misfit(const char *said, char *ret_headers, size_t size)
{
    const char *required = strstr(said, "Required: ");
    unsigned major;
    unsigned minor;

    if (!required || !strstr(said, "nvenc API version") ||
        sscanf(required, "Required: %3u.%3u", &major, &minor) != 2)
        return false;
    (void)snprintf(ret_headers, size, "%u.%u", major, minor);
    return true;
}

static void explain_misfit(struct survey_failure *ret, const char *driver,
                           const char *api)
{
    ret->verdict = SURVEY_MISFIT;
    (void)snprintf(ret->words, sizeof(ret->words),
                   "this build of FFmpeg needs NVENC API %s, but driver %s has "
                   "%s: use an FFmpeg built with nv-codec-headers %s",
                   ret->headers, *driver ? driver : "of this version", api,
                   api);
}

void survey_explain(struct survey_failure *ret, const char *said,
                    const char *encoder, const char *driver, const char *api)
{
    *ret = (struct survey_failure){.verdict = SURVEY_BROKEN};
    if (is_misfit(said, ret->headers, sizeof(ret->headers))) {
        explain_misfit(ret, driver, api);
        return;
    }
    for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        if (!strstr(said, signs[i].sign))
            continue;
        ret->verdict = signs[i].verdict;
        if (!signs[i].words)
            break;
        (void)snprintf(ret->words, sizeof(ret->words), "%s: %s", encoder,
                       signs[i].words);
        return;
    }
    (void)snprintf(ret->words, sizeof(ret->words), "%s cannot be opened: %s",
                   encoder, *said ? said : "libav does not say why");
}

/* Its kernels are compiled by the driver, from what FFmpeg's build made. */
void survey_explain_filter(struct survey_failure *ret, const char *said,
                           const char *filter, const char *driver)
{
    *ret = (struct survey_failure){.verdict = SURVEY_BROKEN};
    if (strstr(said, "CUDA_ERROR_UNSUPPORTED_PTX_VERSION")) {
        ret->verdict = SURVEY_MISFIT;
        (void)snprintf(ret->words, sizeof(ret->words),
                       "%s does not run: this build of FFmpeg was made with a "
                       "newer CUDA than driver %s knows: use one that was "
                       "configured with --enable-cuda-llvm, or made with a "
                       "CUDA as old as the driver",
                       filter, *driver ? driver : "of this version");
        return;
    }
    if (strstr(said, "CUDA_ERROR_OUT_OF_MEMORY"))
        ret->verdict = SURVEY_BUSY;
    (void)snprintf(ret->words, sizeof(ret->words), "%s does not run: %s",
                   filter, said);
}

/* Who follows the advice on a misfit may build the same version anew, by which
 * it would not be known again; trying it takes no session. */
bool survey_is_lasting(enum survey_verdict verdict)
{
    return verdict == SURVEY_ABSENT || verdict == SURVEY_LACKING ||
           verdict == SURVEY_REFUSED;
}
