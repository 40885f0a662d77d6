#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "support/scene.h"

#define TALLY(device, video, outcome, reason, count) \
    "{'device':'" device "','video':" video ",'outcome':'" outcome \
    "','reason':'" reason "','count':" count "}"

/* Whose single quotes are double ones. The caller frees. */
static char *script_of(const char *text)
{
    char *script = xstrdup(text);

    for (char *c = script; (c = strchr(c, '\''));)
        *c = '"';
    return script;
}

static void assert_report(const char *text, const char *const *arguments,
                          const char *expect)
{
    char *script = script_of(text);
    struct scene_result r = scene_run(script, arguments);

    assert_string_equal(r.out, expect);
    assert_int_equal(r.status, 0);
    scene_result_fini(&r);
    free(script);
}

// clang-format off
#define USED_GPU_PERIODS \
    "{'time':0,'device':'cuda:0','jobs':214," \
    "'load':{'least':0,'mean':0.104,'most':0.9}," \
    "'encoder_load':{'least':0,'mean':0.2,'most':1},'decoder_load':null," \
    "'vram_used':{'least':104857600,'mean':209715200,'most':314572800}," \
    "'temperature':{'least':38,'mean':51.6,'most':66}," \
    "'power':{'least':4.6,'mean':17,'most':43}}," \
    "{'time':86400000000,'device':'cpu','jobs':16}"
#define USED_GPU_TALLIES \
    TALLY("cpu", "true", "done", "", "4") "," \
    TALLY("cpu", "true", "done", "no \\u001b session", "12") "," \
    TALLY("cuda:0", "true", "done", "", "200") "," \
    TALLY("cuda:0", "true", "done", "2 of 3 sessions", "14") "," \
    TALLY("cuda:0", "true", "device_lost", "", "1") "," \
    TALLY("", "true", "bad_input", "", "2") "," \
    TALLY("cpu", "false", "done", "", "30") "," \
    TALLY("cuda:0", "true", "cancelled", "", "9")
// clang-format on

static void report__used_gpu__in_words_and_by_the_day(void **state)
{
    static const char *const arguments[] = {"report", NULL};

    (void)state;
    assert_report("call io.transcoded.Report {'days':7}\n"
                  "reply {'from':0,'step':86400,'periods':[" USED_GPU_PERIODS
                  "],'tallies':[" USED_GPU_TALLIES "]}\n",
                  arguments,
                  "cpu did 16 of 230 video jobs.\n"
                  "cuda:0 did 214 of 230 video jobs.\n"
                  "30 more copied their video or had none.\n"
                  "12 went to cpu: no \\x1b session.\n"
                  "14 did not get all of cuda:0: 2 of 3 sessions.\n"
                  "1 ended on cuda:0 as device_lost.\n"
                  "2 ended before they had a device as bad_input.\n"
                  "\n"
                  "Of each reading the least, the mean and the greatest, by "
                  "the day:\n"
                  "\n"
                  "FROM        DEVICE  JOBS      LOAD    ENCODER  DECODER"
                  "           MEMORY  TEMPERATURE      POWER\n"
                  "1970-01-01  cuda:0   214  0 10 90%  0 20 100%        -"
                  "  100 200 300 MiB  38 52 66 °C  5 17 43 W\n"
                  "1970-01-02  cpu       16         -          -        -"
                  "                -            -          -\n");
}

static void report__nothing_on_the_gpu__is_said(void **state)
{
    static const char *const arguments[] = {"report", "-n", "1", NULL};

    (void)state;
    assert_report("call io.transcoded.Report {'days':1}\n"
                  "reply {'from':0,'step':3600,'periods':[],'tallies':[" TALLY(
                      "cpu", "true", "done", "", "1") "]}\n",
                  arguments,
                  "cpu did 1 of 1 video job.\nNo GPU did any of them.\n");
}

static void report__nothing_at_all__is_said(void **state)
{
    static const char *const arguments[] = {"report", "--days=396", NULL};

    (void)state;
    assert_report("call io.transcoded.Report {'days':396}\n"
                  "reply {'from':0,'step':604800,'periods':[],'tallies':[]}\n",
                  arguments, "No video job was done.\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(report__used_gpu__in_words_and_by_the_day),
        cmocka_unit_test(report__nothing_on_the_gpu__is_said),
        cmocka_unit_test(report__nothing_at_all__is_said),
    };

    (void)setenv("TZ", "UTC", 1);
    return cmocka_run_group_tests(tests, scene_open, scene_close);
}
