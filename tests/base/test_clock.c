#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <time.h>

#include "base/clock.h"

static void clock_now__asked_twice__never_goes_back(void **state)
{
    int64_t before = clock_now();

    (void)state;
    for (int i = 0; i < 1000; i++) {
        int64_t now = clock_now();
        assert_true(now >= before);
        before = now;
    }
}

static void clock_wall__now__is_what_the_system_says(void **state)
{
    int64_t before = (int64_t)time(NULL) * SECOND;
    int64_t now = clock_wall();

    (void)state;
    // time() may lag behind by a tick of the kernel's clock
    assert_in_range(now - before + 20 * MILLISECOND, 0, 10 * SECOND);
}

static void clock_units__are_microseconds(void **state)
{
    (void)state;
    assert_int_equal(SECOND, 1000 * MILLISECOND);
    assert_int_equal(SECOND, 1000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clock_now__asked_twice__never_goes_back),
        cmocka_unit_test(clock_wall__now__is_what_the_system_says),
        cmocka_unit_test(clock_units__are_microseconds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
