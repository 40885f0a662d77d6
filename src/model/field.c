#include "model/field.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "model/document.h"

#define UNSET (-1) // a number that was left to us

/* What one type of field does in the struct at @base. */
struct type {
    int (*read)(const struct field *f, void *base, const json_t *json,
                enum record_mode mode, struct error *e);
    json_t *(*write)(const struct field *f, const void *base);
    void (*fini)(const struct field *f, void *base); // NULL: owns nothing
};

static const struct type types[FIELD_TYPE_COUNT];

static void *member(const struct field *f, void *base)
{
    return (char *)base + f->offset;
}

static const void *const_member(const struct field *f, const void *base)
{
    return (const char *)base + f->offset;
}

static size_t *count_of(const struct field *f, void *base)
{
    return (size_t *)(void *)((char *)base + f->count_offset);
}

static size_t get_count(const struct field *f, const void *base)
{
    return *(const size_t *)(const void *)((const char *)base +
                                           f->count_offset);
}

int field_name_index(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (names[i] && strcmp(names[i], name) == 0)
            return (int)i;
    }
    return -1;
}

const struct field *record_find(const struct record *r, const char *name)
{
    for (size_t i = 0; i < r->field_count; i++) {
        if (r->fields[i].name && strcmp(r->fields[i].name, name) == 0)
            return &r->fields[i];
    }
    return NULL;
}

static const struct field *find_given(const struct record *r)
{
    for (size_t i = 0; i < r->field_count; i++) {
        if (r->fields[i].type == FIELD_GIVEN)
            return &r->fields[i];
    }
    return NULL;
}

/* Was the struct at @base in the document? True where nobody asked. */
static bool was_given(const struct record *r, const void *base)
{
    const struct field *given = find_given(r);

    return !given || *(const bool *)const_member(given, base);
}

static void set_given(const struct record *r, void *base, bool value)
{
    const struct field *given = find_given(r);

    if (given)
        *(bool *)member(given, base) = value;
}

/*
 * Numbers.
 */

/* A number within the field's range, or UNSET for null. */
static int get_number(const struct field *f, double *ret, const json_t *json,
                      struct error *e)
{
    if (json_is_null(json) && f->flags & FIELD_NULLABLE) {
        *ret = UNSET;
        return 0;
    }
    if (!json_is_number(json))
        return error_set(e, -EINVAL, "must be a number");

    double n = json_number_value(json);
    if (f->flags & FIELD_LENIENT)
        n = fmin(fmax(n, f->least), f->most);
    if (!(n >= f->least && n <= f->most))
        return error_set(e, -EINVAL, "must be between %.15g and %.15g",
                         f->least, f->most);
    *ret = n;
    return 0;
}

/* A whole one, though it may be written as 2.0. */
static int get_whole(const struct field *f, int64_t *ret, const json_t *json,
                     struct error *e)
{
    double n = 0;
    int r = get_number(f, &n, json, e);

    if (r < 0)
        return r;
    if (n != floor(n))
        return error_set(e, -EINVAL, "must be a whole number");
    if (f->flags & FIELD_EVEN && n > 0 && fmod(n, 2) != 0)
        return error_set(e, -EINVAL, "must be even");
    *ret = (int64_t)n;
    return 0;
}

static int read_integer(const struct field *f, void *base, const json_t *json,
                        enum record_mode mode, struct error *e)
{
    (void)mode;
    return get_whole(f, member(f, base), json, e);
}

static int read_int32(const struct field *f, void *base, const json_t *json,
                      enum record_mode mode, struct error *e)
{
    int64_t n = 0;
    int r = get_whole(f, &n, json, e);

    (void)mode;
    if (r == 0)
        *(int32_t *)member(f, base) = (int32_t)n; // the row's range fits
    return r;
}

static int read_number(const struct field *f, void *base, const json_t *json,
                       enum record_mode mode, struct error *e)
{
    (void)mode;
    return get_number(f, member(f, base), json, e);
}

