#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "media/survey_words.h"
#include "model/survey.h"

static void explain__libavs_words__become_a_verdict_and_words(void **state)
{
    static const struct {
        const char *said;
        enum survey_verdict verdict;
        const char *headers;
        const char *words;
    } cases[] = {
        {"h264_nvenc: Driver does not support the required nvenc API version. "
         "Required: 12.0 Found: 11.1; h264_nvenc: The minimum required Nvidia "
         "driver for nvenc is 520.56.06 or newer",
         SURVEY_MISFIT, "12.0",
         "this build of FFmpeg needs NVENC API 12.0, but driver 470.256.02 has "
         "11.1: use an FFmpeg built with nv-codec-headers 11.1"},
        {"h264_nvenc: OpenEncodeSessionEx failed: out of memory (10): (no "
         "details)",
         SURVEY_BUSY, "",
         "h264_nvenc: others hold all of the card's encoder sessions, or its "
         "memory"},
        {"h264_nvenc: OpenEncodeSessionEx failed: incompatible client key (21)",
         SURVEY_BUSY, "",
         "h264_nvenc: others hold all of the card's encoder sessions"},
        {"h264_nvenc: OpenEncodeSessionEx failed: unsupported device (2): (no "
         "details); h264_nvenc: Provided device doesn't support required NVENC "
         "features",
         SURVEY_ABSENT, "", "h264_nvenc: the card has no encoder (NVENC)"},
        {"h264_nvenc: 10 bit encode not supported", SURVEY_LACKING, "",
         "h264_nvenc: the card does not encode 10 bit"},
        {"h264_nvenc: Max B-frames 3 exceed 0", SURVEY_LACKING, "",
         "h264_nvenc: the card does not encode so many B-frames"},
        {"h264_nvenc: Codec not supported", SURVEY_LACKING, "",
         "h264_nvenc: the card does not encode it"},
        {"h264_nvenc: Cannot load libnvidia-encode.so.1", SURVEY_BROKEN, "",
         "h264_nvenc: the driver's library libnvidia-encode.so.1 is missing"},
        {"something new", SURVEY_BROKEN, "",
         "h264_nvenc cannot be opened: something new"},
        {"", SURVEY_BROKEN, "",
         "h264_nvenc cannot be opened: libav does not say why"},
        // no number of a version
        {"nvenc API version. Required: much", SURVEY_BROKEN, "",
         "h264_nvenc cannot be opened: nvenc API version. Required: much"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct survey_failure f;
        print_message("%s\n", cases[i].said);
        survey_explain(&f, cases[i].said, "h264_nvenc", "470.256.02", "11.1");
        assert_int_equal(f.verdict, cases[i].verdict);
        assert_string_equal(f.headers, cases[i].headers);
        assert_string_equal(f.words, cases[i].words);
    }
}

static void add_problem__many__are_bounded(void **state)
{
    struct survey_device d = {0};

    (void)state;
    for (int i = 0; i < 1000; i++)
        survey_add_problem(&d, "problem %d", i);
    assert_in_range(d.problem_count, 8, 64);
    assert_string_equal(d.problems[3], "problem 3");
    survey_device_fini(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(explain__libavs_words__become_a_verdict_and_words),
        cmocka_unit_test(add_problem__many__are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
