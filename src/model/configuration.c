#include "model/configuration.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/memory.h"
#include "model/document.h"
#include "model/field.h"
#include "model/job_check.h"

#define DOCUMENT_MOST (1 << 20) // bytes
#define ROOTS_MOST    256
#define PATHS_MOST    32

const char *const configuration_sandbox_names[CONFIGURATION_SANDBOX_COUNT] = {
    [CONFIGURATION_SANDBOX_AUTO] = "auto",
    [CONFIGURATION_SANDBOX_REQUIRED] = "required",
    [CONFIGURATION_SANDBOX_OFF] = "off",
};

/*
 * Members that fit no type of field.
 */

/* "0660", as chmod(1) takes it. */
static int read_mode(void *at, const struct json_t *json, struct error *e)
{
    const char *s = json_string_value(json);

    if (!s || !*s || strlen(s) > 4 || s[strspn(s, "01234567")])
        return error_set(e, -EINVAL, "must be a mode such as \"0660\"");
    unsigned long mode = strtoul(s, NULL, 8);
    if (mode > 0777)
        return error_set(e, -EINVAL, "must not be more than 0777");
    *(unsigned *)at = (unsigned)mode;
    return 0;
}

/* Of files that the service itself comes back to. */
static int read_own_mode(void *at, const struct json_t *json, struct error *e)
{
    unsigned mode;

    int r = read_mode(&mode, json, e);
    if (r < 0)
        return r;
    if ((mode & 0600) != 0600)
        return error_set(e, -EINVAL, "must let the owner read and write");
    *(unsigned *)at = mode;
    return 0;
}

static struct json_t *write_mode(const void *at)
{
    return json_sprintf("%04o", *(const unsigned *)at);
}

/* An option's value may be written as a number, a text or a truth value. */
static int set_option(const struct option *o, struct limits *limits,
                      const json_t *json, struct error *e)
{
    if (json_is_string(json))
        return option_set(o, limits, json_string_value(json), e);
    if (!json_is_integer(json))
        return error_set_field(e, -EINVAL, o->name,
                               "must be a number or a string");

    char text[32];
    (void)snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT,
                   json_integer_value(json));
    return option_set(o, limits, text, e);
}

static int read_limits(void *at, const struct json_t *json, struct error *e)
{
    struct limits limits;
    const char *key;
    json_t *value;

    if (!json_is_object(json))
        return error_set(e, -EINVAL, "must be an object");
    memset(&limits, 0, sizeof(limits));
    int r =
        option_set_defaults(limits_options, limits_option_count, &limits, e);
    if (r < 0)
        return r;
    json_object_foreach ((json_t *)(size_t)json, key, value) {
        const struct option *o =
            option_find(limits_options, limits_option_count, key);
        if (!o)
            return error_set_field(e, -EINVAL, key, "there is no such limit");
        r = set_option(o, &limits, value, e);
        if (r < 0)
            return r;
    }
    *(struct limits *)at = limits;
    return 0;
}

static struct json_t *write_limits(const void *at)
{
    json_t *object = json_object();

    for (size_t i = 0; i < limits_option_count; i++) {
        char *text = option_format(&limits_options[i], at);
        (void)json_object_set_new(object, limits_options[i].name,
                                  json_string(text));
        free(text);
    }
    return object;
}

static const struct field_custom mode = {read_mode, write_mode};
static const struct field_custom own_mode = {read_own_mode, write_mode};
static const struct field_custom limits_object = {read_limits, write_limits};

/* A folder's path; slashes at its end do no harm, and "/" is one. */
static int check_folder(const char *path, struct error *e)
{
    size_t length = strlen(path);

    while (length > 1 && path[length - 1] == '/')
        length--;
    if (length == 1 && path[0] == '/')
        return 0;

    char *name = xstrndup(path, length);
    int r = job_check_path(name, e);
    free(name);
    return r;
}

#define C struct configuration

// clang-format off
#define FOLDER \
    .bytes = LIMITS_PATH, .check = check_folder
