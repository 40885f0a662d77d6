#include "media/plan_options.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "media/plan.h"

static struct plan_option *find(struct plan_options *options, const char *name)
{
    for (size_t i = 0; i < options->count; i++) {
        if (strcmp(options->list[i].name, name) == 0)
            return &options->list[i];
    }
    return NULL;
}

void plan_options_set(struct plan_options *options, const char *name,
                      const char *value)
{
    struct plan_option *o = find(options, name);

    if (!o) {
        assert(options->count < PLAN_OPTIONS_MOST);
        o = &options->list[options->count++];
    }
    (void)snprintf(o->name, sizeof(o->name), "%s", name);
    (void)snprintf(o->value, sizeof(o->value), "%s", value);
}

void plan_options_set_integer(struct plan_options *options, const char *name,
                              int64_t value)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%" PRId64, value);
    plan_options_set(options, name, text);
}

void plan_options_set_number(struct plan_options *options, const char *name,
                             double value)
{
    char text[32];

    (void)snprintf(text, sizeof(text), "%g", value);
    plan_options_set(options, name, text);
}

void plan_options_set_all(struct plan_options *options, const char *text)
{
    while (text && *text) {
        char name[24];
        char value[104];
        size_t name_size = strcspn(text, "=");
        size_t value_size = strcspn(text + name_size, ":");

        assert(text[name_size] == '=');
        (void)snprintf(name, sizeof(name), "%.*s", (int)name_size, text);
        (void)snprintf(value, sizeof(value), "%.*s", (int)value_size - 1,
                       text + name_size + 1);
        plan_options_set(options, name, value);
        text += name_size + value_size;
        text += *text == ':';
    }
}

const char *plan_options_get(const struct plan_options *options,
                             const char *name)
{
    for (size_t i = 0; i < options->count; i++) {
        if (strcmp(options->list[i].name, name) == 0)
            return options->list[i].value;
    }
    return NULL;
}