static int read_time(const struct field *f, void *base, const json_t *json,
                     enum record_mode mode, struct error *e)
{
    double n = 0;
    int r = get_number(f, &n, json, e);

    (void)mode;
    if (r == 0)
        *(int64_t *)member(f, base) =
            json_is_null(json) ? UNSET : llround(n * (double)SECOND);
    return r;
}

static int read_bool(const struct field *f, void *base, const json_t *json,
                     enum record_mode mode, struct error *e)
{
    (void)mode;
    if (!json_is_boolean(json))
        return error_set(e, -EINVAL, "must be true or false");
    *(bool *)member(f, base) = json_is_true(json);
    return 0;
}

static bool is_null(const struct field *f, double n)
{
    return n == UNSET && f->flags & FIELD_NULLABLE;
}

/* Whole numbers without a ".0"; what is no number (0/0) as the least. */
static json_t *real(const struct field *f, double n)
{
    if (!isfinite(n))
        n = f->least;
    if (n == floor(n) && fabs(n) < 1e15)
        return json_integer((json_int_t)n);
    return json_real(n);
}

static json_t *write_integer(const struct field *f, const void *base)
{
    int64_t n = *(const int64_t *)const_member(f, base);

    return is_null(f, (double)n) ? json_null() : json_integer(n);
}

static json_t *write_int32(const struct field *f, const void *base)
{
    return json_integer(*(const int32_t *)const_member(f, base));
}

static json_t *write_number(const struct field *f, const void *base)
{
    double n = *(const double *)const_member(f, base);

    return is_null(f, n) ? json_null() : real(f, n);
}

static json_t *write_time(const struct field *f, const void *base)
{
    double us = (double)*(const int64_t *)const_member(f, base);

    return is_null(f, us) ? json_null() : real(f, us / (double)SECOND);
}

static json_t *write_bool(const struct field *f, const void *base)
{
    return json_boolean(*(const bool *)const_member(f, base));
}

/*
 * Names and texts.
 */

/* "a, b or c": what the field may be. */
static void list_names(const struct field *f, char *ret, size_t size)
{
    size_t used = 0;

    ret[0] = '\0';
    for (size_t i = 0; i < f->name_count && used < size; i++) {
        const char *between = i + 1 == f->name_count ? " or " : ", ";
        if (f->names[i])
            used += (size_t)snprintf(ret + used, size - used, "%s%s",
                                     used ? between : "", f->names[i]);
    }
}

static bool is_reserved(const struct field *f, const char *name)
{
    for (const char *const *s = f->reserved; s && *s; s++) {
        if (strcmp(*s, name) == 0)
            return true;
    }
    return false;
}

static int read_enum(const struct field *f, void *base, const json_t *json,
                     enum record_mode mode, struct error *e)
{
    const char *name = json_string_value(json);
    int value = name ? field_name_index(f->names, f->name_count, name) : -1;

    (void)mode;
    if (json_is_null(json) && f->flags & FIELD_NULLABLE)
        value = 0;
    if (value < 0 && name && is_reserved(f, name))
        return error_set(e, -EINVAL, "'%s' is not built yet", name);
    if (value < 0) {
        char names[256];
        list_names(f, names, sizeof(names));
        return error_set(e, -EINVAL, "must be %s", names);
    }
    *(int *)member(f, base) = value;
    return 0;
}

static json_t *write_enum(const struct field *f, const void *base)
{
    const char *name = f->names[*(const int *)const_member(f, base)];

    return name ? json_string(name) : json_null();
}

/* Length of @s, cut to @most bytes where a character ends. */
static size_t cut_length(const char *s, size_t most)
{
    size_t n = strnlen(s, most + 1);

    if (n <= most)
        return n;
    for (n = most; n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80; n--)
        ;
    return n;
}

/* How many bytes of @json the field takes, in *@ret. */
static int get_length(const struct field *f, size_t *ret, const json_t *json,
                      struct error *e)
{
    const char *s = json_string_value(json);