#define NAME \
    .bytes = LIMITS_TEXT, .check = job_check_text, \
    .flags = FIELD_NULLABLE, .fallback = "null"
#define PROGRAM \
    .bytes = LIMITS_PATH, .check = job_check_path, \
    .flags = FIELD_NULLABLE, .fallback = "null"

static const struct field root_fields[] = {
    {"read", ROW_TEXTS(C, read_roots, read_root_count), FOLDER,
     .most = ROOTS_MOST, .fallback = "[]"},
    {"write", ROW_TEXTS(C, write_roots, write_root_count), FOLDER,
     .most = ROOTS_MOST, .fallback = "[]"},
};
static const struct record root_record = {RECORD(C, root_fields)};

static const struct field fields[] = {
    {"socket_mode", ROW_CUSTOM(C, socket_mode, unsigned, &mode),
     .fallback = "\"0660\""},
    {"socket_group", ROW_TEXT(C, socket_group), NAME},
    {"admin_group", ROW_TEXT(C, admin_group), NAME},
    {"roots", .type = FIELD_OBJECT, .offset = 0, .record = &root_record,
     .fallback = "{}"}, // in place, among the others
    {"output_group", ROW_TEXT(C, output_group), NAME},
    {"output_mode", ROW_CUSTOM(C, output_mode, unsigned, &own_mode),
     .fallback = "\"0664\""},
    {"profiles", ROW_TEXT(C, profiles), FOLDER, .flags = FIELD_NULLABLE,
     .fallback = "null"},
    {"worker", ROW_TEXT(C, worker), PROGRAM},
    {"opener", ROW_TEXT(C, opener), PROGRAM},
    {"sandbox", ROW_ENUM(C, sandbox, enum configuration_sandbox,
     configuration_sandbox_names), .fallback = "\"auto\""},
    {"sandbox_debug", ROW_BOOL(C, sandbox_debug), .fallback = "false"},
    {"sandbox_paths", ROW_TEXTS(C, sandbox_paths, sandbox_path_count), FOLDER,
     .most = PATHS_MOST, .fallback = "[]"},
    {"log_level", ROW_ENUM(C, log_level, enum log_level, log_level_names),
     .fallback = "\"info\""},
    {"gpu", ROW_OBJECT(C, gpu, &gpu_settings_record), .fallback = "{}"},
    {"limits", ROW_CUSTOM(C, limits, struct limits, &limits_object),
     .fallback = "{}"},
};
// clang-format on

static const struct record configuration_record = {RECORD(C, fields)};

void configuration_init(struct configuration *ret)
{
    json_t *empty = json_object();
    struct error e;

    if (configuration_from_json(ret, empty, &e) < 0) {
        (void)fprintf(stderr, "<2>bad default: %s: %s\n", e.field, e.text);
        abort();
    }
    json_decref(empty);
}

int configuration_from_json(struct configuration *ret,
                            const struct json_t *json, struct error *e)
{
    return record_from_json(&configuration_record, ret, json, RECORD_WHOLE, e);
}

int configuration_from_file(struct configuration *ret, const char *path,
                            struct error *e)
{
    char *text = NULL;
    size_t size = 0;
    int r = fd_read_file(AT_FDCWD, path, DOCUMENT_MOST, &text, &size);

    if (r < 0)
        return error_set_errno(e, r, "cannot read configuration '%s'", path);

    json_t *json = NULL;
    r = document_parse(&json, text, size, DOCUMENT_MOST, e);
    if (r == 0)
        r = configuration_from_json(ret, json, e);
    if (r < 0) {
        error_tell_field(e);
        error_wrap(e, "configuration '%s'", path);
    }
    json_decref(json);
    free(text);
    return r;
}

struct json_t *configuration_to_json(const struct configuration *c)
{
    return record_to_json(&configuration_record, c);
}

void configuration_fini(struct configuration *c)
{
    record_fini(&configuration_record, c);
}
