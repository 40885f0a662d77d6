#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "model/sample.h"
#include "nvml.h"
#include "support/machine.h"

struct reading {
    int result; // of what failed, else of the first card
    size_t count;
    struct sample sample;
    struct error error;
};

static void read_first(void *ret)
{
    struct reading *r = ret;
    struct nvml *n;

    r->result = nvml_open(&n, &r->error);
    if (r->result < 0)
        return;
    r->count = nvml_count(n);
    r->result = nvml_read(n, 0, &r->sample, &r->error);
    nvml_close(n);
}

static struct reading read_on(const char *const *settings)
{
    struct reading r = {0};

    machine_run(settings, read_first, &r, sizeof(r));
    return r;
}

static void assert_near(double got, double expect)
{
    print_message("%g, expected %g\n", got, expect);
    assert_true(got > expect - 0.001 && got < expect + 0.001);
}

static void nvml_read__idle_card__says_all_of_it(void **state)
{
    int64_t before = clock_wall();
    struct reading r = read_on(NULL);

    (void)state;
    assert_int_equal(r.result, 0);
    assert_int_equal(r.count, 1);
    assert_string_equal(r.sample.name, "Quadro P1000");
    assert_string_equal(r.sample.driver, "470.256.02");
    assert_string_equal(r.sample.uuid,
                        "GPU-00000000-7667-7075-0000-000000000001");
    assert_true(r.sample.time >= before && r.sample.time <= clock_wall());
    assert_int_equal(r.sample.vram_total, INT64_C(4096) << 20);
    assert_int_equal(r.sample.vram_used, 0);
    assert_int_equal(r.sample.vram_free, INT64_C(4096) << 20);
    assert_near(r.sample.load, 0);
    assert_near(r.sample.encoder_load, 0);
    assert_near(r.sample.decoder_load, 0);
    assert_near(r.sample.temperature, 48);
    assert_near(r.sample.power, 18.5);
    assert_near(r.sample.power_limit, 47);
    assert_int_equal(r.sample.clock, 1303);
    assert_int_equal(r.sample.memory_clock, 2505);
    assert_int_equal(r.sample.video_clock, 1171);
    assert_int_equal(r.sample.throttle, 0);
    assert_int_equal(r.sample.session_total, 0);
    assert_int_equal(r.sample.session_count, 0);
    assert_int_equal(r.sample.process_count, 0);
}

static void nvml_read__settings__are_the_readings(void **state)
{
    static const char *const settings[] = {
        "temperature=83", "power=46999", "throttle=68", "sm_clock=139",
        "vram=2048",      "name=Tesla",  NULL,
    };
    struct reading r = read_on(settings);

    (void)state;
    assert_int_equal(r.result, 0);
    assert_near(r.sample.temperature, 83);
    assert_near(r.sample.power, 46.999);
    assert_int_equal(r.sample.throttle, 0x44);
    assert_int_equal(r.sample.clock, 139);
    assert_int_equal(r.sample.vram_total, INT64_C(2048) << 20);
    assert_string_equal(r.sample.name, "Tesla");
}

static void nvml_read__what_the_driver_lacks__is_unknown(void **state)
{
    static const char *const settings[] = {
        "power=0",       "power_limit=0", "sm_clock=0", "memory_clock=0",
        "video_clock=0", "throttle=-1",   NULL,
    };
    struct reading r = read_on(settings);

    (void)state;
    assert_int_equal(r.result, 0);
    assert_near(r.sample.power, SAMPLE_UNKNOWN);
    assert_near(r.sample.power_limit, SAMPLE_UNKNOWN);
    assert_int_equal(r.sample.clock, SAMPLE_UNKNOWN);
    assert_int_equal(r.sample.memory_clock, SAMPLE_UNKNOWN);
    assert_int_equal(r.sample.video_clock, SAMPLE_UNKNOWN);
    assert_int_equal(r.sample.throttle, SAMPLE_UNKNOWN);
    assert_near(r.sample.temperature, 48); // and the rest is there
}

