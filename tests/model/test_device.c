#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "model/device.h"
#include "model/mark.h"
#include "model/quote.h"
#include "model/sample.h"
#include "model/survey.h"

static void device_to_json__cpu__is_shown(void **state)
{
    const struct device d = {
        .id = "cpu",
        .name = "Some CPU @ 3.40GHz",
        .cores = 8,
        .running = 1,
        .limit = 2,
        .load = 0.25,
        .health = "ok",
    };

    (void)state;
    assert_json(device_to_json(&d),
                "{'id':'cpu','name':'Some CPU @ 3.40GHz','cores':8,"
                "'running':1,'limit':2,'load':0.25,'health':'ok','gpu':null}");
}

static void device_to_json__gpu_without_sample__is_all_null(void **state)
{
    const struct survey_device survey = {.uuid = "GPU-A",
                                         .driver = "470.256.02"};
    const struct marks marks = {0};
    const struct device_gpu gpu = {&survey, NULL, &marks, -1, -1, 3, false};
    const struct device d = {
        .id = "cuda:0", .limit = -1, .load = -1, .gpu = &gpu};

    (void)state;
    assert_json(
        device_to_json(&d),
        "{'id':'cuda:0','name':'','cores':0,'running':0,'limit':null,"
        "'load':null,'health':'','gpu':{'uuid':'GPU-A','driver':'470.256.02',"
        "'nvenc_api':'','compute':0,"
        "'sessions':{'own':null,'foreign':null,'limit':3},"
        "'vram_total':null,'vram_used':null,'vram_free':null,"
        "'encoder_load':null,'decoder_load':null,'temperature':null,"
        "'power':null,'power_limit':null,'clock':null,'memory_clock':null,"
        "'video_clock':null,'throttle':null,'processes':[],'sampled':null,"
        "'marks':{'vram':'none','load':'none','encoder_load':'none',"
        "'decoder_load':'none','temperature':'none','power':'none',"
        "'clock':'none','throttle':'none'},'notes':[],'decoders':[],"
        "'encoders':[],'filters':[],'problems':[]}}");
}

static void device_to_json__gpu__has_readings_marks_and_abilities(void **state)
{
    struct survey_decoder decoders[] = {{.codec = "hevc", .depth = 8},
                                        {.codec = "hevc", .depth = 10}};
    struct survey_encoder encoders[] = {{.codec = "h264"}};
    char *filters[] = {(char[]){"scale_cuda"}};
    const struct survey_device survey = {
        .uuid = "GPU-A",
        .decoders = decoders,
        .decoder_count = 2,
        .encoders = encoders,
        .encoder_count = 1,
        .filters = filters,
        .filter_count = 1,
    };
    const struct marks marks = {
        .temperature = MARK_WARN, .notes = {"it is warm"}, .note_count = 1};
    struct sample sample;
    const struct device_gpu gpu = {&survey, &sample, &marks, 2, 1, 3, false};
    const struct device d = {.id = "cuda:0", .gpu = &gpu};

    (void)state;
    sample_init(&sample);
    sample.temperature = 66;
    sample.throttle = 0x24;
    sample.time = 1000;
    json_t *json = device_to_json(&d);
    const json_t *shown = json_object_get(json, "gpu");
    assert_true(json_number_value(json_object_get(shown, "temperature")) == 66);
    assert_true(json_is_null(json_object_get(shown, "power")));
    assert_int_equal(json_integer_value(json_object_get(shown, "sampled")),
                     1000);
    assert_json(json_incref(json_object_get(shown, "throttle")),
                "['its power limit','heat']");
    assert_json(json_incref(json_object_get(shown, "sessions")),
                "{'own':2,'foreign':1,'limit':3}");
    assert_json(json_incref(json_object_get(shown, "notes")), "['it is warm']");
    assert_json(json_incref(json_object_get(shown, "decoders")), "['hevc']");
    assert_json(json_incref(json_object_get(shown, "encoders")), "['h264']");
    assert_json(json_incref(json_object_get(shown, "filters")),
                "['scale_cuda']");
    assert_string_equal(json_string_value(json_object_get(
                            json_object_get(shown, "marks"), "temperature")),
                        "warn");
    json_decref(json);
}

static void device_to_json__for_strangers__programs_are_not_named(void **state)
{
    static const struct survey_device survey;
    static const struct marks marks;

    (void)state;
    for (int discreet = 0; discreet <= 1; discreet++) {
        struct sample_process programs[] = {
            {.pid = 7, .vram = 1024, .name = "python3"},
            {.pid = 8, .vram = -1}};
        struct sample sample;
        const struct device_gpu gpu = {.survey = &survey,
                                       .sample = &sample,
                                       .marks = &marks,
                                       .is_discreet = discreet};
        const struct device d = {.id = "cuda:0", .gpu = &gpu};

        sample_init(&sample);
        memcpy(sample.processes, programs, sizeof(programs));
        sample.process_count = 2;
        json_t *json = device_to_json(&d);
        assert_json(json_incref(json_object_get(json_object_get(json, "gpu"),
                                                "processes")),
                    discreet ? "[{'pid':0,'vram':1024,'name':''},"
                               "{'pid':0,'vram':null,'name':''}]"
                             : "[{'pid':7,'vram':1024,'name':'python3'},"
                               "{'pid':8,'vram':null,'name':''}]");
        json_decref(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(device_to_json__cpu__is_shown),
        cmocka_unit_test(device_to_json__gpu_without_sample__is_all_null),
        cmocka_unit_test(device_to_json__gpu__has_readings_marks_and_abilities),
        cmocka_unit_test(device_to_json__for_strangers__programs_are_not_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
