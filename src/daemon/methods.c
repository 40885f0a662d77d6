#include "methods.h"

#include <jansson.h>
#include <string.h>

#include "connection.h"
#include "daemon.h"
#include "reply.h"
#include "wire/interface.h"

// clang-format off
const struct method methods[] = {
    {.name = INTERFACE_GET_INFO, .answer = about_info},
    {.name = INTERFACE_GET_DESCRIPTION, .answer = about_interface, .parameters = {"interface"}},
    {.name = INTERFACE_SUBMIT, .answer = submit_job, .more = METHOD_MAY_STREAM, .fds = 1, .parameters = {"job", "detach"}},
    {.name = INTERFACE_PLAN, .answer = planning_start, .fds = 1, .parameters = {"job"}},
    {.name = INTERFACE_LIST, .answer = query_list, .parameters = {"states", "limit", "before"}},
    {.name = INTERFACE_SHOW, .answer = query_show, .parameters = {"id"}},
    {.name = INTERFACE_FOLLOW, .answer = query_follow, .more = METHOD_MUST_STREAM, .parameters = {"id"}},
    {.name = INTERFACE_CANCEL, .answer = control_cancel, .parameters = {"id"}},
    {.name = INTERFACE_PAUSE, .answer = control_pause, .parameters = {"id"}},
    {.name = INTERFACE_RESUME, .answer = control_resume, .parameters = {"id"}},
    {.name = INTERFACE_RETRY, .answer = control_retry, .parameters = {"id"}},
    {.name = INTERFACE_DEVICES, .answer = devices_show},
    {.name = INTERFACE_PROFILES, .answer = about_profiles},
    {.name = INTERFACE_DIAGNOSE, .answer = diagnose_start, .who = METHOD_OPERATOR},
    {.name = INTERFACE_REPORT, .answer = reporting_show, .parameters = {"days"}},
    {.name = INTERFACE_STATUS, .answer = about_status},
    {.name = INTERFACE_DRAIN, .answer = control_drain, .who = METHOD_ADMIN},
    {.name = INTERFACE_UNDRAIN, .answer = control_undrain, .who = METHOD_ADMIN},
};
// clang-format on
const size_t method_count = sizeof(methods) / sizeof(methods[0]);

const struct method *method_find(const char *name)
{
    for (size_t i = 0; i < method_count; i++) {
        if (strcmp(methods[i].name, name) == 0)
            return &methods[i];
    }
    return NULL;
}

/* Is the part of @name before the last dot an interface that we have? */
static bool has_interface(const char *name)
{
    const char *dot = strrchr(name, '.');

    for (size_t i = 0; dot && interface_names[i]; i++) {
        size_t length = strlen(interface_names[i]);
        if (length == (size_t)(dot - name) &&
            strncmp(name, interface_names[i], length) == 0)
            return true;
    }
    return false;
}

static void refuse_unknown(struct call *call)
{
    const char *name = call->message.method;
    const char *dot = strrchr(name, '.');

    if (has_interface(name)) {
        call_fail(call, INTERFACE_METHOD_NOT_FOUND,
                  json_pack("{s:s}", "method", name));
        return;
    }
    call_fail(call, INTERFACE_NOT_FOUND,
              json_pack("{s:o}", "interface",
                        json_stringn(name, dot ? (size_t)(dot - name) : 0)));
}

static bool takes(const struct method *m, const char *parameter)
{
    for (size_t i = 0; m->parameters[i]; i++) {
        if (strcmp(m->parameters[i], parameter) == 0)
            return true;
    }
    return false;
}

/* The first parameter that @m does not take, or NULL. */
static const char *unknown_parameter(const struct method *m,
                                     const struct call *call)
{
    const char *name;
    json_t *value;

    json_object_foreach (call->message.parameters, name, value) {
        if (!takes(m, name))
            return name;
    }
    return NULL;
}

static bool may_call(const struct daemon *d, const struct method *m,
                     const struct call *call)
{
    switch (m->who) {
    case METHOD_ANYBODY:
        return true;
    case METHOD_OPERATOR:
        return access_is_operator(&d->rules, &call->peer);
    case METHOD_ADMIN:
        break;
    }
    return access_role(&d->rules, &call->peer, (uid_t)-1) == ACCESS_ADMIN;
}

void methods_answer(struct daemon *d, struct call *call)
{
    const struct method *m = method_find(call->message.method);

    if (!m) {
        refuse_unknown(call);
        return;
    }
    const char *unknown = unknown_parameter(m, call);
    if (unknown)
        reply_invalid_parameter(call, unknown);
    else if (!may_call(d, m, call))
        reply_not_permitted(call, "this is for root and the admin group");
    else if (m->more == METHOD_MUST_STREAM && !call->message.more)
        call_fail(call, INTERFACE_EXPECTED_MORE, NULL);
    else if (call->fd_count > m->fds)
        call_hang_up(call, "descriptors that nobody asked for");
    else
        m->answer(d, call);
}

static const json_t *get(const struct call *call, const char *name)
{
    const json_t *value = json_object_get(call->message.parameters, name);

    return json_is_null(value) ? NULL : value; // null is as good as absent
}

bool parameter_integer(struct call *call, const char *name, int64_t fallback,
                       int64_t least, int64_t *ret)
{
    const json_t *value = get(call, name);

    if (value &&
        (!json_is_integer(value) || json_integer_value(value) < least)) {
        reply_invalid_parameter(call, name);
        return false;
    }
    *ret = value ? json_integer_value(value) : fallback;
    return true;
}

bool parameter_id(struct call *call, int64_t *ret)
{
    if (!get(call, "id")) {
        reply_invalid_parameter(call, "id");
        return false;
    }
    return parameter_integer(call, "id", 0, INT64_MIN, ret);
}

bool parameter_bool(struct call *call, const char *name, bool *ret)
{
    const json_t *value = get(call, name);

    if (value && !json_is_boolean(value)) {
        reply_invalid_parameter(call, name);
        return false;
    }
    *ret = json_is_true(value);
    return true;
}
