#include "model/field.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/error.h"
#include "base/memory.h"
#include "model/document.h"
#include "model/scalar.h"

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

    return !given || *(const bool *)field_const_member(given, base);
}

static void set_given(const struct record *r, void *base, bool value)
{
    const struct field *given = find_given(r);

    if (given)
        *(bool *)field_member(given, base) = value;
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
        return error_set(e, -EINVAL, "needs at least %.0f element", f->least);
    if ((double)count > f->most)
        return error_set(e, -EINVAL, "has %zu elements, more than %.0f", count,
                         f->most);
    return 0;
}

static int read_texts(const struct field *f, void *base, const json_t *json,
                      enum record_mode mode, struct error *e)
{
    char ***texts = field_member(f, base);
    size_t *count = count_of(f, base);
    int r = check_list(f, json, e);

    (void)mode;
    if (r < 0)
        return r;
    *texts = xcalloc(json_array_size(json), sizeof(**texts));
    for (; *count < json_array_size(json); (*count)++) {
        r = scalar_get_text(f, &(*texts)[*count], json_array_get(json, *count),
                            e);
        if (r < 0)
            return wrap_index(e, *count, r);
    }
    return 0;
}

static json_t *write_texts(const struct field *f, const void *base)
{
    char *const *texts = *(char *const *const *)field_const_member(f, base);
    json_t *list = json_array();

    for (size_t i = 0; i < get_count(f, base); i++)
        (void)json_array_append_new(list, document_text(texts[i]));
    return list;
}

static void fini_texts(const struct field *f, void *base)
{
    char ***texts = field_member(f, base);
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
    void **list = field_member(f, base);
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
                 : read_elements(f, field_member(f, base), count_of(f, base),
                                 json, mode, e);
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
    return write_elements(f, *(char *const *)field_const_member(f, base),
                          get_count(f, base));
}

static json_t *write_array(const struct field *f, const void *base)
{
    return write_elements(f, field_const_member(f, base), get_count(f, base));
}

static void fini_elements(const struct field *f, char *elements, size_t *count)
{
    while (*count)
        record_fini(f->record, elements + --*count * f->record->size);
}

static void fini_list(const struct field *f, void *base)
{
    void **list = field_member(f, base);

    fini_elements(f, *list, count_of(f, base));
    free(*list);
    *list = NULL;
}

static void fini_array(const struct field *f, void *base)
{
    fini_elements(f, field_member(f, base), count_of(f, base));
}

/*
 * Objects.
 */

static int read_object(const struct field *f, void *base, const json_t *json,
                       enum record_mode mode, struct error *e)
{
    if (json_is_null(json) && f->flags & FIELD_NULLABLE)
        json = NULL;
    return fill(f->record, field_member(f, base), json, mode, e);
}

static json_t *write_object(const struct field *f, const void *base)
{
    const void *object = field_const_member(f, base);

    return was_given(f->record, object) ? record_to_json(f->record, object)
                                        : json_null();
}

static void fini_object(const struct field *f, void *base)
{
    record_fini(f->record, field_member(f, base));
}

// clang-format off
static const struct field_ops compound_ops[FIELD_TYPE_COUNT] = {
    [FIELD_TEXTS]  = {read_texts,  write_texts,  fini_texts},
    [FIELD_OBJECT] = {read_object, write_object, fini_object},
    [FIELD_LIST]   = {read_list,   write_list,   fini_list},
    [FIELD_ARRAY]  = {read_array,  write_array,  fini_array},
};
// clang-format on

static const struct field_ops *ops_of(const struct field *f)
{
    return scalar_ops[f->type].read ? &scalar_ops[f->type]
                                    : &compound_ops[f->type];
}

/*
 * Records.
 */

static int read_default(const struct field *f, void *base,
                        enum record_mode mode, struct error *e)
{
    if (!f->fallback)
        return mode == RECORD_TEMPLATE ? 0
                                       : error_set(e, -EINVAL, "is missing");

    // most defaults are null, and jansson has that one ready
    json_t *json = strcmp(f->fallback, "null") == 0
                       ? json_null()
                       : json_loads(f->fallback, JSON_DECODE_ANY, NULL);
    int r = ops_of(f)->read(f, base, json, mode, e);
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
    return ops_of(f)->read(f, base, json, mode, e);
}

static int refuse_unknown(const struct record *r, const json_t *json,
                          struct error *e)
{
    const char *key;
    json_t *value;

    json_object_foreach ((json_t *)(size_t)json, key, value) {
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
        if (!f->name)
            continue;
        json_t *value = ops_of(f)->write(f, base);
        if (f->flags & FIELD_LATE && json_is_null(value))
            json_decref(value);
        else
            (void)json_object_set_new(object, f->name, value);
    }
    return object;
}

void record_fini(const struct record *r, void *base)
{
    for (size_t i = 0; i < r->field_count; i++) {
        const struct field *f = &r->fields[i];
        if (ops_of(f)->fini)
            ops_of(f)->fini(f, base);
    }
}
