#include "status.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/error.h"
#include "base/text.h"
#include "wire/interface.h"
#include "wire/message.h"

/* An error's words, followed by the members of its parameters that say more. */
static const struct {
    const char *error;
    const char *words;
    const char *members[2];
} errors[] = {
    {INTERFACE_INVALID_JOB, "invalid job", {"field", "reason"}},
    {INTERFACE_NO_SUCH_JOB, "no such job", {"id"}},
    {INTERFACE_WRONG_STATE, "not possible, the job is", {"state"}},
    {INTERFACE_NOT_PERMITTED, "not permitted", {"reason"}},
    {INTERFACE_TOO_MANY, "too many, the limit is", {"limit"}},
    {INTERFACE_SHUTTING_DOWN, "the service is shutting down", {NULL}},
    {INTERFACE_UNAVAILABLE, "the service cannot do it now", {"reason"}},
    {INTERFACE_INVALID_PARAMETER, "the service refuses", {"parameter"}},
    {INTERFACE_METHOD_NOT_FOUND, "the service has no method", {"method"}},
    {INTERFACE_METHOD_NOT_IMPLEMENTED, "the service lacks", {"method"}},
    {INTERFACE_PERMISSION_DENIED, "not permitted", {NULL}},
};

enum status status_from_state(enum state s)
{
    return s == STATE_SUCCEEDED ? STATUS_GOOD : STATUS_JOB_FAILED;
}

/* Adds ": VALUE" for a member that is there and says anything. */
static void add_member(char *text, size_t size, const json_t *value)
{
    size_t used = strlen(text);

    if (json_is_string(value) && json_string_length(value) > 0)
        (void)snprintf(text + used, size - used, ": %s",
                       json_string_value(value));
    else if (json_is_integer(value))
        (void)snprintf(text + used, size - used, ": %" JSON_INTEGER_FORMAT,
                       json_integer_value(value));
}

void status_describe(const struct message_reply *reply, struct error *e)
{
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        if (strcmp(errors[i].error, reply->error) != 0)
            continue;
        (void)error_set(e, -EREMOTEIO, "%s", errors[i].words);
        for (size_t m = 0; m < 2 && errors[i].members[m]; m++)
            add_member(
                e->text, sizeof(e->text),
                json_object_get(reply->parameters, errors[i].members[m]));
        return;
    }
    (void)error_set(e, -EREMOTEIO, "the service answers with %s", reply->error);
}

static void complain(const char *text)
{
    char safe[4 * sizeof(((struct error *)0)->text)];

    text_escape(text, safe, sizeof(safe));
    (void)fprintf(stderr, "transcodectl: %s\n", safe);
}

void status_complain(const struct error *e)
{
    char text[sizeof(e->text) + sizeof(e->field) + 32];

    if (e->field[0])
        (void)snprintf(text, sizeof(text), "invalid job: %s: %s", e->field,
                       e->text);
    else
        (void)snprintf(text, sizeof(text), "%s", e->text);
    complain(text);
}

enum status status_fail(enum status s, const char *format, ...)
{
    char text[sizeof(((struct error *)0)->text)];
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    complain(text);
    return s;
}

enum status status_cannot_print(struct error *e)
{
    (void)error_set(e, -EIO, "cannot write to standard output");
    return STATUS_REFUSED;
}
