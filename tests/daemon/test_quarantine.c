#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "quarantine.h"

#include <string.h>

#include "base/clock.h"

#define NOW    (1000 * SECOND)
#define DECODE OUTCOME_PART_DECODE
#define ENCODE OUTCOME_PART_ENCODE
#define DEVICE OUTCOME_PART_DEVICE
#define NONE   OUTCOME_PART_NONE

/* An attempt that was granted a second ago fails at @now. */
static bool strike(struct quarantine *q, enum outcome outcome,
                   enum outcome_part part, int64_t now)
{
    return quarantine_fail(q, outcome, part, now - SECOND, "by test", now);
}

static void fail__what_it_takes_to_be_barred(void **state)
{
    static const struct {
        enum outcome outcome;
        enum outcome_part part;
        int times; // until it is barred, 0: never
        bool decode;
        bool encode; // barred then
    } cases[] = {
        {OUTCOME_DEVICE_LOST, DEVICE, 1, true, true},
        {OUTCOME_DEVICE_LOST, NONE, 2, true, true},
        {OUTCOME_DEVICE_LOST, DECODE, 2, true, false},
        {OUTCOME_DEVICE_LOST, ENCODE, 2, false, true},
        {OUTCOME_STALLED, NONE, 2, true, true},
        {OUTCOME_CRASHED, NONE, 4, true, true},
        {OUTCOME_KILLED, NONE, 0, false, false},
        {OUTCOME_NO_SESSION, ENCODE, 0, false, false},
        {OUTCOME_NO_MEMORY, DEVICE, 0, false, false},
        {OUTCOME_BAD_INPUT, NONE, 0, false, false},
        {OUTCOME_OUTPUT_FAILED, NONE, 0, false, false},
        {OUTCOME_CANCELLED, NONE, 0, false, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int most = cases[i].times ? cases[i].times : 20;
        struct quarantine q = {0};

        print_message("case %zu\n", i);
        for (int n = 1; n <= most; n++)
            assert_int_equal(
                strike(&q, cases[i].outcome, cases[i].part, NOW + n * SECOND),
                n == cases[i].times);
        assert_int_equal(quarantine_bars(&q, DECODE), cases[i].decode);
        assert_int_equal(quarantine_bars(&q, ENCODE), cases[i].encode);
        assert_int_equal(quarantine_bars_all(&q),
                         cases[i].decode && cases[i].encode);
        if (cases[i].times)
            assert_string_equal(q.reason, "by test");
    }
}

static void fail__good_ends_and_time__forgive(void **state)
{
    struct quarantine q = {0};

    (void)state;
    assert_false(strike(&q, OUTCOME_DEVICE_LOST, ENCODE, NOW));
    quarantine_praise(&q, DEVICE);
    assert_false(strike(&q, OUTCOME_DEVICE_LOST, ENCODE, NOW + SECOND));
    quarantine_praise(&q, ENCODE);
    assert_false(strike(&q, OUTCOME_DEVICE_LOST, ENCODE, NOW + SECOND));
    assert_false(strike(&q, OUTCOME_DEVICE_LOST, ENCODE, NOW + 200 * SECOND));
    // its decoder is no witness for its encoder
    quarantine_praise(&q, DECODE);
    assert_true(strike(&q, OUTCOME_DEVICE_LOST, ENCODE, NOW + 201 * SECOND));
}

static void fail__how_long_it_is_held_against_it(void **state)
{
    struct quarantine q = {0};

    (void)state;
    assert_false(strike(&q, OUTCOME_DEVICE_LOST, ENCODE, NOW));
    assert_true(strike(&q, OUTCOME_DEVICE_LOST, ENCODE, NOW + 120 * SECOND));
    q = (struct quarantine){0};
    assert_false(strike(&q, OUTCOME_DEVICE_LOST, ENCODE, NOW));
    assert_false(
        strike(&q, OUTCOME_DEVICE_LOST, ENCODE, NOW + 120 * SECOND + 1));
}

static void fail__one_part_after_the_other__both_are_barred(void **state)
{
    struct quarantine q = {0};

    (void)state;
    assert_false(strike(&q, OUTCOME_DEVICE_LOST, ENCODE, NOW));
    assert_true(strike(&q, OUTCOME_DEVICE_LOST, ENCODE, NOW + SECOND));
    assert_false(strike(&q, OUTCOME_DEVICE_LOST, DECODE, NOW + 4 * SECOND));
    assert_false(quarantine_bars_all(&q));
    // what is barred is not barred once more, nor is its survey put off
    int64_t due = q.due;
    assert_false(strike(&q, OUTCOME_DEVICE_LOST, ENCODE, NOW + 5 * SECOND));
    assert_false(strike(&q, OUTCOME_DEVICE_LOST, ENCODE, NOW + 6 * SECOND));
    assert_int_equal(q.due, due);
    assert_true(strike(&q, OUTCOME_DEVICE_LOST, DECODE, NOW + 7 * SECOND));
    assert_true(quarantine_bars_all(&q));
}

static void fail__well_again__what_was_is_not_counted(void **state)
{
    struct quarantine q = {0};

    (void)state;
    assert_false(strike(&q, OUTCOME_DEVICE_LOST, ENCODE, NOW));
    assert_true(strike(&q, OUTCOME_DEVICE_LOST, ENCODE, NOW + SECOND));
    assert_true(quarantine_is_due(&q, q.due));
    assert_true(quarantine_surveyed(&q, QUARANTINE_SOUND, NOW + 4 * SECOND));
    assert_false(strike(&q, OUTCOME_DEVICE_LOST, ENCODE, NOW + 6 * SECOND));
    assert_true(strike(&q, OUTCOME_DEVICE_LOST, ENCODE, NOW + 7 * SECOND));
}

static void fail__ten_jobs_that_die_of_it__are_one_failure(void **state)
{
    struct quarantine q = {0};
    int64_t due;

    (void)state;
    for (int i = 0; i < 10; i++)
        assert_int_equal(quarantine_fail(&q, OUTCOME_DEVICE_LOST, DEVICE,
                                         NOW - SECOND, "lost",
                                         NOW + i * SECOND / 10),
                         i == 0);
    due = q.due;
    assert_in_range(due, NOW + SECOND, NOW + 5 * SECOND);

    // also those that notice only when it is well again
    assert_true(quarantine_is_due(&q, due));
    assert_true(quarantine_surveyed(&q, QUARANTINE_SOUND, due));
    assert_false(quarantine_fail(&q, OUTCOME_DEVICE_LOST, DEVICE, NOW - SECOND,
                                 "lost", due + SECOND));
    assert_false(quarantine_bars_all(&q));
    // but not who was granted it since
    assert_true(quarantine_fail(&q, OUTCOME_DEVICE_LOST, DEVICE, due + SECOND,
                                "lost", due + 2 * SECOND));
}

static void survey__still_broken__longer_and_longer_pauses(void **state)
{
    struct quarantine q = {0};
    int64_t now = NOW;
    int64_t last = 0;

    (void)state;
    assert_true(strike(&q, OUTCOME_DEVICE_LOST, DEVICE, now));
    for (int i = 0; i < 12; i++) {
        int64_t pause = q.due - now;
        assert_true(pause >= 2 * last || pause == 300 * SECOND);
        assert_true(pause <= 300 * SECOND);
        last = pause;
        assert_false(quarantine_is_due(&q, q.due - 1));
        now = q.due;
        assert_true(quarantine_is_due(&q, now));
        assert_false(quarantine_is_due(&q, now)); // one at a time
        assert_false(quarantine_surveyed(&q, QUARANTINE_BROKEN, now));
        assert_true(quarantine_bars_all(&q));
    }
    assert_int_equal(last, 300 * SECOND);
}

static void survey__that_nobody_asked_for__lifts_nothing(void **state)
{
    struct quarantine q = {0};

    (void)state;
    assert_false(quarantine_surveyed(&q, QUARANTINE_SOUND, NOW));
    assert_true(strike(&q, OUTCOME_DEVICE_LOST, DEVICE, NOW));
    assert_false(quarantine_surveyed(&q, QUARANTINE_SOUND, NOW + 1));
    assert_true(quarantine_bars_all(&q));
}

static void survey__fails_again_soon__the_next_pause_is_longer(void **state)
{
    struct quarantine q = {0};
    int64_t first;

    (void)state;
    assert_true(strike(&q, OUTCOME_DEVICE_LOST, DEVICE, NOW));
    first = q.due - NOW;
    assert_true(quarantine_is_due(&q, q.due));
    assert_true(quarantine_surveyed(&q, QUARANTINE_SOUND, NOW + first));
    assert_true(strike(&q, OUTCOME_DEVICE_LOST, DEVICE, NOW + 10 * SECOND));
    assert_true(q.due - (NOW + 10 * SECOND) > first);
    // and the next, for ten minutes
    int64_t longer = q.due - (NOW + 10 * SECOND);
    assert_true(quarantine_is_due(&q, q.due));
    assert_true(quarantine_surveyed(&q, QUARANTINE_SOUND, NOW + 30 * SECOND));
    assert_true(strike(&q, OUTCOME_DEVICE_LOST, DEVICE, NOW + 630 * SECOND));
    assert_true(q.due - (NOW + 630 * SECOND) > longer);
    // after a longer time of health it begins anew
    assert_true(quarantine_is_due(&q, q.due));
    assert_true(quarantine_surveyed(&q, QUARANTINE_SOUND, NOW + 660 * SECOND));
    assert_true(
        strike(&q, OUTCOME_DEVICE_LOST, DEVICE, NOW + 1260 * SECOND + 1));
    assert_int_equal(q.due - (NOW + 1260 * SECOND + 1), first);
}

static void survey__fails_for_ever__the_pause_has_a_bound(void **state)
{
    struct quarantine q = {0};
    int64_t now = NOW;

    (void)state;
    for (int i = 0; i < 12; i++) {
        assert_true(strike(&q, OUTCOME_DEVICE_LOST, DEVICE, now));
        assert_in_range(q.due - now, 2 * SECOND, 300 * SECOND);
        now = q.due;
        assert_true(quarantine_is_due(&q, now));
        assert_true(quarantine_surveyed(&q, QUARANTINE_SOUND, now));
        now += 2 * SECOND;
    }
    assert_int_equal(q.pause, 300 * SECOND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fail__what_it_takes_to_be_barred),
        cmocka_unit_test(fail__good_ends_and_time__forgive),
        cmocka_unit_test(fail__how_long_it_is_held_against_it),
        cmocka_unit_test(fail__one_part_after_the_other__both_are_barred),
        cmocka_unit_test(fail__well_again__what_was_is_not_counted),
        cmocka_unit_test(fail__ten_jobs_that_die_of_it__are_one_failure),
        cmocka_unit_test(survey__still_broken__longer_and_longer_pauses),
        cmocka_unit_test(survey__that_nobody_asked_for__lifts_nothing),
        cmocka_unit_test(survey__fails_again_soon__the_next_pause_is_longer),
        cmocka_unit_test(survey__fails_for_ever__the_pause_has_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
