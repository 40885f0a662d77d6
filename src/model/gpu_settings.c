#include "model/gpu_settings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/error.h"
#include "base/option.h"
#include "model/field.h"

static int read_count(int32_t *ret, const json_t *json, struct error *e)
{
    json_int_t n = json_integer_value(json);

    if (!json_is_integer(json) || n < 0 || n > GPU_SESSIONS_MOST)
        return error_set(e, -EINVAL, "must be a number from 0 to %d",
                         GPU_SESSIONS_MOST);
    *ret = (int32_t)n;
    return 0;
}

static int read_rows(struct gpu_sessions *s, const json_t *json,
                     struct error *e)
{
    const char *device;
    json_t *value;

    json_object_foreach ((json_t *)(size_t)json, device, value) {
        if (s->count == GPU_SESSIONS_ROWS)
            return error_set(e, -EINVAL, "must not name more than %d devices",
                             GPU_SESSIONS_ROWS);
        if (!*device || strlen(device) >= sizeof(s->rows[0].device))
            return error_set(e, -EINVAL, "'%s' is no device", device);
        int r = read_count(&s->rows[s->count].sessions, value, e);
        if (r < 0)
            return r;
        (void)snprintf(s->rows[s->count++].device, sizeof(s->rows[0].device),
                       "%s", device);
    }
    return 0;
}

/* null, a number for each device, or an object with numbers by device. */
static int read_sessions(void *at, const struct json_t *json, struct error *e)
{
    struct gpu_sessions s = {.all = GPU_SESSIONS_UNSET};
    int r = 0;

    if (json_is_object(json))
        r = read_rows(&s, json, e);
    else if (!json_is_null(json))
        r = read_count(&s.all, json, e);
    if (r == 0)
        *(struct gpu_sessions *)at = s;
    return r;
}

static struct json_t *write_sessions(const void *at)
{
    const struct gpu_sessions *s = at;

    if (s->count == 0)
        return s->all == GPU_SESSIONS_UNSET ? json_null()
                                            : json_integer(s->all);
    json_t *object = json_object();
    for (size_t i = 0; i < s->count; i++)
        (void)json_object_set_new(object, s->rows[i].device,
                                  json_integer(s->rows[i].sessions));
    return object;
}

#define G struct gpu_settings

/* As in the limits, "512M" or a number of bytes. */
static const struct option reserve = {
    "vram_reserve", OPTION_SIZE, 0, 0, INT64_C(1) << 40, NULL, NULL,
};

static int read_reserve(void *at, const struct json_t *json, struct error *e)
{
    char number[32];
    const char *text = json_string_value(json);
    int64_t bytes = 0;

    if (json_is_integer(json)) {
        (void)snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
                       json_integer_value(json));
        text = number;
    }
    if (!text)
        return error_set(e, -EINVAL, "must be a number or a string");
    int r = option_set(&reserve, &bytes, text, e);
    if (r == 0)
        *(int64_t *)at = bytes;
    else
        e->field[0] = '\0'; // the caller knows which
    return r;
}

static struct json_t *write_reserve(const void *at)
{
    char *text = option_format(&reserve, at);
    json_t *json = json_string(text);

    free(text);
    return json;
}

static const struct field_custom sessions = {read_sessions, write_sessions};
static const struct field_custom reserve_size = {read_reserve, write_reserve};

// clang-format off
static const struct field fields[] = {
    {"sessions", ROW_CUSTOM(G, sessions, struct gpu_sessions, &sessions),
     .flags = FIELD_NULLABLE, .fallback = "null"},
    {"vram_reserve", ROW_CUSTOM(G, vram_reserve, int64_t, &reserve_size),
     .fallback = "\"512M\""},
};
// clang-format on

const struct record gpu_settings_record = {RECORD(G, fields)};

int32_t gpu_sessions_of(const struct gpu_sessions *s, const char *id,
                        const char *uuid)
{
    for (size_t i = 0; i < s->count; i++) {
        if (strcmp(s->rows[i].device, id) == 0 ||
            strcmp(s->rows[i].device, uuid) == 0)
            return s->rows[i].sessions;
    }
    return s->all;
}
