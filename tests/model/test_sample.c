#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/error.h"
#include "model/quote.h"
#include "model/sample.h"

static void read_sample(struct sample *ret, const char *text)
{
    json_t *json = quote(text);
    struct error e = {0};

    assert_int_equal(sample_from_json(ret, json, &e), 0);
    json_decref(json);
}

static void sample_from_json__only_uuid__knows_nothing_else(void **state)
{
    struct sample s;

    (void)state;
    read_sample(&s, "{'uuid':'GPU-1'}");
    assert_true(s.temperature < 0);
    assert_true(s.power < 0);
    assert_int_equal(s.vram_free, SAMPLE_UNKNOWN);
    assert_int_equal(s.clock, SAMPLE_UNKNOWN);
    assert_int_equal(s.throttle, SAMPLE_UNKNOWN);
    assert_int_equal(s.session_total, SAMPLE_UNKNOWN);
    assert_int_equal(s.session_count, 0);
}

static void sample_to_json__unknown__is_null_and_read_back(void **state)
{
    struct sample s;

    (void)state;
    read_sample(&s, "{'uuid':'GPU-1','temperature':41}");
    json_t *json = sample_to_json(&s);
    assert_true(json_is_null(json_object_get(json, "power")));
    assert_true(json_is_null(json_object_get(json, "clock")));
    assert_true(json_number_value(json_object_get(json, "temperature")) == 41);

    struct sample again;
    struct error e = {0};
    assert_int_equal(sample_from_json(&again, json, &e), 0);
    assert_int_equal(again.clock, SAMPLE_UNKNOWN);
    json_decref(json);
}

static void sample_from_json__sessions__are_counted(void **state)
{
    struct sample s;

    (void)state;
    read_sample(&s, "{'uuid':'GPU-1','sessions':[{'pid':7,'codec':'h264'},"
                    "{'pid':9}],'processes':[{'pid':7,'vram':1048576}]}");
    assert_int_equal(s.session_count, 2);
    assert_int_equal(s.sessions[1].pid, 9);
    assert_int_equal(s.processes[0].vram, 1048576);
}

static void sample_from_json__load_over_one__is_refused(void **state)
{
    struct sample s;
    struct error e = {0};
    json_t *json = quote("{'uuid':'GPU-1','load':55}");

    (void)state;
    assert_int_equal(sample_from_json(&s, json, &e), -EINVAL);
    assert_string_equal(e.field, "load");
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sample_from_json__only_uuid__knows_nothing_else),
        cmocka_unit_test(sample_to_json__unknown__is_null_and_read_back),
        cmocka_unit_test(sample_from_json__sessions__are_counted),
        cmocka_unit_test(sample_from_json__load_over_one__is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
