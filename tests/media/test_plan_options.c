#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "media/plan.h"
#include "media/plan_options.h"

/* All of them as "name=value", with a blank between them. */
static const char *describe(const struct plan_options *o)
{
    static char text[1024];
    size_t used = 0;

    *text = '\0';
    for (size_t i = 0; i < o->count; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s=%s",
                                 used ? " " : "", o->list[i].name,
                                 o->list[i].value);
    return text;
}

static void plan_options_set__again__replaces_in_its_place(void **state)
{
    struct plan_options o = {0};

    (void)state;
    plan_options_set(&o, "preset", "fast");
    plan_options_set(&o, "bf", "2");
    plan_options_set(&o, "preset", "slow");
    assert_string_equal(describe(&o), "preset=slow bf=2");
}

static void plan_options_set__value_of_a_job__is_not_taken_apart(void **state)
{
    static const char *const values[] = {"a:b=c", "=", ":", "", "x,y;z \"q\""};

    (void)state;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct plan_options o = {0};
        print_message("'%s'\n", values[i]);
        plan_options_set(&o, "level", values[i]);
        assert_int_equal(o.count, 1);
        assert_string_equal(plan_options_get(&o, "level"), values[i]);
    }
}

static void plan_options_set__long_value__is_cut_and_ended(void **state)
{
    struct plan_options o = {0};
    char value[300];

    (void)state;
    memset(value, 'v', sizeof(value) - 1);
    value[sizeof(value) - 1] = '\0';
    plan_options_set(&o, "preset", value);
    assert_int_equal(strlen(plan_options_get(&o, "preset")),
                     sizeof(o.list[0].value) - 1);
}

static void plan_options_set__full__still_replaces(void **state)
{
    struct plan_options o = {0};
    char name[8];

    (void)state;
    for (int i = 0; i < PLAN_OPTIONS_MOST; i++) {
        (void)snprintf(name, sizeof(name), "o%d", i);
        plan_options_set_integer(&o, name, i);
    }
    plan_options_set(&o, "o19", "last");
    assert_int_equal(o.count, PLAN_OPTIONS_MOST);
    assert_string_equal(plan_options_get(&o, "o0"), "0");
    assert_string_equal(plan_options_get(&o, "o19"), "last");
}

static void plan_options_set_integer__extremes__are_written_out(void **state)
{
    static const struct {
        int64_t value;
        const char *expect;
    } cases[] = {
        {0, "0"},
        {-1, "-1"},
        {INT64_MAX, "9223372036854775807"},
        {INT64_MIN, "-9223372036854775808"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct plan_options o = {0};
        plan_options_set_integer(&o, "b", cases[i].value);
        assert_string_equal(plan_options_get(&o, "b"), cases[i].expect);
    }
}

static void
plan_options_set_number__values__have_no_needless_digits(void **state)
{
    static const struct {
        double value;
        const char *expect;
    } cases[] = {{23, "23"}, {18.5, "18.5"}, {0, "0"}, {0.25, "0.25"}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct plan_options o = {0};
        plan_options_set_number(&o, "crf", cases[i].value);
        assert_string_equal(plan_options_get(&o, "crf"), cases[i].expect);
    }
}

static void plan_options_set_all__texts__are_taken_apart(void **state)
{
    static const struct {
        const char *text;
        const char *expect;
    } cases[] = {
        {NULL, ""},
        {"", ""},
        {"preset=fast", "preset=fast"},
        {"deadline=good:cpu-used=5", "deadline=good cpu-used=5"},
        {"x265-params=log-level=warning", "x265-params=log-level=warning"},
        {"a=:b=1", "a= b=1"},
        {"a=1:", "a=1"},
        {"a=1:b=2:a=3", "a=3 b=2"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct plan_options o = {0};
        print_message("%s\n", cases[i].text ? cases[i].text : "(null)");
        plan_options_set_all(&o, cases[i].text);
        assert_string_equal(describe(&o), cases[i].expect);
    }
}

static void plan_options_get__other_names__are_not_found(void **state)
{
    static const char *const others[] = {"b", "bfs", "BF", ""};
    struct plan_options o = {0};

    (void)state;
    assert_null(plan_options_get(&o, "bf"));
    plan_options_set(&o, "bf", "2");
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_null(plan_options_get(&o, others[i]));
    assert_string_equal(plan_options_get(&o, "bf"), "2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan_options_set__again__replaces_in_its_place),
        cmocka_unit_test(plan_options_set__value_of_a_job__is_not_taken_apart),
        cmocka_unit_test(plan_options_set__long_value__is_cut_and_ended),
        cmocka_unit_test(plan_options_set__full__still_replaces),
        cmocka_unit_test(plan_options_set_integer__extremes__are_written_out),
        cmocka_unit_test(
            plan_options_set_number__values__have_no_needless_digits),
        cmocka_unit_test(plan_options_set_all__texts__are_taken_apart),
        cmocka_unit_test(plan_options_get__other_names__are_not_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
