#include "page.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/text.h"
#include "terminal.h"

void page_line(const char *label, const char *format, ...)
{
    char text[8192];
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);

    char *safe = terminal_escape(text);
    (void)printf("  %-11s %s\n", label, safe);
    free(safe);
}

void page_value(const char *label, const json_t *value)
{
    if (json_is_string(value))
        page_line(label, "%s", json_string_value(value));
    else if (json_is_integer(value))
        page_line(label, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_true(value))
        page_line(label, "yes");
}

void page_texts(const char *label, const json_t *values)
{
    size_t i;
    const json_t *value;

    json_array_foreach (values, i, value) {
        page_value(label, value);
    }
}

void page_format_time(const json_t *value, char ret[PAGE_TIME])
{
    time_t seconds = (time_t)(json_integer_value(value) / SECOND);
    struct tm when;

    ret[0] = '\0';
    if (json_is_integer(value) && localtime_r(&seconds, &when))
        (void)strftime(ret, PAGE_TIME, "%Y-%m-%d %H:%M:%S", &when);
}

void page_format_span(const json_t *from, const json_t *to, char ret[PAGE_TIME])
{
    ret[0] = '\0';
    if (json_is_integer(from) && json_is_integer(to))
        text_format_duration(json_integer_value(to) - json_integer_value(from),
                             ret, PAGE_TIME);
}