    if (!s)
        return error_set(e, -EINVAL, "must be a string");
    if (strlen(s) != json_string_length(json))
        return error_set(e, -EINVAL, "contains a NUL character");

    size_t n = cut_length(s, f->bytes);
    if (n < strlen(s) && !(f->flags & FIELD_LENIENT))
        return error_set(e, -EINVAL, "is longer than %zu bytes", f->bytes);
    int r = f->check ? f->check(s, e) : 0;
    if (r < 0)
        return r;
    *ret = n;
    return 0;
}

static int get_text(const struct field *f, char **ret, const json_t *json,
                    struct error *e)
{
    size_t n = 0;
    int r = get_length(f, &n, json, e);

    if (r == 0)
        *ret = xstrndup(json_string_value(json), n);
    return r;
}

static int read_text(const struct field *f, void *base, const json_t *json,
                     enum record_mode mode, struct error *e)
{
    (void)mode;
    if (json_is_null(json) && f->flags & FIELD_NULLABLE)
        return 0; // NULL is there already
    return get_text(f, member(f, base), json, e);
}

static json_t *write_text(const struct field *f, const void *base)
{
    return document_text(*(char *const *)const_member(f, base));
}

static void fini_text(const struct field *f, void *base)
{
    char **text = member(f, base);

    free(*text);
    *text = NULL;
}

static int read_chars(const struct field *f, void *base, const json_t *json,
                      enum record_mode mode, struct error *e)
{
    char *chars = member(f, base);
    size_t n = 0;
    int r = get_length(f, &n, json, e);

    (void)mode;
    if (r < 0)
        return r;
    memcpy(chars, json_string_value(json), n);
    chars[n] = '\0';
    return 0;
}

static json_t *write_chars(const struct field *f, const void *base)
{
    return document_text(const_member(f, base));
}

/*
 * Lists.
 */

/* Puts "[3]" before the field at fault. */
static int wrap_index(struct error *e, size_t i, int r)
{
    char index[24];

    (void)snprintf(index, sizeof(index), "[%zu]", i);
    error_wrap_field(e, index);
    return r;
}

static int check_list(const struct field *f, const json_t *json,
                      struct error *e)
{
    size_t count = json_array_size(json);

    if (!json_is_array(json))
        return error_set(e, -EINVAL, "must be a list");
    if ((double)count < f->least)
        return error_set(e, -EINVAL, "needs at least %.0f", f->least);
    if ((double)count > f->most)
        return error_set(e, -EINVAL, "has %zu elements, more than %.0f", count,
                         f->most);
    return 0;
}

static int read_texts(const struct field *f, void *base, const json_t *json,
                      enum record_mode mode, struct error *e)
{
    char ***texts = member(f, base);
    size_t *count = count_of(f, base);
    int r = check_list(f, json, e);

    (void)mode;
    if (r < 0)
        return r;
    *texts = xcalloc(json_array_size(json), sizeof(**texts));
    for (; *count < json_array_size(json); (*count)++) {
        r = get_text(f, &(*texts)[*count], json_array_get(json, *count), e);
        if (r < 0)
            return wrap_index(e, *count, r);
    }
    return 0;
}

static json_t *write_texts(const struct field *f, const void *base)
{
    char *const *texts = *(char *const *const *)const_member(f, base);
    json_t *list = json_array();

    for (size_t i = 0; i < get_count(f, base); i++)
        (void)json_array_append_new(list, document_text(texts[i]));
    return list;
}

static void fini_texts(const struct field *f, void *base)
{
    char ***texts = member(f, base);
    size_t *count = count_of(f, base);

    while (*count)
        free((*texts)[--*count]);
    free(*texts);
    *texts = NULL;
}

static int fill(const struct record *r, void *base, const json_t *json,
                enum record_mode mode, struct error *e);

