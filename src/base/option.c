#include "base/option.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"

static void *field(const struct option *o, void *base)
{
    return (char *)base + o->offset;
}

static int parse_number(const struct option *o, const char *text, int64_t *ret)
{
    switch (o->type) {
    case OPTION_COUNT:
        return text_parse_integer(text, ret);
    case OPTION_DURATION:
        return text_parse_duration(text, ret);
    case OPTION_SIZE:
        return text_parse_size(text, ret);
    case OPTION_BOOL:
    case OPTION_TEXT:
        break;
    }
    return -EINVAL;
}

static char *format_number(const struct option *o, int64_t n)
{
    static const struct {
        enum option_type type;
        int64_t factor;
        const char *suffix;
    } units[] = {
        {OPTION_DURATION, 3600 * SECOND, "h"}, {OPTION_DURATION, SECOND, "s"},
        {OPTION_DURATION, MILLISECOND, "ms"},  {OPTION_DURATION, 1, "us"},
        {OPTION_SIZE, 1 << 30, "G"},           {OPTION_SIZE, 1 << 20, "M"},
        {OPTION_SIZE, 1 << 10, "K"},
    };

    for (size_t i = 0; n && i < sizeof(units) / sizeof(units[0]); i++) {
        if (units[i].type == o->type && n % units[i].factor == 0)
            return xasprintf("%" PRId64 "%s", n / units[i].factor,
                             units[i].suffix);
    }
    return xasprintf("%" PRId64, n);
}

static int set_number(const struct option *o, int64_t *ret, const char *text,
                      struct error *e)
{
    static const char *const kinds[] = {
        [OPTION_COUNT] = "a whole number",
        [OPTION_DURATION] = "a duration such as 30s",
        [OPTION_SIZE] = "a size such as 5M",
    };
    int64_t n = 0;
    int r = parse_number(o, text, &n);

    if (r == -EINVAL)
        return error_set_field(e, r, o->name, "'%s' is not %s", text,
                               kinds[o->type]);
    if (r < 0 || n < o->least || n > o->most) {
        char *least = format_number(o, o->least);
        char *most = format_number(o, o->most);
        r = error_set_field(e, -ERANGE, o->name,
                            "'%s' is not between %s and %s", text, least, most);
        free(least);
        free(most);
        return r;
    }
    *ret = n;
    return 0;
}

int option_set(const struct option *o, void *base, const char *text,
               struct error *e)
{
    switch (o->type) {
    case OPTION_BOOL: {
        int r = text_parse_bool(text, field(o, base));
        if (r < 0)
            return error_set_field(e, r, o->name, "'%s' is not yes or no",
                                   text);
        return 0;
    }
    case OPTION_TEXT: {
        char **value = field(o, base);
        free(*value);
        *value = *text ? xstrdup(text) : NULL;
        return 0;
    }
    case OPTION_COUNT:
    case OPTION_DURATION:
    case OPTION_SIZE:
        return set_number(o, field(o, base), text, e);
    }
    return error_set_field(e, -EINVAL, o->name, "option has no type");
}

int option_set_defaults(const struct option *table, size_t count, void *base,
                        struct error *e)
{
    for (size_t i = 0; i < count; i++) {
        int r = option_set(&table[i], base, table[i].fallback, e);
        if (r < 0)
            return r;
    }
    return 0;
}

const struct option *option_find(const struct option *table, size_t count,
                                 const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(table[i].name, name) == 0)
            return &table[i];
    }
    return NULL;
}

char *option_format(const struct option *o, const void *base)
{
    const void *value = (const char *)base + o->offset;

    if (o->type == OPTION_BOOL)
        return xstrdup(*(const bool *)value ? "yes" : "no");
    if (o->type == OPTION_TEXT) {
        const char *text = *(char *const *)value;
        return xstrdup(text ? text : "");
    }
    return format_number(o, *(const int64_t *)value);
}

void option_free_values(const struct option *table, size_t count, void *base)
{
    for (size_t i = 0; i < count; i++) {
        if (table[i].type != OPTION_TEXT)
            continue;
        char **value = field(&table[i], base);
        free(*value);
        *value = NULL;
    }
}
