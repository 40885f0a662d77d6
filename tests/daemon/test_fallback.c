#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "fallback.h"

#include <stdio.h>
#include <string.h>

#define DECODE OUTCOME_PART_DECODE
#define ENCODE OUTCOME_PART_ENCODE
#define DEVICE OUTCOME_PART_DEVICE
#define NONE   OUTCOME_PART_NONE

static const struct need one_gpu = {
    .rendition_count = 1,
    .devices = {{.id = "cuda:0", .sessions = 1, .decodes = true}},
    .device_count = 1,
};
static const struct need two_gpus = {
    .rendition_count = 1,
    .devices = {{.id = "cuda:0", .sessions = 1, .decodes = true},
                {.id = "cuda:1", .sessions = 1, .decodes = true}},
    .device_count = 2,
};
static const struct grant whole = {
    .device = "cuda:0", .sessions = 1, .decode = true};
static const struct grant only_encode = {.device = "cuda:0", .sessions = 1};
static const struct grant only_decode = {.device = "cuda:0", .decode = true};
static const struct grant cpu = {.device = "cpu"};

// clang-format off
#define W(x) JOB_HARDWARE_##x
#define F(x) FALLBACK_##x

static void judge__what_the_next_attempt_does_without(void **state)
{
    static const struct {
        enum job_hardware hardware;
        const struct grant *given;
        enum outcome outcome;
        enum outcome_part part;
        enum fallback_step step;
        bool decode; // is still allowed
        bool encode;
    } cases[] = {
        // the same plan without the part that failed
        {W(AUTO), &whole, OUTCOME_DEVICE_LOST, ENCODE, F(WITHOUT), true, false},
        {W(AUTO), &whole, OUTCOME_DEVICE_LOST, DECODE, F(WITHOUT), false, true},
        {W(AUTO), &whole, OUTCOME_NO_MEMORY, ENCODE, F(WITHOUT), true, false},
        {W(AUTO), &whole, OUTCOME_NO_MEMORY, DECODE, F(WITHOUT), false, true},
        {W(AUTO), &whole, OUTCOME_NO_SESSION, ENCODE, F(WITHOUT), true, false},
        // what another may take
        {W(AUTO), &whole, OUTCOME_BAD_INPUT, DECODE, F(WITHOUT), false, true},
        {W(AUTO), &whole, OUTCOME_BAD_REQUEST, ENCODE, F(WITHOUT), true, false},
        {W(PREFER), &whole, OUTCOME_BAD_INPUT, DEVICE, F(WITHOUT), false, false},
        {W(REQUIRE), &whole, OUTCOME_BAD_INPUT, DECODE, F(WITHOUT), false, true},
        {W(REQUIRE), &whole, OUTCOME_BAD_REQUEST, ENCODE, F(END), true, false},
        // at last all CPU
        {W(AUTO), &whole, OUTCOME_DEVICE_LOST, DEVICE, F(WITHOUT), false, false},
        {W(AUTO), &whole, OUTCOME_NO_MEMORY, DEVICE, F(WITHOUT), false, false},
        {W(AUTO), &only_encode, OUTCOME_DEVICE_LOST, ENCODE, F(WITHOUT), false, false},
        {W(AUTO), &only_decode, OUTCOME_DEVICE_LOST, DECODE, F(WITHOUT), false, false},
        // what it did not use it cannot blame alone
        {W(AUTO), &only_encode, OUTCOME_DEVICE_LOST, DECODE, F(WITHOUT), false, false},
        {W(AUTO), &only_decode, OUTCOME_DEVICE_LOST, ENCODE, F(WITHOUT), false, false},
        // a driver that hangs or takes its process along
        {W(AUTO), &whole, OUTCOME_STALLED, NONE, F(WITHOUT), false, false},
        {W(AUTO), &whole, OUTCOME_CRASHED, NONE, F(WITHOUT), false, false},
        {W(PREFER), &whole, OUTCOME_KILLED, NONE, F(WITHOUT), false, false},
        // what others give back is waited for by who waits for a GPU
        {W(PREFER), &whole, OUTCOME_NO_SESSION, ENCODE, F(AGAIN), true, true},
        {W(REQUIRE), &whole, OUTCOME_NO_SESSION, ENCODE, F(AGAIN), true, true},
        {W(REQUIRE), &whole, OUTCOME_NO_MEMORY, DEVICE, F(AGAIN), true, true},
        // a GPU is required: decoding may go, encoding not
        {W(REQUIRE), &whole, OUTCOME_DEVICE_LOST, DECODE, F(WITHOUT), false, true},
        {W(REQUIRE), &whole, OUTCOME_DEVICE_LOST, ENCODE, F(END), true, false},
        {W(REQUIRE), &whole, OUTCOME_DEVICE_LOST, DEVICE, F(END), false, false},
        // which may as well be the input: tries, as on the CPU
        {W(REQUIRE), &whole, OUTCOME_CRASHED, NONE, F(NONE), true, true},
        {W(REQUIRE), &whole, OUTCOME_STALLED, NONE, F(NONE), true, true},
        {W(REQUIRE), &whole, OUTCOME_KILLED, NONE, F(NONE), true, true},
        // no device's fault
        {W(AUTO), &cpu, OUTCOME_CRASHED, NONE, F(NONE), true, true},
        {W(AUTO), &cpu, OUTCOME_NO_MEMORY, NONE, F(NONE), true, true},
        {W(AUTO), &whole, OUTCOME_NO_MEMORY, NONE, F(NONE), true, true},
        {W(AUTO), &whole, OUTCOME_BAD_INPUT, NONE, F(NONE), true, true},
        {W(AUTO), &whole, OUTCOME_BAD_REQUEST, NONE, F(NONE), true, true},
        {W(AUTO), &whole, OUTCOME_OUTPUT_FAILED, NONE, F(NONE), true, true},
        {W(AUTO), &whole, OUTCOME_DONE, NONE, F(NONE), true, true},
        {W(AUTO), &whole, OUTCOME_CANCELLED, NONE, F(NONE), true, true},
        {W(AUTO), &whole, OUTCOME_TIMED_OUT, NONE, F(NONE), true, true},
        {W(AUTO), &whole, OUTCOME_INTERRUPTED, NONE, F(NONE), true, true},
    };
    // clang-format on

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fallback f = {0};

        print_message("case %zu\n", i);
        assert_int_equal(fallback_judge(&f, cases[i].hardware, &one_gpu,
                                        cases[i].given, cases[i].outcome,
                                        cases[i].part),
                         cases[i].step);
        assert_int_equal(fallback_allows(&f, "cuda:0", DECODE),
                         cases[i].decode);
        assert_int_equal(fallback_allows(&f, "cuda:0", ENCODE),
                         cases[i].encode);
        assert_true(fallback_allows(&f, "cuda:1", ENCODE));
        assert_int_equal(f.is_pending, cases[i].step == FALLBACK_WITHOUT ||
                                           cases[i].step == FALLBACK_END);
        if (f.is_pending)
            assert_string_equal(f.from, "cuda:0");
    }
}

