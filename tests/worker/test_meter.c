#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "meter.h"
#include "model/event.h"

static void assert_near(double got, double expect)
{
    print_message("%g, expected %g\n", got, expect);
    assert_true(got > expect - 0.01 && got < expect + 0.01);
}

static void meter_read__steady_work__says_rates_and_rest(void **state)
{
    struct event_progress p;
    struct meter m;

    (void)state;
    meter_init(&m, 100 * SECOND, 5 * SECOND);
    meter_read(&m, (struct meter_sample){7 * SECOND, 100, 4 * SECOND}, 500000,
               &p);
    assert_int_equal(p.frame, 100);
    assert_near(p.fps, 50);
    assert_near(p.speed, 2);
    assert_near(p.out_time, 4);
    assert_near(p.percent, 4);
    assert_near(p.eta, 48);
    assert_int_equal(p.size, 500000);
    assert_int_equal(p.bitrate, 1000000);
}

static void meter_read__speed_changes__old_samples_are_forgotten(void **state)
{
    struct event_progress p;
    struct meter m;
    int64_t now = 0;
    int64_t position = 0;

    (void)state;
    meter_init(&m, 1000 * SECOND, now);
    for (int i = 0; i < METER_SAMPLES; i++) {
        now += SECOND;
        position += SECOND;
        meter_read(&m, (struct meter_sample){now, 0, position}, 0, &p);
    }
    assert_near(p.speed, 1);
    for (int i = 0; i < METER_SAMPLES; i++) {
        now += SECOND;
        position += 10 * SECOND;
        meter_read(&m, (struct meter_sample){now, 0, position}, 0, &p);
    }
    assert_near(p.speed, 10);
}

static void meter_read__length_unknown__no_percent_no_rest(void **state)
{
    struct event_progress p;
    struct meter m;

    (void)state;
    meter_init(&m, -1, 0);
    meter_read(&m, (struct meter_sample){SECOND, 25, SECOND}, 10, &p);
    assert_near(p.percent, -1);
    assert_near(p.eta, -1);
}

static void meter_read__past_the_end__stays_at_hundred(void **state)
{
    struct event_progress p;
    struct meter m;

    (void)state;
    meter_init(&m, SECOND, 0);
    meter_read(&m, (struct meter_sample){SECOND, 25, 2 * SECOND}, 10, &p);
    assert_near(p.percent, 100);
    assert_near(p.eta, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(meter_read__steady_work__says_rates_and_rest),
        cmocka_unit_test(meter_read__speed_changes__old_samples_are_forgotten),
        cmocka_unit_test(meter_read__length_unknown__no_percent_no_rest),
        cmocka_unit_test(meter_read__past_the_end__stays_at_hundred),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
