#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scheduler.h"

#include "base/clock.h"

static const struct limits limits = {
    .attempts = 4,
    .attempts_per_uid = 3,
    .cpu_jobs = 2,
    .cpu_threads = 6,
    .batch_age = 100 * SECOND,
};
static const struct need copies = {.duration = 1};
static const struct need encodes = {.decodes_video = true,
                                    .rendition_count = 1};

static void next__attempts_and_waiting_jobs__are_bounded(void **state)
{
    static const struct {
        enum job_priority priority;
        struct scheduler_load load;
        bool starts;
    } cases[] = {
        {JOB_NORMAL, {.attempts = 0}, true},
        {JOB_NORMAL, {.attempts = 3, .cpu_jobs = 2, .ungranted = 1}, true},
        {JOB_NORMAL, {.attempts = 3, .ungranted = 2}, false},
        {JOB_BATCH, {.attempts = 2, .ungranted = 2}, false},
        {JOB_REALTIME, {.attempts = 3, .ungranted = 2}, true},
        {JOB_NORMAL, {.attempts = 4}, false},
        {JOB_REALTIME, {.attempts = 4}, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct store_job row = {.id = 1, .priority = cases[i].priority};
        struct backlog *b = backlog_create();

        print_message("case %zu\n", i);
        backlog_add(b, &row);
        assert_int_equal(scheduler_next(&cases[i].load, &limits, b, SECOND) !=
                             NULL,
                         cases[i].starts);
        backlog_destroy(b);
    }
}

static void next__batch_job_of_age__overtakes(void **state)
{
    static const struct scheduler_load nothing;
    const struct store_job batch = {
        .id = 1, .priority = JOB_BATCH, .created = SECOND};
    const struct store_job normal = {
        .id = 2, .priority = JOB_NORMAL, .created = 2 * SECOND};
    struct backlog *b = backlog_create();

    (void)state;
    backlog_add(b, &batch);
    backlog_add(b, &normal);
    assert_int_equal(scheduler_next(&nothing, &limits, b, 100 * SECOND)->job.id,
                     2);
    assert_int_equal(scheduler_next(&nothing, &limits, b, 102 * SECOND)->job.id,
                     1);
    backlog_destroy(b);
}

static void has_room__caps_of_all_and_of_one(void **state)
{
    static const struct {
        int64_t attempts;
        int64_t own;
        bool room;
        int64_t limit;
    } cases[] = {
        {0, 0, true, 0},
        {3, 2, true, 0},
        {3, 3, false, 3},
        {4, 0, false, 4},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct scheduler_load load = {.attempts = cases[i].attempts};
        int64_t limit = 0;

        print_message("case %zu\n", i);
        assert_int_equal(
            scheduler_has_room(&load, &limits, cases[i].own, &limit),
            cases[i].room);
        if (!cases[i].room)
            assert_int_equal(limit, cases[i].limit);
    }
}

static void grant__slots_for_those_who_encode(void **state)
{
    static const struct {
        enum job_priority priority;
        const struct need *need;
        int64_t cpu_jobs;
        bool granted;
    } cases[] = {
        {JOB_NORMAL, &encodes, 1, true}, {JOB_NORMAL, &encodes, 2, false},
        {JOB_BATCH, &encodes, 2, false}, {JOB_REALTIME, &encodes, 2, true},
        {JOB_NORMAL, &copies, 2, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct scheduler_load load = {.cpu_jobs = cases[i].cpu_jobs};
        struct grant grant;

        print_message("case %zu\n", i);
        assert_int_equal(scheduler_grant(&load, &limits, cases[i].priority,
                                         cases[i].need, &grant),
                         cases[i].granted);
        if (cases[i].granted) {
            assert_string_equal(grant.device, "cpu");
            assert_int_equal(grant.threads, 6);
            assert_int_equal(grant.sessions, 0);
        }
    }
    assert_true(scheduler_takes_slot(&encodes));
    assert_false(scheduler_takes_slot(&copies));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(next__attempts_and_waiting_jobs__are_bounded),
        cmocka_unit_test(next__batch_job_of_age__overtakes),
        cmocka_unit_test(has_room__caps_of_all_and_of_one),
        cmocka_unit_test(grant__slots_for_those_who_encode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