static void judge__both_parts_one_by_one__leaves_nothing(void **state)
{
    struct fallback f = {0};

    (void)state;
    assert_int_equal(fallback_judge(&f, JOB_HARDWARE_AUTO, &one_gpu, &whole,
                                    OUTCOME_DEVICE_LOST, ENCODE),
                     FALLBACK_WITHOUT);
    assert_string_equal(f.reason, "cuda:0 encoding: it failed");
    assert_int_equal(fallback_judge(&f, JOB_HARDWARE_AUTO, &one_gpu,
                                    &only_decode, OUTCOME_DEVICE_LOST, DECODE),
                     FALLBACK_WITHOUT);
    assert_string_equal(f.reason, "cuda:0 decoding: it failed");
    assert_false(fallback_allows(&f, "cuda:0", DEVICE));
}

static void judge__another_gpu__is_left_to_who_requires_one(void **state)
{
    struct fallback f = {0};
    const struct grant second = {
        .device = "cuda:1", .sessions = 1, .decode = true};

    (void)state;
    assert_int_equal(fallback_judge(&f, JOB_HARDWARE_REQUIRE, &two_gpus, &whole,
                                    OUTCOME_DEVICE_LOST, DEVICE),
                     FALLBACK_WITHOUT);
    assert_int_equal(fallback_judge(&f, JOB_HARDWARE_REQUIRE, &two_gpus,
                                    &second, OUTCOME_DEVICE_LOST, DEVICE),
                     FALLBACK_END);
}

/* The other one has not as many sessions as it has renditions. */
static void judge__smaller_gpu__is_nothing_for_a_ladder(void **state)
{
    struct need need = two_gpus;
    struct fallback f = {0};
    const struct grant given = {
        .device = "cuda:0", .sessions = 2, .decode = true};

    (void)state;
    need.rendition_count = 2;
    need.devices[0].sessions = 2;
    assert_int_equal(fallback_judge(&f, JOB_HARDWARE_REQUIRE, &need, &given,
                                    OUTCOME_DEVICE_LOST, ENCODE),
                     FALLBACK_END);
}

