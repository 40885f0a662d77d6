#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store/attempts.h"
#include "store/trend.h"
#include "support/database.h"
#include "support/sql.h"

#define JOB  7
#define NOON (INT64_C(480012) * REPORT_HOUR) // in 2024, on a day's middle

static int setup(void **state)
{
    int r = database_fixture_setup(state);

    if (r == 0)
        database_fixture_put_job(*state, JOB, STATE_RUNNING);
    return r;
}

static void put(struct database_fixture *f, const struct store_attempt *a)
{
    if (attempts_put(f->db, JOB, a, &f->error) < 0)
        fail_msg("%s", f->error.text);
}

static struct store_report report(struct database_fixture *f, int64_t since,
                                  int32_t step)
{
    struct store_report r;

    if (trend_report(f->db, &r, since, step, &f->error) < 0)
        fail_msg("%s", f->error.text);
    return r;
}

static void trend_count__attempts__once_when_they_end(void **state)
{
    struct database_fixture *f = *state;
    struct store_attempt a = {.number = 1, .device = "cuda:0", .started = NOON};

    put(f, &a);
    put(f, &a); // it is running
    struct store_report r = report(f, 0, 1);
    assert_int_equal(r.tally_count, 0);
    store_report_fini(&r);

    a.ended = NOON + 5 * SECOND;
    a.outcome = OUTCOME_DONE;
    put(f, &a);
    put(f, &a); // with its detail, say
    a.number = 2;
    put(f, &a);
    r = report(f, 0, 1);
    assert_int_equal(r.tally_count, 1);
    assert_int_equal(r.tallies[0].time, NOON);
    assert_string_equal(r.tallies[0].device, "cuda:0");
    assert_int_equal(r.tallies[0].outcome, OUTCOME_DONE);
    assert_string_equal(r.tallies[0].reason, "");
    assert_int_equal(r.tallies[0].count, 2);
    store_report_fini(&r);
}

static void trend_count__no_such_job__counts_nothing(void **state)
{
    struct database_fixture *f = *state;
    const struct store_attempt a = {.number = 1, .ended = NOON};

    assert_int_equal(attempts_put(f->db, 99, &a, &f->error), -ENOENT);
    assert_int_equal(sql_ask(f->handle, "SELECT count(*) FROM tally"), 0);
}

static void trend_count__kind_and_reason__by_plan_and_words(void **state)
{
    static struct {
        char device[16];
        char plan[64];
        char why[64];
        char fallback[32];
        bool is_video;
        const char *reason;
    } cases[] = {
        {"cuda:0", "[\"nvdec>scale_cuda>h264_nvenc\"]", "[\"8 bit\"]", "", true,
         ""},
        {"cuda:0", "[\"native>hwupload>h264_nvenc\"]", "[]", "no NVDEC", true,
         "no NVDEC"},
        {"cpu", "[\"native>scale>libx264\",\"copy\"]", "[]", "", true, ""},
        {"cpu", "[\"native>scale>libx264\"]", "[\"CPU\",\"no session\"]", "",
         true, "no session"},
        {"cpu", "[\"native>scale>libx264\"]", "[\"CPU\"]", "it crashed", true,
         "it crashed"},
        {"cuda:0", "[\"nvdec>scale_cuda>hwdownload>libx264\"]",
         "[\"8 bit\",\"no session\"]", "", true, "no session"},
        {"cuda:0", "[\"nvdec>h264_nvenc\",\"nvdec>hwdownload>libx264\"]",
         "[\"2 of 3\"]", "", true, "2 of 3"},
        {"cuda:0", "[\"nvdec>hwdownload>libx264\",\"nvdec>h264_nvenc\"]",
         "[\"2 of 3\"]", "", true, "2 of 3"},
        {"cuda:0", "[\"nvdec>hevc_nvenc\",\"aac>aresample>aac\"]",
         "[\"10 bit\"]", "", true, ""},
        {"cpu", "[\"copy\",\"aac>aresample>aac\"]", "[\"whatever\"]", "", false,
         ""},
    };
    struct database_fixture *f = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct store_attempt a = {
            .number = (int64_t)i + 1,
            .ended = NOON,
            .outcome = OUTCOME_DONE,
            .plan = cases[i].plan,
            .why = cases[i].why,
            .fallback = cases[i].fallback[0] ? cases[i].fallback : NULL,
        };
        memcpy(a.device, cases[i].device, sizeof(a.device));
        sql_run(f->handle, "DELETE FROM tally");
        put(f, &a);
        struct store_report r = report(f, 0, 1);
        print_message("%s: %s\n", cases[i].plan, r.tallies[0].reason);
        assert_int_equal(r.tally_count, 1);
        assert_int_equal(r.tallies[0].is_video, cases[i].is_video);
        assert_string_equal(r.tallies[0].reason, cases[i].reason);
        store_report_fini(&r);
    }
}

