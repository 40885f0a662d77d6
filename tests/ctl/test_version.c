#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "version.h"

static int sign(int n)
{
    return (n > 0) - (n < 0);
}

static void compare__number_by_number(void **state)
{
    static const struct {
        const char *a;
        const char *b;
        int expect;
    } cases[] = {
        {"470.256.02", "470.256.02", 0},
        {"470.57.02", "470.256.02", -1},
        {"535.54", "470.256.02", 1},
        {"470.256", "470.256.02", -1},
        {"470.256.0", "470.256", 0},
        {"12.0", "11.1", 1},
        {"9.1", "11.1", -1},
        {"", "11.1", -1},
        {"", "", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("'%s' and '%s'\n", cases[i].a, cases[i].b);
        assert_int_equal(sign(version_compare(cases[i].a, cases[i].b)),
                         cases[i].expect);
        assert_int_equal(sign(version_compare(cases[i].b, cases[i].a)),
                         -cases[i].expect);
    }
}

static void first__number_of_the_branch(void **state)
{
    (void)state;
    assert_int_equal(version_first("590.48.01"), 590);
    assert_int_equal(version_first(""), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compare__number_by_number),
        cmocka_unit_test(first__number_of_the_branch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
