#include "media/survey.h"

#include <dlfcn.h>
#include <stdio.h>

#include <libavcodec/avcodec.h>

#include "base/memory.h"
#include "model/survey.h"

#define LIBCUDA "libcuda.so.1"

/* Consumes @words. */
static void add_problem(struct survey *s, char *words)
{
    s->problems = xrealloc(s->problems, s->problem_count + 1, sizeof(char *));
    s->problems[s->problem_count++] = words;
}

void survey_take(struct survey *ret)
{
    *ret = (struct survey){0};
    (void)snprintf(ret->libav, sizeof(ret->libav), "%s", av_version_info());
    if (!dlopen(LIBCUDA, RTLD_NOW))
        add_problem(ret,
                    xasprintf("there is no NVIDIA driver (%s)", dlerror()));
}
