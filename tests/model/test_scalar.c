#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "model/quote.h"
#include "model/scalar.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static void scalar_ops__types__read_and_write_or_neither(void **state)
{
    static const enum field_type compound[] = {
        FIELD_TEXTS, FIELD_OBJECT, FIELD_LIST, FIELD_ARRAY, FIELD_GIVEN,
    };
    size_t scalars = 0;

    (void)state;
    for (size_t i = 0; i < FIELD_TYPE_COUNT; i++) {
        assert_int_equal(scalar_ops[i].read != NULL,
                         scalar_ops[i].write != NULL);
        scalars += scalar_ops[i].read != NULL;
    }
    for (size_t i = 0; i < COUNT(compound); i++)
        assert_null(scalar_ops[compound[i]].read);
    assert_int_equal(scalars, FIELD_TYPE_COUNT - COUNT(compound));
}

static void scalar_get_text__length__is_kept_or_cut(void **state)
{
    static const struct {
        unsigned flags;
        const char *text;
        const char *expect; // NULL: refused
    } cases[] = {
        {0, "'1234'", "1234"},
        {0, "'12345'", NULL},
        {0, "''", ""},
        {FIELD_LENIENT, "'12345'", "1234"},
        {FIELD_LENIENT, "'12\xe2\x82\xac'", "12"}, // five bytes
        {FIELD_LENIENT, "'1\xe2\x82\xac'", "1\xe2\x82\xac"},
        {FIELD_LENIENT, "7", NULL},
        {FIELD_NULLABLE, "null", NULL}, // is for those who know what it means
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        const struct field f = {.flags = cases[i].flags, .bytes = 4};
        json_t *json = quote(cases[i].text);
        struct error e = {0};
        char *text = NULL;
        int r = scalar_get_text(&f, &text, json, &e);
        if (cases[i].expect) {
            assert_int_equal(r, 0);
            assert_string_equal(text, cases[i].expect);
        } else {
            assert_int_equal(r, -EINVAL);
            assert_null(text);
        }
        free(text);
        json_decref(json);
    }
}

/* Whatever a time is in microseconds, seconds in JSON give the same. */
static void scalar_ops__times__survive_seconds(void **state)
{
    static const int64_t cases[] = {
        0,
        1,
        999999,
        SECOND,
        SECOND + 1,
        86399 * SECOND + 123457,
        INT64_C(9999999999999),
    };
    const struct field f = {.type = FIELD_TIME, .most = 1e7};
    const struct field_ops *time = &scalar_ops[FIELD_TIME];

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        int64_t again = -1;
        struct error e = {0};
        json_t *json = time->write(&f, &cases[i]);
        assert_int_equal(time->read(&f, &again, json, RECORD_WHOLE, &e), 0);
        assert_true(again == cases[i]);
        json_decref(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalar_ops__types__read_and_write_or_neither),
        cmocka_unit_test(scalar_get_text__length__is_kept_or_cut),
        cmocka_unit_test(scalar_ops__times__survive_seconds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
