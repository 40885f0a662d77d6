#include "survey.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "media/survey.h"
#include "model/survey.h"

struct arguments {
    const char *cache; // file, NULL: remember nothing
    const char *anew;  // UUID of what is tried and not remembered, "all"
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
    survey_take(&s);
    int status = print(&s);
    survey_fini(&s);
    return status;
}
