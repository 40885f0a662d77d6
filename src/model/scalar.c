#include "model/scalar.h"

#include <errno.h>
#include <math.h>
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
    return get_whole(f, field_member(f, base), json, e);
}

static int read_int32(const struct field *f, void *base, const json_t *json,
                      enum record_mode mode, struct error *e)
{
    int64_t n = 0;
    int r = get_whole(f, &n, json, e);

    (void)mode;
    if (r == 0)
        *(int32_t *)field_member(f, base) = (int32_t)n; // the row's range fits
    return r;
}

static int read_number(const struct field *f, void *base, const json_t *json,
                       enum record_mode mode, struct error *e)
{
    (void)mode;
    return get_number(f, field_member(f, base), json, e);
}

static int read_time(const struct field *f, void *base, const json_t *json,
                     enum record_mode mode, struct error *e)
{
    double n = 0;
    int r = get_number(f, &n, json, e);

    (void)mode;
    if (r == 0)
        *(int64_t *)field_member(f, base) =
            json_is_null(json) ? UNSET : llround(n * (double)SECOND);
    return r;
}

static int read_bool(const struct field *f, void *base, const json_t *json,
                     enum record_mode mode, struct error *e)
{
    (void)mode;
    if (!json_is_boolean(json))
        return error_set(e, -EINVAL, "must be true or false");
    *(bool *)field_member(f, base) = json_is_true(json);
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
    int64_t n = *(const int64_t *)field_const_member(f, base);

    return is_null(f, (double)n) ? json_null() : json_integer(n);
}

static json_t *write_int32(const struct field *f, const void *base)
{
    int32_t n = *(const int32_t *)field_const_member(f, base);

    return is_null(f, n) ? json_null() : json_integer(n);
}

static json_t *write_number(const struct field *f, const void *base)
{
    double n = *(const double *)field_const_member(f, base);

    return is_null(f, n) ? json_null() : real(f, n);
}

static json_t *write_time(const struct field *f, const void *base)
{
    double us = (double)*(const int64_t *)field_const_member(f, base);

    return is_null(f, us) ? json_null() : real(f, us / (double)SECOND);
}

static json_t *write_bool(const struct field *f, const void *base)
{
    return json_boolean(*(const bool *)field_const_member(f, base));
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
    *(int *)field_member(f, base) = value;
    return 0;
}

static json_t *write_enum(const struct field *f, const void *base)
{
    const char *name = f->names[*(const int *)field_const_member(f, base)];

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

int scalar_get_text(const struct field *f, char **ret,
                    const struct json_t *json, struct error *e)
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
    return scalar_get_text(f, field_member(f, base), json, e);
}

static json_t *write_text(const struct field *f, const void *base)
{
    return document_text(*(char *const *)field_const_member(f, base));
}

static void fini_text(const struct field *f, void *base)
{
    char **text = field_member(f, base);

    free(*text);
    *text = NULL;
}

static int read_chars(const struct field *f, void *base, const json_t *json,
                      enum record_mode mode, struct error *e)
{
    char *chars = field_member(f, base);
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
    return document_text(field_const_member(f, base));
}

/*
 * What is read by others, or not yet.
 */

static int read_custom(const struct field *f, void *base, const json_t *json,
                       enum record_mode mode, struct error *e)
{
    (void)mode;
    return f->custom->read(field_member(f, base), json, e);
}

static json_t *write_custom(const struct field *f, const void *base)
{
    return f->custom->write(field_const_member(f, base));
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
const struct field_ops scalar_ops[FIELD_TYPE_COUNT] = {
    [FIELD_BOOL]     = {read_bool,     write_bool,     NULL},
    [FIELD_INTEGER]  = {read_integer,  write_integer,  NULL},
    [FIELD_INT32]    = {read_int32,    write_int32,    NULL},
    [FIELD_NUMBER]   = {read_number,   write_number,   NULL},
    [FIELD_TIME]     = {read_time,     write_time,     NULL},
    [FIELD_ENUM]     = {read_enum,     write_enum,     NULL},
    [FIELD_TEXT]     = {read_text,     write_text,     fini_text},
    [FIELD_CHARS]    = {read_chars,    write_chars,    NULL},
    [FIELD_CUSTOM]   = {read_custom,   write_custom,   NULL},
    [FIELD_RESERVED] = {read_reserved, write_reserved, NULL},
};
// clang-format on