/* @elements has zeroed room for those of @json. */
static int read_elements(const struct field *f, char *elements, size_t *count,
                         const json_t *json, enum record_mode mode,
                         struct error *e)
{
    while (*count < json_array_size(json)) {
        size_t i = (*count)++; // one that fails half-way is to be freed too
        int r = fill(f->record, elements + i * f->record->size,
                     json_array_get(json, i), mode, e);
        if (r < 0)
            return wrap_index(e, i, r);
    }
    return 0;
}

/* Null is one element of defaults where elements know that they are not given,
 * else no element. */
static int read_list(const struct field *f, void *base, const json_t *json,
                     enum record_mode mode, struct error *e)
{
    void **list = member(f, base);
    size_t *count = count_of(f, base);

    if (json_is_null(json) && f->flags & FIELD_NULLABLE) {
        *list = xcalloc(1, f->record->size);
        *count = find_given(f->record) ? 1 : 0;
        return *count ? fill(f->record, *list, NULL, mode, e) : 0;
    }
    int r = check_list(f, json, e);
    if (r < 0)
        return r;
    *list = xcalloc(json_array_size(json), f->record->size);
    return read_elements(f, *list, count, json, mode, e);
}

static int read_array(const struct field *f, void *base, const json_t *json,
                      enum record_mode mode, struct error *e)
{
    int r = check_list(f, json, e);

    return r < 0 ? r
                 : read_elements(f, member(f, base), count_of(f, base), json,
                                 mode, e);
}

static json_t *write_elements(const struct field *f, const char *elements,
                              size_t count)
{
    if (f->flags & FIELD_NULLABLE && count == 1 &&
        !was_given(f->record, elements))
        return json_null();

    json_t *list = json_array();
    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(
            list, record_to_json(f->record, elements + i * f->record->size));
    return list;
}

static json_t *write_list(const struct field *f, const void *base)
{
    return write_elements(f, *(char *const *)const_member(f, base),
                          get_count(f, base));
}

static json_t *write_array(const struct field *f, const void *base)
{
    return write_elements(f, const_member(f, base), get_count(f, base));
}

static void fini_elements(const struct field *f, char *elements, size_t *count)
{
    while (*count)
        record_fini(f->record, elements + --*count * f->record->size);
}

static void fini_list(const struct field *f, void *base)
{
    void **list = member(f, base);

    fini_elements(f, *list, count_of(f, base));
    free(*list);
    *list = NULL;
}

static void fini_array(const struct field *f, void *base)
{
    fini_elements(f, member(f, base), count_of(f, base));
}

/*
 * Objects and what is left.
 */

static int read_object(const struct field *f, void *base, const json_t *json,
                       enum record_mode mode, struct error *e)
{
    if (json_is_null(json) && f->flags & FIELD_NULLABLE)
        json = NULL;
    return fill(f->record, member(f, base), json, mode, e);
}

static json_t *write_object(const struct field *f, const void *base)
{
    const void *object = const_member(f, base);

    return was_given(f->record, object) ? record_to_json(f->record, object)
                                        : json_null();
}

static void fini_object(const struct field *f, void *base)
{
    record_fini(f->record, member(f, base));
}

static int read_custom(const struct field *f, void *base, const json_t *json,
                       enum record_mode mode, struct error *e)
{
    (void)mode;
    return f->custom->read(member(f, base), json, e);
}

static json_t *write_custom(const struct field *f, const void *base)
{
    return f->custom->write(const_member(f, base));
}

static int read_reserved(const struct field *f, void *base, const json_t *json,
                         enum record_mode mode, struct error *e)
{
    (void)f;
    (void)base;
    (void)mode;
    return json_is_null(json) ? 0 : error_set(e, -EINVAL, "is not built yet");
}

static json_t *write_reserved(const struct field *f, const void *base)
{
    (void)f;
    (void)base;
    return json_null();
}

