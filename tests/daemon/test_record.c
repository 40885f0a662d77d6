#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "record.h"

#include <jansson.h>

#include "base/clock.h"
#include "model/event.h"
#include "model/grant.h"

static const struct grant on_card = {.device = "cuda:0",
                                     .sessions = 2,
                                     .decode = true,
                                     .vram = 335544320,
                                     .threads = 4};

static char *const plan[] = {(char[]){"nvdec>scale_cuda>h264_nvenc"},
                             (char[]){"copy"}};
static char *const why[] = {(char[]){"a \"quoted\" reason"}};
static const struct event_ready ready = {
    .device = "cuda:0",
    .plan = (char **)(size_t)plan,
    .plan_count = 2,
    .why = (char **)(size_t)why,
    .why_count = 1,
};

static void begin__new_attempt__knows_its_number_and_time(void **state)
{
    struct store_attempt r = {0};
    int64_t before = clock_wall();

    (void)state;
    record_begin(&r, 3);
    assert_int_equal(r.number, 3);
    assert_in_range(r.started, before, clock_wall());
    assert_int_equal(r.ended, 0);
    assert_int_equal(r.outcome, OUTCOME_NONE);
    assert_string_equal(r.device, "");
    store_attempt_fini(&r);
}

static void grant__device_and_numbers__are_kept_as_json(void **state)
{
    struct store_attempt r = {0};
    struct grant read;
    json_t *json;

    (void)state;
    record_begin(&r, 1);
    record_grant(&r, &on_card, "cuda:0 grants no more sessions");
    assert_string_equal(r.device, "cuda:0");
    assert_string_equal(r.fallback, "cuda:0 grants no more sessions");
    json = json_loads(r.given, 0, NULL);
    assert_non_null(json);
    assert_int_equal(grant_from_json(&read, json, NULL), 0);
    json_decref(json);
    assert_string_equal(read.device, on_card.device);
    assert_int_equal(read.sessions, on_card.sessions);
    assert_true(read.decode);
    assert_int_equal(read.vram, on_card.vram);
    assert_int_equal(read.threads, on_card.threads);
    store_attempt_fini(&r);
}

static void grant__no_attempt_before__has_no_reason(void **state)
{
    struct store_attempt r = {0};

    (void)state;
    record_begin(&r, 1);
    record_grant(&r, &on_card, NULL);
    assert_null(r.fallback);
    store_attempt_fini(&r);
}

static void plan__tracks_and_reasons__are_lists(void **state)
{
    struct store_attempt r = {0};

    (void)state;
    record_begin(&r, 1);
    record_plan(&r, &ready);
    assert_string_equal(r.device, "cuda:0");
    assert_string_equal(r.plan, "[\"nvdec>scale_cuda>h264_nvenc\",\"copy\"]");
    assert_string_equal(r.why, "[\"a \\\"quoted\\\" reason\"]");
    store_attempt_fini(&r);
}

static void plan__no_reasons__is_an_empty_list(void **state)
{
    struct store_attempt r = {0};
    const struct event_ready bare = {.device = "cpu"};

    (void)state;
    record_begin(&r, 1);
    record_plan(&r, &bare);
    assert_string_equal(r.plan, "[]");
    assert_string_equal(r.why, "[]");
    store_attempt_fini(&r);
}

static void end__outcome_words_and_lines__are_kept(void **state)
{
    struct store_attempt r = {0};
    json_t *log = json_pack("[s, s]", "first", "last");
    int64_t before = clock_wall();

    (void)state;
    record_begin(&r, 1);
    record_end(&r, OUTCOME_CRASHED, "the worker crashed", log);
    json_decref(log);
    assert_in_range(r.ended, before, clock_wall());
    assert_true(r.ended >= r.started);
    assert_int_equal(r.outcome, OUTCOME_CRASHED);
    assert_string_equal(r.text, "the worker crashed");
    assert_string_equal(r.log, "[\"first\",\"last\"]");
    store_attempt_fini(&r);
}

static void end__worker_that_was_never_there__has_no_lines(void **state)
{
    struct store_attempt r = {0};

    (void)state;
    record_begin(&r, 1);
    record_end(&r, OUTCOME_CANCELLED, NULL, NULL);
    assert_null(r.text);
    assert_null(r.log);
    store_attempt_fini(&r);
}

static void outcome__event__is_kept_whole(void **state)
{
    struct store_attempt r = {0};
    json_t *event = json_pack("{s:s, s:i}", "event", "outcome", "frames", 812);

    (void)state;
    record_begin(&r, 1);
    record_outcome(&r, event);
    assert_int_equal(json_integer_value(json_object_get(event, "frames")), 812);
    json_decref(event);
    assert_string_equal(r.detail, "{\"event\":\"outcome\",\"frames\":812}");
    store_attempt_fini(&r);
}

/* What is told twice replaces what was told before, and nothing leaks. */
static void all__told_again__the_last_counts(void **state)
{
    struct store_attempt r = {0};
    const struct grant cpu = {.device = "cpu"};
    const struct event_ready bare = {.device = "cpu"};

    (void)state;
    record_begin(&r, 1);
    record_grant(&r, &on_card, "before");
    record_grant(&r, &cpu, NULL);
    assert_string_equal(r.device, "cpu");
    assert_null(r.fallback);
    record_plan(&r, &ready);
    record_plan(&r, &bare);
    assert_string_equal(r.plan, "[]");
    record_end(&r, OUTCOME_STALLED, "first", NULL);
    record_end(&r, OUTCOME_DONE, "second", NULL);
    assert_string_equal(r.text, "second");
    assert_int_equal(r.outcome, OUTCOME_DONE);
    store_attempt_fini(&r);
}

static void begin__next_attempt__has_nothing_of_the_one_before(void **state)
{
    struct store_attempt r = {0};
    json_t *json = json_pack("[s]", "line");

    (void)state;
    record_begin(&r, 1);
    record_grant(&r, &on_card, "before");
    record_plan(&r, &ready);
    record_end(&r, OUTCOME_STALLED, "silent", json);
    record_outcome(&r, json);
    json_decref(json);
    record_begin(&r, 2);
    assert_int_equal(r.number, 2);
    assert_int_equal(r.ended, 0);
    assert_int_equal(r.outcome, OUTCOME_NONE);
    assert_string_equal(r.device, "");
    assert_null(r.plan);
    assert_null(r.given);
    assert_null(r.why);
    assert_null(r.fallback);
    assert_null(r.text);
    assert_null(r.log);
    assert_null(r.detail);
    store_attempt_fini(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begin__new_attempt__knows_its_number_and_time),
        cmocka_unit_test(grant__device_and_numbers__are_kept_as_json),
        cmocka_unit_test(grant__no_attempt_before__has_no_reason),
        cmocka_unit_test(plan__tracks_and_reasons__are_lists),
        cmocka_unit_test(plan__no_reasons__is_an_empty_list),
        cmocka_unit_test(end__outcome_words_and_lines__are_kept),
        cmocka_unit_test(end__worker_that_was_never_there__has_no_lines),
        cmocka_unit_test(outcome__event__is_kept_whole),
        cmocka_unit_test(all__told_again__the_last_counts),
        cmocka_unit_test(begin__next_attempt__has_nothing_of_the_one_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
