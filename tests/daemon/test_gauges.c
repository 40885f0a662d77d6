#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gauges.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "model/sample.h"
#include "store/report.h"
#include "support/store.h"

struct answer {
    size_t waiting;
    char text[512]; // "cuda:0 power 10..30 /2", with commas
};

static void on_reported(void *user, int result,
                        const struct store_report *report,
                        const struct error *e)
{
    struct answer *a = user;

    assert_int_equal(result, 0);
    assert_null(e);
    for (size_t i = 0; i < report->step_count; i++) {
        const struct store_reading *r = &report->steps[i].reading;
        char *line = xasprintf("%s %s %g..%g /%d, ", r->device, r->name,
                               r->least, r->most, (int)r->count);
        (void)strncat(a->text, line, sizeof(a->text) - strlen(a->text) - 1);
        free(line);
    }
    a->waiting = 0;
}

static void assert_stored(struct store_fixture *f, const char *expect)
{
    struct answer a = {.waiting = 1};

    // one step, so that the turn of an hour changes nothing
    store_report(f->store, 0, 1000000, on_reported, &a);
    store_fixture_wait(f, &a.waiting);
    assert_string_equal(a.text, expect);
}

static struct sample measured(double temperature, double power)
{
    struct sample s;

    sample_init(&s);
    s.temperature = temperature;
    s.power = power;
    return s;
}

static void gauges_note__a_minute__is_one_write(void **state)
{
    struct store_fixture *f = *state;
    struct gauges *g = gauges_create(f->store);
    int64_t start = clock_now();

    for (int second = 0; second < 50; second++) {
        struct sample s = measured(40 + second, SAMPLE_UNKNOWN);
        gauges_note(g, "cuda:0", &s, start + second * SECOND);
    }
    assert_stored(f, "");
    struct sample s = measured(30, 12);
    gauges_note(g, "cuda:0", &s, start + 61 * SECOND);
    assert_stored(f, "cuda:0 power 12..12 /1, cuda:0 temperature 30..89 /51, ");
    gauges_note(g, "cuda:0", &s, start + 62 * SECOND);
    assert_stored(f, "cuda:0 power 12..12 /1, cuda:0 temperature 30..89 /51, ");
    gauges_destroy(g); // at the end of the service
    assert_stored(f, "cuda:0 power 12..12 /2, cuda:0 temperature 30..89 /52, ");
}

static void gauges_note__two_cards__are_kept_apart(void **state)
{
    struct store_fixture *f = *state;
    struct gauges *g = gauges_create(f->store);
    struct sample s = measured(50, SAMPLE_UNKNOWN);

    gauges_note(g, "cuda:1", &s, clock_now());
    s.temperature = 60;
    gauges_note(g, "cuda:0", &s, clock_now());
    gauges_destroy(g);
    assert_stored(f, "cuda:0 temperature 60..60 /1, "
                     "cuda:1 temperature 50..50 /1, ");
}

/* All that Report shows, and no load is a load. */
static void gauges_note__each_reading__is_kept(void **state)
{
    struct store_fixture *f = *state;
    struct gauges *g = gauges_create(f->store);
    struct sample s = measured(50, 20);

    s.load = 0;
    s.encoder_load = 0.25;
    s.decoder_load = 0.5;
    s.vram_used = 1024;
    gauges_note(g, "cuda:0", &s, clock_now());
    gauges_destroy(g);
    assert_stored(f, "cuda:0 decoder_load 0.5..0.5 /1, "
                     "cuda:0 encoder_load 0.25..0.25 /1, "
                     "cuda:0 load 0..0 /1, "
                     "cuda:0 power 20..20 /1, "
                     "cuda:0 temperature 50..50 /1, "
                     "cuda:0 vram_used 1024..1024 /1, ");
}

static void gauges__no_sample__writes_nothing(void **state)
{
    struct store_fixture *f = *state;

    gauges_destroy(gauges_create(f->store));
    gauges_destroy(NULL);
    assert_stored(f, "");
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, store_fixture_setup, \
                                    store_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(gauges_note__a_minute__is_one_write),
        TEST(gauges_note__two_cards__are_kept_apart),
        TEST(gauges_note__each_reading__is_kept),
        TEST(gauges__no_sample__writes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
