#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "pipeline/pace.h"

#define MOST 8
static const AVRational milliseconds = {1, 1000};

static void pace_place__frames__get_their_places(void **state)
{
    static const struct {
        const char *what;
        AVRational rate;
        int64_t in[MOST];     // ms
        int64_t expect[MOST]; // -1: dropped
        size_t count;
    } cases[] = {
        {"even", {25, 1}, {0, 40, 80, 120}, {0, 1, 2, 3}, 4},
        {"jitter of a millisecond clock",
         {30, 1},
         {0, 33, 67, 100, 133},
         {0, 1, 2, 3, 4},
         5},
        {"two in one place", {25, 1}, {0, 1, 40, 80}, {0, -1, 1, 2}, 4},
        {"a gap stays a gap", {25, 1}, {0, 40, 400, 440}, {0, 1, 10, 11}, 4},
        {"a gap keeps the phase",
         {25, 1},
         {21, 61, 24061, 24101},
         {0, 1, 601, 602},
         4},
        {"begins late", {25, 1}, {2000, 2040}, {50, 51}, 2},
        {"before the beginning", {25, 1}, {-80, 0}, {-1, 0}, 2},
        {"uneven", {0, 1}, {0, 17, 90, 91}, {0, 17, 90, 91}, 4},
        {"uneven, twice the same", {0, 1}, {5, 5, 6}, {5, -1, 6}, 3},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pace p;
        print_message("%s\n", cases[i].what);
        pace_init(&p, cases[i].rate, milliseconds, 0);
        for (size_t k = 0; k < cases[i].count; k++)
            assert_int_equal(pace_place(&p, cases[i].in[k], milliseconds),
                             cases[i].expect[k]);
    }
}

static void pace_wants_key__interval__first_frame_and_each_begin(void **state)
{
    struct pace p;

    (void)state;
    pace_init(&p, (AVRational){25, 1}, milliseconds, 2 * SECOND);
    for (int64_t n = 0; n < 200; n++)
        assert_int_equal(pace_wants_key(&p, n), n % 50 == 0);
    assert_true(pace_wants_key(&p, 499)); // after a gap: once
    assert_false(pace_wants_key(&p, 499));
    assert_true(pace_wants_key(&p, 500));
}

static void pace_wants_key__no_interval__never(void **state)
{
    struct pace p;

    (void)state;
    pace_init(&p, (AVRational){25, 1}, milliseconds, 0);
    for (int64_t n = 0; n < 100; n++)
        assert_false(pace_wants_key(&p, n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pace_place__frames__get_their_places),
        cmocka_unit_test(pace_wants_key__interval__first_frame_and_each_begin),
        cmocka_unit_test(pace_wants_key__no_interval__never),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
