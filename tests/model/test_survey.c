#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include "base/error.h"
#include "model/quote.h"
#include "model/survey.h"

static const char p1000[] =
    "{'libav':'59.37.100','nvenc_headers':'11.1','devices':["
    "{'id':'cuda:0','uuid':'GPU-1','name':'Quadro P1000',"
    "'driver':'470.256.02','nvenc_api':'11.1','compute':61,"
    "'vram':4294967296,'decoders':[{'codec':'hevc','depth':10,'chroma':420,"
    "'least_width':144,'least_height':144,'width':8192,'height':8192}],"
    "'encoders':[{'codec':'hevc','name':'hevc_nvenc','depth':10,"
    "'least_width':145,'least_height':49,'width':8192,'height':8192,"
    "'level':62,'b_frames':0,'b_frame_refs':false,'temporal_aq':false,"
    "'lookahead':true,'dynamic_bitrate':true}],'filters':['scale_cuda'],'"
    "problems':[],"
    "'is_partial':false,'sure':'all'}],"
    "'problems':['one of two cards is not permitted']}";

static void read_p1000(struct survey *ret)
{
    json_t *json = quote(p1000);
    struct error e = {0};

    assert_int_equal(survey_from_json(ret, json, &e), 0);
    json_decref(json);
}

static void survey_to_json__survey__is_read_back_the_same(void **state)
{
    struct survey s;

    (void)state;
    read_p1000(&s);
    assert_json(survey_to_json(&s), p1000);
    survey_fini(&s);
}

static void survey_find_decoder__other_depth__is_not_found(void **state)
{
    struct survey s;

    (void)state;
    read_p1000(&s);
    const struct survey_device *d = &s.devices[0];
    assert_non_null(survey_find_decoder(d, "hevc", 10, 420));
    assert_null(survey_find_decoder(d, "hevc", 8, 420));
    assert_null(survey_find_decoder(d, "hevc", 10, 444));
    assert_null(survey_find_decoder(d, "h264", 10, 420));
    survey_fini(&s);
}

static void survey_find_encoder__by_our_name__is_libavs(void **state)
{
    struct survey s;

    (void)state;
    read_p1000(&s);
    assert_string_equal(survey_find_encoder(&s.devices[0], "hevc")->name,
                        "hevc_nvenc");
    assert_null(survey_find_encoder(&s.devices[0], "av1"));
    survey_fini(&s);
}

static void survey_has_filter__name__is_looked_up(void **state)
{
    struct survey s;

    (void)state;
    read_p1000(&s);
    assert_true(survey_has_filter(&s.devices[0], "scale_cuda"));
    assert_false(survey_has_filter(&s.devices[0], "yadif_cuda"));
    survey_fini(&s);
}

static void survey_device_copy__device__shares_nothing(void **state)
{
    struct survey s;
    struct survey_device copy;

    (void)state;
    read_p1000(&s);
    json_t *before = survey_device_to_json(&s.devices[0]);
    survey_device_copy(&copy, &s.devices[0]);
    survey_fini(&s);
    json_t *after = survey_device_to_json(&copy);
    assert_true(json_equal(before, after));
    json_decref(before);
    json_decref(after);
    survey_device_fini(&copy);
}

static void survey_from_json__side_beyond_reason__is_refused(void **state)
{
    struct survey s;
    struct error e = {0};
    json_t *json = quote(p1000);
    json_t *device = json_array_get(json_object_get(json, "devices"), 0);
    json_t *decoder = json_array_get(json_object_get(device, "decoders"), 0);

    (void)state;
    json_object_set_new(decoder, "width", json_integer(1 << 30));
    assert_int_equal(survey_from_json(&s, json, &e), -EINVAL);
    assert_string_equal(e.field, "devices[0].decoders[0].width");
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(survey_to_json__survey__is_read_back_the_same),
        cmocka_unit_test(survey_find_decoder__other_depth__is_not_found),
        cmocka_unit_test(survey_find_encoder__by_our_name__is_libavs),
        cmocka_unit_test(survey_has_filter__name__is_looked_up),
        cmocka_unit_test(survey_device_copy__device__shares_nothing),
        cmocka_unit_test(survey_from_json__side_beyond_reason__is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
