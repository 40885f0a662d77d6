#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/option.h"

struct values {
    bool safe;
    int64_t count;
    int64_t wait;
    int64_t room;
    char *name;
};

// clang-format off
static const struct option table[] = {
    {"safe",  OPTION_BOOL, OPTION_FIELD(struct values, safe, bool),
     0, 0, "yes", "Be careful"},
    {"count", OPTION_COUNT, OPTION_FIELD(struct values, count, int64_t),
     1, 64, "2", "How many"},
    {"wait",  OPTION_DURATION, OPTION_FIELD(struct values, wait, int64_t),
     SECOND, 60 * SECOND, "30s", "How long"},
    {"room",  OPTION_SIZE, OPTION_FIELD(struct values, room, int64_t),
     1024, 1 << 30, "5M", "How much"},
    {"name",  OPTION_TEXT, OPTION_FIELD(struct values, name, char *),
     0, 0, "", "What it is called"},
};
// clang-format on

#define COUNT (sizeof(table) / sizeof(table[0]))

static int with_defaults(void **state)
{
    static struct values v;
    struct error e = {0};

    memset(&v, 0, sizeof(v));
    *state = &v;
    return option_set_defaults(table, COUNT, &v, &e);
}

static int free_values(void **state)
{
    option_free_values(table, COUNT, *state);
    return 0;
}

static int set(struct values *v, const char *name, const char *text,
               struct error *e)
{
    return option_set(option_find(table, COUNT, name), v, text, e);
}

static void option_set_defaults__values__are_the_rows(void **state)
{
    const struct values *v = *state;

    assert_true(v->safe);
    assert_int_equal(v->count, 2);
    assert_int_equal(v->wait, 30 * SECOND);
    assert_int_equal(v->room, 5 << 20);
    assert_null(v->name);
}

static void option_set__texts__become_values(void **state)
{
    struct values *v = *state;
    struct error e = {0};

    assert_int_equal(set(v, "safe", "off", &e), 0);
    assert_int_equal(set(v, "count", "64", &e), 0);
    assert_int_equal(set(v, "wait", "1min", &e), 0);
    assert_int_equal(set(v, "room", "1K", &e), 0);
    assert_int_equal(set(v, "name", "first", &e), 0);
    assert_int_equal(set(v, "name", "second", &e), 0);
    assert_false(v->safe);
    assert_int_equal(v->count, 64);
    assert_int_equal(v->wait, 60 * SECOND);
    assert_int_equal(v->room, 1024);
    assert_string_equal(v->name, "second");
    assert_int_equal(set(v, "name", "", &e), 0);
    assert_null(v->name);
}

static void
option_set__bad_texts__name_the_option_and_change_nothing(void **state)
{
    static const struct {
        const char *name, *text;
        int result;
        const char *words;
    } cases[] = {
        {"safe", "maybe", -EINVAL, "'maybe' is not yes or no"},
        {"count", "two", -EINVAL, "'two' is not a whole number"},
        {"count", "0", -ERANGE, "'0' is not between 1 and 64"},
        {"count", "65", -ERANGE, "'65' is not between 1 and 64"},
        {"count", "99999999999999999999", -ERANGE,
         "'99999999999999999999' is not between 1 and 64"},
        {"wait", "5x", -EINVAL, "'5x' is not a duration such as 30s"},
        {"wait", "2h", -ERANGE, "'2h' is not between 1s and 60s"},
        {"room", "lots", -EINVAL, "'lots' is not a size such as 5M"},
        {"room", "1023", -ERANGE, "'1023' is not between 1K and 1G"},
    };
    const struct values *v = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error e = {0};
        assert_int_equal(set(*state, cases[i].name, cases[i].text, &e),
                         cases[i].result);
        assert_string_equal(e.field, cases[i].name);
        assert_string_equal(e.text, cases[i].words);
    }
    assert_true(v->safe);
    assert_int_equal(v->count, 2);
    assert_int_equal(v->wait, 30 * SECOND);
    assert_int_equal(v->room, 5 << 20);
}

static void option_find__unknown_name__is_none(void **state)
{
    (void)state;
    assert_ptr_equal(option_find(table, COUNT, "wait"), &table[2]);
    assert_null(option_find(table, COUNT, "weight"));
}

static void option_format__value__is_read_back(void **state)
{
    static const struct {
        const char *name, *text, *expect;
    } cases[] = {
        {"safe", "on", "yes"},   {"safe", "0", "no"},
        {"count", "7", "7"},     {"wait", "1500ms", "1500ms"},
        {"wait", "1min", "60s"}, {"room", "1536", "1536"},
        {"room", "2048", "2K"},  {"room", "1G", "1G"},
        {"name", "x y", "x y"},  {"name", "", ""},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct option *o = option_find(table, COUNT, cases[i].name);
        struct error e = {0};
        assert_int_equal(option_set(o, *state, cases[i].text, &e), 0);
        char *text = option_format(o, *state);
        assert_string_equal(text, cases[i].expect);
        assert_int_equal(option_set(o, *state, text, &e), 0);
        free(text);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, with_defaults, free_values)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(option_set_defaults__values__are_the_rows),
        TEST(option_set__texts__become_values),
        TEST(option_set__bad_texts__name_the_option_and_change_nothing),
        TEST(option_find__unknown_name__is_none),
        TEST(option_format__value__is_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