/* A memory that nobody knows is not 0, nor is it full. */
static void nvml_read__what_nvml_lacks__is_unknown(void **state)
{
    static const char *const settings[] = {
        "nvml_lacks=7",
        "foreign_sessions=2",
        "foreign_vram=512",
        NULL,
    };
    struct reading r = read_on(settings);

    (void)state;
    assert_int_equal(r.result, 0);
    assert_int_equal(r.sample.vram_total, SAMPLE_UNKNOWN);
    assert_int_equal(r.sample.vram_used, SAMPLE_UNKNOWN);
    assert_int_equal(r.sample.vram_free, SAMPLE_UNKNOWN);
    // how many, if not whose
    assert_int_equal(r.sample.session_total, 2);
    assert_int_equal(r.sample.session_count, 0);
    assert_int_equal(r.sample.process_count, 1);
    assert_int_equal(r.sample.processes[0].pid, 1);
    assert_int_equal(r.sample.processes[0].vram, SAMPLE_UNKNOWN);
}

/* Nobody could say whose sample it is. */
static void nvml_read__no_uuid__is_no_sample(void **state)
{
    static const char *const settings[] = {"nvml_lacks=8", NULL};
    struct reading r = read_on(settings);

    (void)state;
    print_message("%s\n", r.error.text);
    assert_int_equal(r.result, -EIO);
    assert_non_null(strstr(r.error.text, "card 0: Not Supported"));
}

static void nvml_read__strangers__have_pids_and_memory(void **state)
{
    static const char *const settings[] = {
        "foreign_sessions=2",
        "foreign_vram=512",
        NULL,
    };
    struct reading r = read_on(settings);

    (void)state;
    assert_int_equal(r.sample.session_total, 2);
    assert_int_equal(r.sample.session_count, 2);
    assert_int_equal(r.sample.sessions[1].pid, 1);
    assert_string_equal(r.sample.sessions[1].codec, "h264");
    assert_int_equal(r.sample.sessions[1].width, 1920);
    assert_int_equal(r.sample.process_count, 1);
    assert_int_equal(r.sample.processes[0].pid, 1);
    assert_int_equal(r.sample.processes[0].vram, INT64_C(512) << 20);
    assert_true(r.sample.processes[0].name[0] != '\0'); // process 1 has one
    assert_int_equal(r.sample.vram_used, INT64_C(512) << 20);
}

static void nvml_read__more_sessions_than_there_is_room__counted(void **state)
{
    static const char *const settings[] = {"foreign_sessions=100", NULL};
    struct reading r = read_on(settings);

    (void)state;
    assert_int_equal(r.sample.session_total, 100);
    assert_int_equal(r.sample.session_count, SAMPLE_SESSIONS_MOST);
}

static void nvml_open__no_driver__says_so(void **state)
{
    static const char *const settings[] = {"no_driver=1", NULL};
    struct reading r = read_on(settings);

    (void)state;
    print_message("%s\n", r.error.text);
    assert_int_equal(r.result, -ENODEV);
    assert_non_null(strstr(r.error.text, "the NVIDIA driver does not answer"));
}

static void read_missing_card(void *ret)
{
    struct reading *r = ret;
    struct nvml *n;

    r->result = nvml_open(&n, &r->error);
    if (r->result < 0)
        return;
    r->result = nvml_read(n, 7, &r->sample, &r->error);
    nvml_close(n);
}

static void nvml_read__card_that_is_gone__says_which(void **state)
{
    struct reading r = {0};

    (void)state;
    machine_run(NULL, read_missing_card, &r, sizeof(r));
    print_message("%s\n", r.error.text);
    assert_int_equal(r.result, -EIO);
    assert_non_null(strstr(r.error.text, "card 7: "));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nvml_read__idle_card__says_all_of_it),
        cmocka_unit_test(nvml_read__settings__are_the_readings),
        cmocka_unit_test(nvml_read__what_the_driver_lacks__is_unknown),
        cmocka_unit_test(nvml_read__what_nvml_lacks__is_unknown),
        cmocka_unit_test(nvml_read__no_uuid__is_no_sample),
        cmocka_unit_test(nvml_read__strangers__have_pids_and_memory),
        cmocka_unit_test(nvml_read__more_sessions_than_there_is_room__counted),
        cmocka_unit_test(nvml_open__no_driver__says_so),
        cmocka_unit_test(nvml_read__card_that_is_gone__says_which),
    };

    (void)argc;
    machine_enter(argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