static void judge__nothing_free__three_more_times(void **state)
{
    struct fallback f = {0};

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(fallback_judge(&f, JOB_HARDWARE_PREFER, &one_gpu,
                                        &whole, OUTCOME_NO_SESSION, ENCODE),
                         FALLBACK_AGAIN);
    assert_int_equal(fallback_judge(&f, JOB_HARDWARE_PREFER, &one_gpu, &whole,
                                    OUTCOME_NO_SESSION, ENCODE),
                     FALLBACK_WITHOUT);
}

static void allows__device__while_a_part_is_left(void **state)
{
    struct fallback f = {0};

    (void)state;
    assert_true(fallback_allows(&f, "cuda:0", DEVICE));
    (void)fallback_judge(&f, JOB_HARDWARE_AUTO, &one_gpu, &whole,
                         OUTCOME_DEVICE_LOST, ENCODE);
    assert_true(fallback_allows(&f, "cuda:0", DEVICE));
}

/* Whose words a worker's are: what a driver says is not for clients, what is
 * said of their input and of their wishes is. */
static void is_of_driver__by_outcome_part_and_device(void **state)
{
    static const struct {
        const char *device;
        enum outcome outcome;
        enum outcome_part part;
        bool expect;
    } cases[] = {
        {"cuda:0", OUTCOME_NO_SESSION, ENCODE, true},
        {"cuda:0", OUTCOME_NO_SESSION, NONE, true},
        {"cuda:0", OUTCOME_NO_MEMORY, DECODE, true},
        {"cuda:0", OUTCOME_NO_MEMORY, NONE, false}, // the machine's
        {"cuda:0", OUTCOME_DEVICE_LOST, DEVICE, true},
        {"cuda:0", OUTCOME_DEVICE_LOST, NONE, true},
        {"cuda:0", OUTCOME_BAD_INPUT, DECODE, false},
        {"cuda:0", OUTCOME_BAD_REQUEST, ENCODE, false},
        {"cuda:0", OUTCOME_CRASHED, NONE, false}, // these are ours
        {"cuda:0", OUTCOME_STALLED, NONE, false},
        {"cuda:0", OUTCOME_KILLED, NONE, false},
        {"cuda:0", OUTCOME_DONE, NONE, false},
        {"cuda:0", OUTCOME_OUTPUT_FAILED, NONE, false},
        {"cpu", OUTCOME_NO_MEMORY, ENCODE, false},
        {"cpu", OUTCOME_DEVICE_LOST, DEVICE, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("case %zu\n", i);
        assert_int_equal(fallback_is_of_driver(cases[i].device,
                                               cases[i].outcome, cases[i].part),
                         cases[i].expect);
    }
}

/* However it fails, a job has only so many attempts on devices. */
static void judge__for_ever__is_bounded(void **state)
{
    static const enum outcome outcomes[] = {
        OUTCOME_NO_SESSION, OUTCOME_NO_MEMORY, OUTCOME_DEVICE_LOST,
        OUTCOME_STALLED,    OUTCOME_CRASHED,
    };

    (void)state;
    for (int h = 0; h < JOB_HARDWARE_COUNT; h++) {
        for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++) {
            struct fallback f = {0};
            int attempts = 0;
            struct grant given = whole;

            while (fallback_allows(&f, "cuda:0", ENCODE) && attempts < 100) {
                enum fallback_step step =
                    fallback_judge(&f, (enum job_hardware)h, &one_gpu, &given,
                                   outcomes[i], ENCODE);
                attempts++;
                if (step == FALLBACK_NONE)
                    break; // the job's tries bound it
            }
            print_message("%d %s: %d\n", h, outcome_name(outcomes[i]),
                          attempts);
            assert_in_range(attempts, 1, 4);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judge__what_the_next_attempt_does_without),
        cmocka_unit_test(judge__both_parts_one_by_one__leaves_nothing),
        cmocka_unit_test(judge__another_gpu__is_left_to_who_requires_one),
        cmocka_unit_test(judge__smaller_gpu__is_nothing_for_a_ladder),
        cmocka_unit_test(judge__nothing_free__three_more_times),
        cmocka_unit_test(allows__device__while_a_part_is_left),
        cmocka_unit_test(is_of_driver__by_outcome_part_and_device),
        cmocka_unit_test(judge__for_ever__is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
