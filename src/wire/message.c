#include "wire/message.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/error.h"
#include "base/memory.h"
#include "model/document.h"

/* One member of a call or a reply: where it goes, if it is there. */
struct member {
    const char *name;
    enum { STRING, OBJECT, BOOL } type;
    size_t offset;
};

static const char *const type_names[] = {
    [STRING] = "a string",
    [OBJECT] = "an object",
    [BOOL] = "true or false",
};

/* What the tables below write to; both messages are made from it. */
struct members {
    const char *name;   // not owned; method or error
    json_t *parameters; // not owned
    bool first;         // more, continues
    bool oneway;
    bool upgrade;
};

// clang-format off
static const struct member call_members[] = {
    {"method",     STRING, offsetof(struct members, name)},
    {"parameters", OBJECT, offsetof(struct members, parameters)},
    {"more",       BOOL,   offsetof(struct members, first)},
    {"oneway",     BOOL,   offsetof(struct members, oneway)},
    {"upgrade",    BOOL,   offsetof(struct members, upgrade)},
    {NULL, STRING, 0},
};
static const struct member reply_members[] = {
    {"error",      STRING, offsetof(struct members, name)},
    {"parameters", OBJECT, offsetof(struct members, parameters)},
    {"continues",  BOOL,   offsetof(struct members, first)},
    {NULL, STRING, 0},
};
// clang-format on

int message_parse_object(struct json_t **ret, const char *text, size_t size,
                         struct error *e)
{
    json_t *json;

    // how long a message may be is the reader's matter (wire/frame.h)
    int r = document_parse(&json, text, size, SIZE_MAX, e);
    if (r < 0)
        return r;
    if (!json_is_object(json)) {
        json_decref(json);
        return error_set(e, -EINVAL, "not a JSON object");
    }
    *ret = json;
    return 0;
}

static bool put_member(const struct member *m, struct members *ret,
                       json_t *value)
{
    void *to = (char *)ret + m->offset;

    switch (m->type) {
    case STRING:
        *(const char **)to = json_string_value(value);
        return json_is_string(value);
    case OBJECT:
        *(json_t **)to = value;
        return json_is_object(value);
    case BOOL:
        *(bool *)to = json_is_true(value);
        return json_is_boolean(value);
    }
    return false;
}

static int read_members(const struct member *table, struct members *ret,
                        json_t *json, struct error *e)
{
    const char *key;
    json_t *value;

    json_object_foreach (json, key, value) {
        const struct member *m = table;
        while (m->name && strcmp(m->name, key) != 0)
            m++;
        if (!m->name) {
            if (strchr(key, '.') && json_is_object(value))
                continue;
            return error_set_field(e, -EINVAL, key, "unknown member");
        }
        if (!json_is_null(value) && !put_member(m, ret, value))
            return error_set_field(e, -EINVAL, key, "must be %s",
                                   type_names[m->type]);
    }
    return 0;
}

static json_t *parameters_or_empty(json_t *parameters)
{
    return parameters ? json_incref(parameters) : json_object();
}

static int fill_call(struct message_call *ret, const struct members *m,
                     struct error *e)
{
    if (!m->name)
        return error_set_field(e, -EINVAL, "method", "is missing");
    if (m->upgrade)
        return error_set_field(e, -EINVAL, "upgrade",
                               "this service speaks nothing but varlink");
    if (m->first && m->oneway)
        return error_set_field(e, -EINVAL, "more",
                               "contradicts 'oneway', which wants no reply");
    *ret = (struct message_call){
        .method = xstrdup(m->name),
        .parameters = parameters_or_empty(m->parameters),
        .more = m->first,
        .oneway = m->oneway,
    };
    return 0;
}

int message_parse_call(struct message_call *ret, const char *text, size_t size,
                       struct error *e)
{
    struct members m = {0};
    json_t *json;

    int r = message_parse_object(&json, text, size, e);
    if (r < 0)
        return r;
    r = read_members(call_members, &m, json, e);
    if (r == 0)
        r = fill_call(ret, &m, e);
    json_decref(json);
    return r;
}

int message_parse_reply(struct message_reply *ret, const char *text,
                        size_t size, struct error *e)
{
    struct members m = {0};
    json_t *json;

    int r = message_parse_object(&json, text, size, e);
    if (r < 0)
        return r;
    r = read_members(reply_members, &m, json, e);
    if (r == 0)
        *ret = (struct message_reply){
            .error = xstrdup(m.name),
            .parameters = parameters_or_empty(m.parameters),
            .continues = m.first,
        };
    json_decref(json);
    return r;
}

void message_call_fini(struct message_call *c)
{
    free(c->method);
    json_decref(c->parameters);
    *c = (struct message_call){0};
}

void message_reply_fini(struct message_reply *r)
{
    free(r->error);
    json_decref(r->parameters);
    *r = (struct message_reply){0};
}

char *message_format_object(const struct json_t *object, size_t *ret_size)
{
    char *text = json_dumps(object, JSON_COMPACT);

    if (!text) // only memory can be the reason: the object is ours
        abort();
    *ret_size = strlen(text) + 1;
    return text;
}

/* Consumes @message. */
static char *format(json_t *message, const json_t *parameters, size_t *ret_size)
{
    if (parameters)
        json_object_set(message, "parameters", (json_t *)(size_t)parameters);
    char *text = message_format_object(message, ret_size);
    json_decref(message);
    return text;
}

char *message_format_call(const char *method, const struct json_t *parameters,
                          bool more, size_t *ret_size)
{
    json_t *m = json_pack("{s:s}", "method", method);

    if (more)
        json_object_set_new(m, "more", json_true());
    return format(m, parameters, ret_size);
}

char *message_format_reply(const struct json_t *parameters, bool continues,
                           size_t *ret_size)
{
    json_t *m = json_object();

    if (continues)
        json_object_set_new(m, "continues", json_true());
    if (parameters)
        return format(m, parameters, ret_size);
    // varlink's grammar lets it be absent, some of its clients do not
    json_object_set_new(m, "parameters", json_object());
    return format(m, NULL, ret_size);
}

char *message_format_error(const char *error, const struct json_t *parameters,
                           size_t *ret_size)
{
    json_t *m = json_pack("{s:s}", "error", error);

    return format(m, parameters, ret_size);
}
