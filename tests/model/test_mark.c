#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/clock.h"
#include "model/device_profile.h"
#include "model/mark.h"
#include "model/sample.h"

#define MINUTE  (60 * SECOND)
#define UNKNOWN SAMPLE_UNKNOWN

/* As profiles/devices/quadro-p1000.json. */
static const struct device_profile p1000 = {
    .temperature = {35, 70, 65, 3 * MINUTE},
    .power = {5, 45},
    .vram_free_least = 16 << 20,
};

static struct sample healthy(void)
{
    return (struct sample){
        .vram_free = INT64_C(2) << 30,
        .load = 0.5,
        .encoder_load = 0.7,
        .decoder_load = 0.3,
        .temperature = 55,
        .power = 30,
        .clock = 1303,
        .throttle = 0,
    };
}

static void mark_judge__each_reading__against_its_range(void **state)
{
    static const struct {
        double temperature;
        double power;
        int64_t vram_free;
        int64_t throttle;
        enum mark expect[4]; // temperature, power, VRAM, throttle
        const char *words;
    } cases[] = {
        {55, 30, 1 << 30, 0, {MARK_OK, MARK_OK, MARK_OK, MARK_OK}, ""},
        {35, 5, 1 << 30, 0, {MARK_OK, MARK_OK, MARK_OK, MARK_OK}, ""},
        {70, 45, 1 << 30, 0, {MARK_OK, MARK_OK, MARK_OK, MARK_OK}, ""},
        // idle: below the ranges, and the clocks are low
        {31, 4.2, 1 << 30, 1, {MARK_INFO, MARK_INFO, MARK_OK, MARK_OK}, "idle"},
        {71, 30, 1 << 30, 0, {MARK_BAD, MARK_OK, MARK_OK, MARK_OK}, "71 °C"},
        {55, 46, 1 << 30, 0, {MARK_OK, MARK_WARN, MARK_OK, MARK_OK}, "46.0 W"},
        {55, 30, 0, 0, {MARK_OK, MARK_OK, MARK_BAD, MARK_OK}, "full"},
        {55, 30, 1 << 20, 0, {MARK_OK, MARK_OK, MARK_BAD, MARK_OK}, "1.0M"},
        {55, 30, 1 << 30, 0x4, {MARK_OK, MARK_OK, MARK_OK, MARK_INFO}, "power"},
        {55, 30, 1 << 30, 0x20, {MARK_OK, MARK_OK, MARK_OK, MARK_WARN}, "heat"},
        {55,
         30,
         1 << 30,
         0x48,
         {MARK_OK, MARK_OK, MARK_OK, MARK_BAD},
         "hardware"},
        {55, 30, 1 << 30, 0x101, {MARK_OK, MARK_OK, MARK_OK, MARK_OK}, ""},
        // what is not measured is never bad
        {UNKNOWN,
         UNKNOWN,
         UNKNOWN,
         UNKNOWN,
         {MARK_NONE, MARK_NONE, MARK_NONE, MARK_NONE},
         ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct mark_heat cold = {0};
        struct sample s = healthy();
        struct marks m;

        s.temperature = cases[i].temperature;
        s.power = cases[i].power;
        s.vram_free = cases[i].vram_free;
        s.throttle = cases[i].throttle;
        mark_judge(&m, &s, &p1000, &cold, MINUTE);
        print_message("%zu: %s\n", i, m.note_count ? m.notes[0] : "");
        assert_int_equal(m.temperature, cases[i].expect[0]);
        assert_int_equal(m.power, cases[i].expect[1]);
        assert_int_equal(m.vram, cases[i].expect[2]);
        assert_int_equal(m.throttle, cases[i].expect[3]);
        assert_int_equal(m.load, MARK_OK);
        assert_int_equal(m.note_count > 0, cases[i].words[0] != '\0');
        if (m.note_count)
            assert_non_null(strstr(m.notes[0], cases[i].words));
    }
}

static void
mark_judge__unknown_card__judges_memory_and_throttle_alone(void **state)
{
    struct sample s = healthy();
    const struct mark_heat cold = {0};
    struct marks m;

    (void)state;
    s.temperature = 95;
    s.power = 300;
    s.vram_free = 0;
    s.throttle = 0x40;
    mark_judge(&m, &s, NULL, &cold, MINUTE);
    assert_int_equal(m.temperature, MARK_NONE);
    assert_int_equal(m.power, MARK_NONE);
    assert_int_equal(m.vram, MARK_BAD);
    assert_int_equal(m.throttle, MARK_BAD);
}

static void mark_judge__no_sample__is_not_available(void **state)
{
    const struct mark_heat cold = {0};
    struct marks m;

    (void)state;
    mark_judge(&m, NULL, &p1000, &cold, MINUTE);
    assert_int_equal(m.temperature, MARK_NONE);
    assert_int_equal(m.load, MARK_NONE);
    assert_int_equal(m.note_count, 0);
}

static void mark_heat__minutes_above_65_under_load__warn(void **state)
{
    /* A sample each second: from @from s on it has @temperature and @load. */
    static const struct {
        int from;
        double temperature;
        double load;
        enum mark at_its_end;
    } steps[] = {
        {0, 60, 0.9, MARK_OK},
        {300, 66, 0.9, MARK_OK},   // to 470: not for minutes yet
        {470, 66, 0.9, MARK_WARN}, // to 600
        {600, 66, 0.0, MARK_WARN}, // to 650: a short break changes nothing
        {650, 66, 0.9, MARK_WARN}, // to 660
        {660, 65, 0.9, MARK_OK},   // to 670: cool enough, it counts anew
        {670, 68, 0.9, MARK_OK},   // to 800
        {800, 68, 0.0, MARK_OK},   // to 1400: warm without work: nobody's fault
        {1400, 68, 0.9, MARK_OK},  // to 1500
        {1500, 69, 0.9, MARK_WARN},
    };
    const size_t count = sizeof(steps) / sizeof(steps[0]);
    struct mark_heat heat = {0};
    size_t at = 0;

    (void)state;
    for (int second = 0; second < 1700; second++) {
        int64_t now = (1 + second) * SECOND;
        struct sample s = healthy();
        struct marks m;

        s.temperature = steps[at].temperature;
        s.load = s.encoder_load = s.decoder_load = steps[at].load;
        mark_heat_note(&heat, &s, &p1000, now);
        int end = at + 1 < count ? steps[at + 1].from : 1700;
        if (second + 1 < end)
            continue;
        mark_judge(&m, &s, &p1000, &heat, now);
        print_message("until %d: %s\n", end, mark_names[m.temperature]);
        assert_int_equal(m.temperature, steps[at].at_its_end);
        at++;
    }
    assert_int_equal(at, count);
}

/* Since when is it warm, at a time of 1 min? */
static void mark_heat__any_engine__is_load(void **state)
{
    static const struct {
        double load;
        double encoder;
        double decoder;
        int64_t since;
    } cases[] = {
        {UNKNOWN, 0.4, 0, MINUTE},
        {UNKNOWN, UNKNOWN, 0.1, MINUTE},
        {0.1, 0, 0, MINUTE},
        {0.09, 0.09, 0.09, 0},
        // nor is it load that there was none since the machine started
        {0, 0, 0, 0},
        {UNKNOWN, UNKNOWN, UNKNOWN, 0},
    };
    struct sample s = healthy();
    struct mark_heat heat;

    (void)state;
    s.temperature = 66;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("case %zu\n", i);
        s.load = cases[i].load;
        s.encoder_load = cases[i].encoder;
        s.decoder_load = cases[i].decoder;
        heat = (struct mark_heat){0};
        mark_heat_note(&heat, &s, &p1000, MINUTE);
        assert_int_equal(heat.since, cases[i].since);
    }
    s.load = 1;
    mark_heat_note(&heat, &s, &p1000, MINUTE);
    assert_int_equal(heat.since, MINUTE);
    s.temperature = UNKNOWN;
    mark_heat_note(&heat, &s, &p1000, 2 * MINUTE);
    assert_int_equal(heat.since, 0);
    s.temperature = 99;
    mark_heat_note(&heat, &s, NULL, 2 * MINUTE); // who knows what it stands
    assert_int_equal(heat.since, 0);
}

