#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static int set(struct error *e, int code, const char *field, const char *format,
               va_list ap)
{
    if (!e)
        return code;
    e->code = code;
    (void)snprintf(e->field, sizeof(e->field), "%s", field);
    (void)vsnprintf(e->text, sizeof(e->text), format, ap);
    text_repair(e->field);
    text_repair(e->text);
    return code;
}

int error_set(struct error *e, int code, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    set(e, code, "", format, ap);
    va_end(ap);
    return code;
}

int error_set_field(struct error *e, int code, const char *field,
                    const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    set(e, code, field, format, ap);
    va_end(ap);
    return code;
}

int error_set_errno(struct error *e, int code, const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    set(e, code, "", format, ap);
    va_end(ap);
    if (e) {
        size_t used = strlen(e->text);
        (void)snprintf(e->text + used, sizeof(e->text) - used, ": %s",
                       strerror(-code));
        text_repair(e->text);
    }
    return code;
}

int error_wrap(struct error *e, const char *format, ...)
{
    char inner[sizeof(e->text)];
    va_list ap;

    if (!e)
        return -EINVAL;
    memcpy(inner, e->text, sizeof(inner));
    va_start(ap, format);
    (void)vsnprintf(e->text, sizeof(e->text), format, ap);
    va_end(ap);

    size_t used = strlen(e->text);
    (void)snprintf(e->text + used, sizeof(e->text) - used, ": %s", inner);
    text_repair(e->text);
    return e->code;
}

void error_wrap_field(struct error *e, const char *parent)
{
    char inner[sizeof(e->field)];

    if (!e)
        return;
    memcpy(inner, e->field, sizeof(inner));
    // "outputs" + "[0]" needs no dot, nor does a parent alone
    const char *dot = inner[0] && inner[0] != '[' ? "." : "";
    (void)snprintf(e->field, sizeof(e->field), "%s%s%s", parent, dot, inner);
    text_repair(e->field);
}

void error_tell_field(struct error *e)
{
    char field[sizeof(e->field)];

    if (!e || !e->field[0])
        return;
    memcpy(field, e->field, sizeof(field));
    e->field[0] = '\0';
    (void)error_wrap(e, "%s", field);
}
