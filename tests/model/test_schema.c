#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/error.h"
#include "base/fd.h"
#include "model/job_table.h"

/*
 * profiles/job.schema.json against the parser's table, both ways: what the
 * schema promises is what the parser does. Run from the top of the tree.
 */

static json_t *schema; // the whole document

static int load_schema(void **state)
{
    char *text = NULL;
    size_t size = 0;
    int r = fd_read_file(AT_FDCWD, "profiles/job.schema.json", 1 << 20, &text,
                         &size);

    (void)state;
    if (r < 0)
        return r;
    schema = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    free(text);
    return schema ? 0 : -1;
}

static int free_schema(void **state)
{
    (void)state;
    json_decref(schema);
    return 0;
}

/* The definition that {"$ref": "#/$defs/NAME"} means, or what @json is. */
static const json_t *resolve(const json_t *json)
{
    static const char prefix[] = "#/$defs/";
    const char *ref = json_string_value(json_object_get(json, "$ref"));

    if (!ref)
        return json;
    assert_memory_equal(ref, prefix, strlen(prefix));
    return json_object_get(json_object_get(schema, "$defs"),
                           ref + strlen(prefix));
}

/* Is @name the type that @property has, or one of them? */
static bool has_type(const json_t *property, const char *name)
{
    const json_t *type = json_object_get(property, "type");
    size_t i;
    json_t *one;

    if (json_is_string(type))
        return strcmp(json_string_value(type), name) == 0;
    json_array_foreach (type, i, one) {
        if (strcmp(json_string_value(one), name) == 0)
            return true;
    }
    return false;
}

static bool in_list(const json_t *list, const json_t *value)
{
    size_t i;
    json_t *one;

    json_array_foreach (list, i, one) {
        if (json_equal(one, value))
            return true;
    }
    return false;
}

static void check_number(const json_t *property, const char *key, double expect)
{
    const json_t *n = json_object_get(property, key);

    assert_true(json_is_number(n));
    assert_true(fabs(json_number_value(n) - expect) < 1e-12);
}

static void check_enum(const struct field *f, const json_t *property)
{
    const json_t *names = json_object_get(property, "enum");
    size_t count = 0;

    for (size_t i = 0; i < f->name_count; i++) {
        json_t *name = f->names[i] ? json_string(f->names[i]) : json_null();
        assert_true(in_list(names, name));
        json_decref(name);
        count++;
    }
    assert_int_equal(json_array_size(names), count);
}

static void check_record(const struct record *r, const json_t *object);

static void check_object(const struct field *f, const json_t *property)
{
    const json_t *any = json_object_get(property, "anyOf");

    if (f->flags & FIELD_NULLABLE) {
        assert_int_equal(json_array_size(any), 2);
        assert_true(has_type(json_array_get(any, 1), "null"));
        property = json_array_get(any, 0);
    }
    check_record(f->record, resolve(property));
}

static void check_list(const struct field *f, const json_t *property)
{
    assert_true(has_type(property, "array"));
    check_number(property, "minItems", f->least);
    check_number(property, "maxItems", f->most);
    check_record(f->record, resolve(json_object_get(property, "items")));
}

static void check_range(const struct field *f, const json_t *property)
{
    check_number(property, "minimum", f->least);
    check_number(property, "maximum", f->most);
    assert_int_equal(json_object_get(property, "multipleOf") != NULL,
                     (f->flags & FIELD_EVEN) != 0);
}

static void check_type(const struct field *f, const json_t *property)
{
    static const char *const names[FIELD_TYPE_COUNT] = {
        [FIELD_BOOL] = "boolean",  [FIELD_INTEGER] = "integer",
        [FIELD_NUMBER] = "number", [FIELD_TIME] = "number",
        [FIELD_TEXT] = "string",   [FIELD_LIST] = "array",
        [FIELD_RESERVED] = "null",
    };

    if (names[f->type])
        assert_true(has_type(property, names[f->type]));
    if (names[f->type] && f->flags & FIELD_NULLABLE)
        assert_true(has_type(property, "null"));
    if (!(f->flags & FIELD_NULLABLE))
        assert_false(has_type(property, "null"));

    if (f->type == FIELD_INTEGER || f->type == FIELD_NUMBER ||
        f->type == FIELD_TIME)
        check_range(f, property);
    else if (f->type == FIELD_ENUM)
        check_enum(f, property);
    else if (f->type == FIELD_OBJECT)
        check_object(f, property);
    else if (f->type == FIELD_LIST)
        check_list(f, property);
    else if (f->type == FIELD_TEXT)
        check_number(property, "maxLength", (double)f->bytes);
}

static void check_default(const struct field *f, const json_t *object,
                          const json_t *property)
{
    const json_t *given = json_object_get(property, "default");
    json_t *name = json_string(f->name);

    assert_int_equal(in_list(json_object_get(object, "required"), name),
                     f->fallback == NULL);
    json_decref(name);
    assert_int_equal(given == NULL, f->fallback == NULL);
    if (!f->fallback)
        return;

    json_t *expect = json_loads(f->fallback, JSON_DECODE_ANY, NULL);
    assert_non_null(expect);
    if (json_is_number(expect))
        check_number(property, "default", json_number_value(expect));
    else
        assert_true(json_equal(given, expect));
    json_decref(expect);
}

static void check_record(const struct record *r, const json_t *object)
{
    const json_t *properties = json_object_get(object, "properties");
    size_t named = 0;

    assert_true(has_type(object, "object"));
    assert_true(json_is_false(json_object_get(object, "additionalProperties")));
    for (size_t i = 0; i < r->field_count; i++) {
        const struct field *f = &r->fields[i];
        if (!f->name)
            continue;
        print_message("%s\n", f->name);
        named++;
        const json_t *property = json_object_get(properties, f->name);
        assert_non_null(property);
        assert_non_null(json_object_get(property, "description"));
        check_default(f, object, property);
        check_type(f, property);
    }
    assert_int_equal(json_object_size(properties), named); // and no others
}

static void schema__every_field__says_what_the_parser_does(void **state)
{
    (void)state;
    check_record(&job_record, schema);
}

static void schema__itself__is_named_and_complete(void **state)
{
    (void)state;
    assert_string_equal(json_string_value(json_object_get(schema, "$schema")),
                        "https://json-schema.org/draft/2020-12/schema");
    assert_int_equal(json_object_size(json_object_get(schema, "$defs")), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(schema__itself__is_named_and_complete),
        cmocka_unit_test(schema__every_field__says_what_the_parser_does),
    };

    return cmocka_run_group_tests(tests, load_schema, free_schema);
}
