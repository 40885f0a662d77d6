#include "survey.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "media/survey.h"
#include "model/survey.h"
#include "survey_cache.h"

struct arguments {
    const char *cache; // file, NULL: remember nothing
    const char *anew;  // UUID of what is tried and not remembered, or all
};

static int parse(char **words, struct arguments *ret)
{
    for (; *words; words += 2) {
        if (!words[1])
            return -1;
        if (strcmp(*words, "--cache") == 0)
            ret->cache = words[1];
        else if (strcmp(*words, "--anew") == 0)
            ret->anew = words[1];
        else
            return -1;
    }
    return 0;
}

/* Compiled kernels are kept where CUDA is told to, by workers that may only
 * read there later. Where that was thrown away it is to be filled again. */
static bool has_kernels(void)
{
    const char *folder = getenv("CUDA_CACHE_PATH");

    if (!folder || access(folder, F_OK) == 0)
        return true;
    if (mkdir(folder, 0700) < 0)
        log_warning(NULL, "cannot make '%s': %s", folder, strerror(errno));
    return false;
}

static void take(struct survey *ret, const struct arguments *a)
{
    struct survey known = {0};
    struct error e = {0};
    bool is_known = has_kernels() && a->cache;

    if (is_known) {
        int r = survey_cache_read(a->cache, &known, &e);
        is_known = r == 0;
        if (r < 0 && r != -ENOENT)
            log_warning(NULL, "%s; surveying anew", e.text);
    }
    survey_take(ret, is_known ? &known : NULL, a->anew);
    survey_fini(&known);
    if (a->cache && survey_cache_write(a->cache, ret, &e) < 0)
        log_warning(NULL, "%s: the next survey will have to try it all again",
                    e.text);
}

static int print(const struct survey *s)
{
    json_t *json = survey_to_json(s);
    int r = json_dumpf(json, stdout, JSON_COMPACT);

    json_decref(json);
    return r == 0 && puts("") >= 0 && fflush(stdout) == 0 ? 0 : 1;
}

int survey_main(char **words)
{
    struct arguments arguments = {0};
    struct survey s;

    if (parse(words, &arguments) < 0)
        return 2;
    take(&s, &arguments);
    int status = print(&s);
    survey_fini(&s);
    return status;
}
