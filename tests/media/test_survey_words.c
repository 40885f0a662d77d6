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
        {"h264_nvenc: InitializeEncoder failed: unsupported param (12): no",
         SURVEY_REFUSED, "",
         "h264_nvenc cannot be opened: h264_nvenc: InitializeEncoder failed: "
         "unsupported param (12): no"},
        {"h264_nvenc: InitializeEncoder failed: invalid param (8)",
         SURVEY_REFUSED, "",
         "h264_nvenc cannot be opened: h264_nvenc: InitializeEncoder failed: "
         "invalid param (8)"},
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

static void
explain_filter__libavs_words__become_a_verdict_and_words(void **state)
{
    static const struct {
        const char *said;
        enum survey_verdict verdict;
        const char *words;
    } cases[] = {
        {"scale_cuda: cu->cuModuleLoadData(...) failed -> "
         "CUDA_ERROR_UNSUPPORTED_PTX_VERSION: the provided PTX was compiled "
         "with an unsupported toolchain.",
         SURVEY_MISFIT,
         "scale_cuda does not run: this build of FFmpeg was made with a newer "
         "CUDA than driver 470.256.02 knows: use one that was configured with "
         "--enable-cuda-llvm, or made with a CUDA as old as the driver"},
        {"CUDA_ERROR_OUT_OF_MEMORY: out of memory", SURVEY_BUSY,
         "scale_cuda does not run: CUDA_ERROR_OUT_OF_MEMORY: out of memory"},
        {"something new", SURVEY_BROKEN,
         "scale_cuda does not run: something new"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct survey_failure f;
        print_message("%s\n", cases[i].said);
        survey_explain_filter(&f, cases[i].said, "scale_cuda", "470.256.02");
        assert_int_equal(f.verdict, cases[i].verdict);
        assert_string_equal(f.words, cases[i].words);
    }
}

static void is_lasting__verdicts__but_what_passes(void **state)
{
    (void)state;
    assert_false(survey_is_lasting(SURVEY_BROKEN));
    assert_false(survey_is_lasting(SURVEY_BUSY));
    assert_true(survey_is_lasting(SURVEY_ABSENT));
    assert_true(survey_is_lasting(SURVEY_LACKING));
    assert_false(survey_is_lasting(SURVEY_MISFIT)); // FFmpeg is built anew
    assert_true(survey_is_lasting(SURVEY_REFUSED));
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
        cmocka_unit_test(
            explain_filter__libavs_words__become_a_verdict_and_words),
        cmocka_unit_test(is_lasting__verdicts__but_what_passes),
        cmocka_unit_test(add_problem__many__are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