// clang-format off
static const struct type types[FIELD_TYPE_COUNT] = {
    [FIELD_BOOL]     = {read_bool,     write_bool,     NULL},
    [FIELD_INTEGER]  = {read_integer,  write_integer,  NULL},
    [FIELD_INT32]    = {read_int32,    write_int32,    NULL},
    [FIELD_NUMBER]   = {read_number,   write_number,   NULL},
    [FIELD_TIME]     = {read_time,     write_time,     NULL},
    [FIELD_ENUM]     = {read_enum,     write_enum,     NULL},
    [FIELD_TEXT]     = {read_text,     write_text,     fini_text},
    [FIELD_CHARS]    = {read_chars,    write_chars,    NULL},
    [FIELD_TEXTS]    = {read_texts,    write_texts,    fini_texts},
    [FIELD_OBJECT]   = {read_object,   write_object,   fini_object},
    [FIELD_LIST]     = {read_list,     write_list,     fini_list},
    [FIELD_ARRAY]    = {read_array,    write_array,    fini_array},
    [FIELD_CUSTOM]   = {read_custom,   write_custom,   NULL},
    [FIELD_RESERVED] = {read_reserved, write_reserved, NULL},
};
// clang-format on

/*
 * Records.
 */

static int read_default(const struct field *f, void *base,
                        enum record_mode mode, struct error *e)
{
    if (!f->fallback)
        return mode == RECORD_TEMPLATE ? 0
                                       : error_set(e, -EINVAL, "is missing");

    json_t *json = json_loads(f->fallback, JSON_DECODE_ANY, NULL);
    int r = types[f->type].read(f, base, json, mode, e);
    json_decref(json);
    return r;
}

static int read_field(const struct field *f, void *base, const json_t *json,
                      enum record_mode mode, struct error *e)
{
    if (!json)
        return read_default(f, base, mode, e);
    if (mode == RECORD_TEMPLATE && f->flags & FIELD_OWN)
        return error_set(e, -EINVAL, "belongs to a job, not to a profile");
    return types[f->type].read(f, base, json, mode, e);
}

static int refuse_unknown(const struct record *r, const json_t *json,
                          struct error *e)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(size_t)json, key, value)
    {
        if (!record_find(r, key))
            return error_set_field(e, -EINVAL, key, "there is no such field");
    }
    return 0;
}

/* Fill the zeroed struct at @base; without @json by defaults. What was filled
 * before a failure stays, for record_fini(). */
static int fill(const struct record *r, void *base, const json_t *json,
                enum record_mode mode, struct error *e)
{
    if (json && !json_is_object(json))
        return error_set(e, -EINVAL, "must be an object");

    int result =
        json && r->unknown == RECORD_REFUSE ? refuse_unknown(r, json, e) : 0;
    for (size_t i = 0; i < r->field_count && result == 0; i++) {
        const struct field *f = &r->fields[i];
        if (!f->name)
            continue;
        result = read_field(f, base, json_object_get(json, f->name), mode, e);
        if (result < 0)
            error_wrap_field(e, f->name);
    }
    set_given(r, base, json != NULL);
    return result == 0 && r->check ? r->check(base, e) : result;
}

int record_from_json(const struct record *r, void *base,
                     const struct json_t *json, enum record_mode mode,
                     struct error *e)
{
    void *fresh = xcalloc(1, r->size);
    int result = fill(r, fresh, json, mode, e);

    if (result < 0)
        record_fini(r, fresh);
    else
        memcpy(base, fresh, r->size);
    free(fresh);
    return result;
}

struct json_t *record_to_json(const struct record *r, const void *base)
{
    json_t *object = json_object();

    for (size_t i = 0; i < r->field_count; i++) {
        const struct field *f = &r->fields[i];
        if (f->name)
            (void)json_object_set_new(object, f->name,
                                      types[f->type].write(f, base));
    }
    return object;
}

void record_fini(const struct record *r, void *base)
{
    for (size_t i = 0; i < r->field_count; i++) {
        const struct field *f = &r->fields[i];
        if (types[f->type].fini)
            types[f->type].fini(f, base);
    }
}
