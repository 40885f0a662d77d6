#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include <libavutil/log.h>

#include "base/error.h"
#include "media/avlog.h"
#include "media/hwdevice.h"
#include "pipeline/blame.h"
#include "pipeline/stage.h"
#include "support/machine.h"

#define UUID "GPU-00000000-7667-7075-0000-000000000001"

/* What a stage came to, and what came of it. */
struct verdict {
    const char *said; // given: of libav's, several lines or none
    enum outcome_part part;
    int code;
    int result;
    enum outcome outcome;
    enum outcome_part part_of;
    struct error error;
};

static void ignore(void *opaque, enum log_level level, const char *line)
{
    (void)opaque;
    (void)level;
    (void)line;
}

static void fail_stage(void *ret)
{
    struct verdict *v = ret;
    struct stage s = {.blame = OUTCOME_CRASHED};
    struct hwdevice *h;

    v->result = hwdevice_open(&h, "cuda:0", UUID, &v->error);
    if (v->result < 0)
        return;
    avlog_start(ignore, NULL);
    avlog_forget_errors();
    if (v->said)
        av_log(NULL, AV_LOG_ERROR, "%s\n", v->said);
    error_set(&v->error, v->code, "cannot open encoder 'h264_nvenc'");
    v->result = blame_device(&s, h, v->part, v->code, &v->error);
    v->outcome = s.blame;
    v->part_of = s.part;
    hwdevice_close(h);
}

static void
blame__what_libav_said__is_the_outcome_and_in_the_words(void **state)
{
    static const struct {
        const char *said;
        enum outcome_part part;
        int code;
        enum outcome outcome;
        const char *words;
    } cases[] = {
        {"OpenEncodeSessionEx failed: out of memory (10): (no details)\n"
         "no capable devices found",
         OUTCOME_PART_ENCODE, -ENOMEM, OUTCOME_NO_SESSION,
         "cuda:0 grants no more sessions: cannot open encoder 'h264_nvenc' "
         "(OpenEncodeSessionEx failed: out of memory (10): (no details))"},
        {"cu->cuMemAlloc(&data, size) failed -> CUDA_ERROR_OUT_OF_MEMORY: out "
         "of memory",
         OUTCOME_PART_DECODE, -ENOMEM, OUTCOME_NO_MEMORY,
         "cuda:0 has too little memory left: cannot open encoder 'h264_nvenc' "
         "(cu->cuMemAlloc(&data, size) failed -> CUDA_ERROR_OUT_OF_MEMORY: out "
         "of memory)"},
        {"EncodePicture failed!: generic error (20)", OUTCOME_PART_ENCODE, -EIO,
         OUTCOME_DEVICE_LOST,
         "cuda:0 failed: cannot open encoder 'h264_nvenc' (EncodePicture "
         "failed!: generic error (20))"},
        // nothing was said: only the code is known
        {NULL, OUTCOME_PART_DECODE, -EIO, OUTCOME_DEVICE_LOST,
         "cuda:0 failed: cannot open encoder 'h264_nvenc'"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct verdict v = {.said = cases[i].said,
                            .part = cases[i].part,
                            .code = cases[i].code};
        machine_run(NULL, fail_stage, &v, sizeof(v));
        print_message("%s\n", v.error.text);
        assert_int_equal(v.result, cases[i].code);
        assert_int_equal(v.error.code, cases[i].code);
        assert_int_equal(v.outcome, cases[i].outcome);
        assert_int_equal(v.part_of, cases[i].part);
        assert_string_equal(v.error.text, cases[i].words);
    }
}

/* Another stage's failure, or nobody who wants more. */
static void blame__stages_that_were_told_to_end__are_not_to_blame(void **state)
{
    static const int codes[] = {-EPIPE, -ECANCELED};

    (void)state;
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++) {
        struct verdict v = {.said = "EncodePicture failed!: generic error (20)",
                            .part = OUTCOME_PART_ENCODE,
                            .code = codes[i]};
        machine_run(NULL, fail_stage, &v, sizeof(v));
        assert_int_equal(v.result, codes[i]);
        assert_int_equal(v.outcome, OUTCOME_CRASHED); // as it was
        assert_int_equal(v.part_of, OUTCOME_PART_NONE);
        assert_string_equal(v.error.text, "cannot open encoder 'h264_nvenc'");
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            blame__what_libav_said__is_the_outcome_and_in_the_words),
        cmocka_unit_test(blame__stages_that_were_told_to_end__are_not_to_blame),
    };

    (void)argc;
    machine_enter(argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