/* To the second: a minute of rest is none yet, and three minutes are minutes. */
static void mark_heat__bounds__belong_to_it(void **state)
{
    struct sample s = healthy();
    struct mark_heat heat = {0};
    struct marks m;

    (void)state;
    s.temperature = 66;
    s.load = 1;
    mark_heat_note(&heat, &s, &p1000, MINUTE);
    s.load = s.encoder_load = s.decoder_load = 0;
    mark_heat_note(&heat, &s, &p1000, 2 * MINUTE);
    assert_int_equal(heat.since, MINUTE);
    mark_judge(&m, &s, &p1000, &heat, 4 * MINUTE - 1);
    assert_int_equal(m.temperature, MARK_OK);
    mark_judge(&m, &s, &p1000, &heat, 4 * MINUTE);
    assert_int_equal(m.temperature, MARK_WARN);
    mark_heat_note(&heat, &s, &p1000, 2 * MINUTE + 1);
    assert_int_equal(heat.since, 0);
}

static void
mark_judge__memory__is_full_below_what_the_profile_says(void **state)
{
    struct sample s = healthy();
    const struct mark_heat heat = {0};
    struct marks m;

    (void)state;
    s.vram_free = p1000.vram_free_least;
    mark_judge(&m, &s, &p1000, &heat, MINUTE);
    assert_int_equal(m.vram, MARK_OK);
    s.vram_free--;
    mark_judge(&m, &s, &p1000, &heat, MINUTE);
    assert_int_equal(m.vram, MARK_BAD);
}

static void mark_reasons__in_words(void **state)
{
    static const struct {
        int64_t throttle;
        size_t count;
        const char *last;
    } cases[] = {
        {UNKNOWN, 0, NULL},
        {0, 0, NULL},
        {1, 0, NULL},
        {0x4, 1, "its power limit"},
        {0x64, 3, "heat, by the hardware"},
        {0x7ffff000, 0, NULL}, // a newer driver's
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *words[MARK_REASONS_MOST];
        size_t count = mark_reasons(cases[i].throttle, words);
        assert_int_equal(count, cases[i].count);
        if (count)
            assert_string_equal(words[count - 1], cases[i].last);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(mark_judge__each_reading__against_its_range),
        cmocka_unit_test(
            mark_judge__unknown_card__judges_memory_and_throttle_alone),
        cmocka_unit_test(mark_judge__no_sample__is_not_available),
        cmocka_unit_test(mark_heat__minutes_above_65_under_load__warn),
        cmocka_unit_test(mark_heat__any_engine__is_load),
        cmocka_unit_test(mark_heat__bounds__belong_to_it),
        cmocka_unit_test(
            mark_judge__memory__is_full_below_what_the_profile_says),
        cmocka_unit_test(mark_reasons__in_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
