#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "model/limits.h"

static void limits_options__defaults__are_within_their_range(void **state)
{
    struct limits l = {0};
    struct error e = {0};

    (void)state;
    assert_int_equal(
        option_set_defaults(limits_options, limits_option_count, &l, &e), 0);
    assert_string_equal(e.text, "");
    assert_int_equal(l.clients, 256);
    assert_int_equal(l.stall_timeout, 30000000);
    assert_int_equal(l.write_queue, 4 << 20);
}

/* One row for each member, and each member in one row. */
static void limits_options__rows__cover_the_struct(void **state)
{
    bool seen[sizeof(struct limits) / sizeof(int64_t)] = {false};

    (void)state;
    assert_int_equal(limits_option_count, sizeof(seen) / sizeof(seen[0]));
    for (size_t i = 0; i < limits_option_count; i++) {
        const struct option *o = &limits_options[i];
        size_t place = o->offset / sizeof(int64_t);
        assert_false(seen[place]);
        seen[place] = true;
        assert_true(o->least <= o->most);
        assert_true(strlen(o->help) > 10);
        assert_ptr_equal(
            option_find(limits_options, limits_option_count, o->name), o);
    }
}

static void limits_options__ends_of_ranges__are_read_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < limits_option_count; i++) {
        const struct option *o = &limits_options[i];
        struct limits l = {0};
        struct error e = {0};
        int64_t *value = (int64_t *)(void *)((char *)&l + o->offset);
        for (int end = 0; end < 2; end++) {
            *value = end ? o->most : o->least;
            int64_t expect = *value;
            char *text = option_format(o, &l);
            print_message("%s %s\n", o->name, text);
            assert_int_equal(option_set(o, &l, text, &e), 0);
            assert_true(*value == expect);
            free(text);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limits_options__defaults__are_within_their_range),
        cmocka_unit_test(limits_options__rows__cover_the_struct),
        cmocka_unit_test(limits_options__ends_of_ranges__are_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