static struct store_reading reading(const char *name, double least, double most,
                                    double sum, int64_t count)
{
    struct store_reading r = {
        .device = "cuda:0",
        .least = least,
        .most = most,
        .sum = sum,
        .count = count,
    };

    (void)snprintf(r.name, sizeof(r.name), "%s", name);
    return r;
}

static void note(struct database_fixture *f, int64_t now,
                 struct store_reading r)
{
    assert_int_equal(trend_note(f->db, now, &r, 1, &f->error), 0);
}

static void trend_note__minutes__become_hours(void **state)
{
    struct database_fixture *f = *state;

    note(f, NOON, reading("temperature", 40, 50, 2700, 60));
    note(f, NOON + 60 * SECOND, reading("temperature", 45, 66, 3300, 60));
    note(f, NOON + 60 * SECOND, reading("power", 10, 20, 900, 60));
    note(f, NOON + REPORT_HOUR, reading("temperature", 30, 31, 30.5, 1));

    struct store_report r = report(f, 0, 1);
    assert_int_equal(r.step_count, 3);
    assert_string_equal(r.steps[0].reading.name, "power");
    const struct store_reading *t = &r.steps[1].reading;
    assert_int_equal(r.steps[1].time, NOON);
    assert_string_equal(t->device, "cuda:0");
    assert_true(t->least == 40 && t->most == 66);
    assert_true(t->sum == 6000 && t->count == 120);
    assert_int_equal(r.steps[2].time, NOON + REPORT_HOUR);
    store_report_fini(&r);
}

static void trend_report__days__are_steps_of_24_hours(void **state)
{
    struct database_fixture *f = *state;

    note(f, NOON, reading("temperature", 40, 50, 100, 2));
    note(f, NOON + 11 * REPORT_HOUR, reading("temperature", 35, 60, 80, 2));
    note(f, NOON + 12 * REPORT_HOUR, reading("temperature", 50, 50, 50, 1));
    struct store_report r = report(f, 0, 24);
    assert_int_equal(r.step_count, 2);
    assert_int_equal(r.steps[0].time, NOON - 12 * REPORT_HOUR);
    assert_true(r.steps[0].reading.least == 35);
    assert_true(r.steps[0].reading.most == 60);
    assert_true(r.steps[0].reading.sum == 180);
    assert_int_equal(r.steps[0].reading.count, 4);
    store_report_fini(&r);

    r = report(f, NOON + REPORT_HOUR, 1); // and only from then on
    assert_int_equal(r.step_count, 2);
    store_report_fini(&r);
    r = report(f, NOON + 11 * REPORT_HOUR, 1); // with that hour
    assert_int_equal(r.step_count, 2);
    store_report_fini(&r);
}

static void trend_prune__hours_before__are_forgotten(void **state)
{
    struct database_fixture *f = *state;
    const struct store_attempt old = {
        .number = 1, .ended = NOON, .outcome = OUTCOME_DONE};
    const struct store_attempt young = {
        .number = 2, .ended = NOON + REPORT_DAY, .outcome = OUTCOME_DONE};

    put(f, &old);
    put(f, &young);
    note(f, NOON, reading("power", 1, 1, 1, 1));
    note(f, NOON + REPORT_DAY, reading("power", 1, 1, 1, 1));
    assert_int_equal(trend_prune(f->db, NOON + REPORT_HOUR, &f->error), 0);
    struct store_report r = report(f, 0, 1);
    assert_int_equal(r.step_count, 1);
    assert_int_equal(r.steps[0].time, NOON + REPORT_DAY);
    assert_int_equal(r.tally_count, 1);
    assert_int_equal(r.tallies[0].time, NOON + REPORT_DAY);
    store_report_fini(&r);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, setup, database_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(trend_count__attempts__once_when_they_end),
        TEST(trend_count__no_such_job__counts_nothing),
        TEST(trend_count__kind_and_reason__by_plan_and_words),
        TEST(trend_note__minutes__become_hours),
        TEST(trend_report__days__are_steps_of_24_hours),
        TEST(trend_prune__hours_before__are_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
