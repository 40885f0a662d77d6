#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "pipeline/reorder.h"

#define MOST 10

static void reorder_next__presentation_times__become_an_order(void **state)
{
    static const struct {
        const char *what;
        int delay;
        int64_t pts[MOST];
        int64_t expect[MOST];
        size_t count;
    } cases[] = {
        {"nothing held back", 0, {0, 40, 80}, {0, 40, 80}, 3},
        {"one B-frame each",
         1,
         {0, 80, 40, 160, 120},
         {-40, 0, 40, 80, 120},
         5},
        {"a pyramid",
         2,
         {0, 160, 80, 40, 120, 200},
         {-80, -40, 0, 40, 80, 120},
         6},
        {"uneven times", 1, {0, 90, 40, 100, 95}, {-40, 0, 40, 90, 95}, 5},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct reorder r;
        print_message("%s\n", cases[i].what);
        reorder_init(&r, cases[i].delay);
        for (size_t k = 0; k < cases[i].count; k++) {
            int64_t dts = reorder_next(&r, cases[i].pts[k], 40);
            assert_int_equal(dts, cases[i].expect[k]);
            assert_true(dts <= cases[i].pts[k]);
        }
    }
}

static void reorder_init__absurd_delay__is_cut(void **state)
{
    struct reorder r;

    (void)state;
    reorder_init(&r, 1000);
    for (int64_t i = 0; i < 100; i++)
        assert_true(reorder_next(&r, i, 1) <= i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reorder_next__presentation_times__become_an_order),
        cmocka_unit_test(reorder_init__absurd_delay__is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
