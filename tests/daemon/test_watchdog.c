#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "watchdog.h"

#include <string.h>

#include "base/clock.h"

#define PATIENCE (20 * SECOND)

static void complaint__names_what_hangs(void **state)
{
    static const struct {
        int64_t store; // µs ago, -1: idle
        int64_t due;   // µs ago, INT64_MIN: nothing
        const char *expect;
    } cases[] = {
        {-1, INT64_MIN, NULL},
        {0, INT64_MIN, NULL},
        {PATIENCE - 1, INT64_MIN, NULL},
        {PATIENCE, INT64_MIN, "the store's thread"},
        {-1, -3 * SECOND, NULL}, // it may be silent for three seconds more
        {-1, 0, NULL},
        {-1, 4 * SECOND, NULL}, // the timer is about to fire
        {-1, 5 * SECOND, "a silent worker"},
        {PATIENCE, 5 * SECOND, "the store's thread"},
    };
    const int64_t now = 1000 * SECOND;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct watchdog_signs signs = {
            .now = now,
            .store = cases[i].store < 0 ? -1 : now - cases[i].store,
            .due = cases[i].due == INT64_MIN ? 0 : now - cases[i].due,
        };

        print_message("case %zu\n", i);
        const char *complaint = watchdog_complaint(&signs, PATIENCE);
        if (cases[i].expect)
            assert_non_null(strstr(complaint, cases[i].expect));
        else
            assert_null(complaint);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(complaint__names_what_hangs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
