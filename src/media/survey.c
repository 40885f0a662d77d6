#include "media/survey.h"

#include <stdio.h>

#include <libavcodec/avcodec.h>

#include "base/error.h"
#include "base/memory.h"
#include "media/driver.h"
#include "model/survey.h"

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
    struct driver *driver;
    struct error e = {0};
    if (driver_open(&driver, &e) < 0) {
        add_problem(ret, xstrdup(e.text));
        return;
    }
    driver_close(driver);
}
