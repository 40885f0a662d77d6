/*
 * Who is looked at next, and in which lane of the backlog those wait that are
 * granted nothing yet: who waits for one thing keeps nobody from another.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scheduler.h"

#include "support/cards.h"

#define NOW  CARDS_NOW

#define N    JOB_NORMAL
#define R    JOB_REALTIME
#define W(x) JOB_HARDWARE_##x

/* Whom no GPU helps waits for the CPU beside few others; the rest leaves its
 * place to jobs that a GPU does help. */
static void decide__many_that_need_the_cpu__few_stand_ready(void **state)
{
    static const struct {
        enum job_hardware hardware;
        int64_t ready; // others that wait for the CPU
        bool is_one;   // of them, already
        bool passes;   // its input is a pipe
        const char *expect;
    } cases[] = {
        {W(AUTO), 0, false, false, "waits for the cpu"},
        {W(AUTO), 1, false, false, "waits for the cpu"},
        {W(AUTO), 2, false, false, "returns"},
        {W(PREFER), 2, false, false, "returns"},
        {W(AUTO), 2, true, false, "waits for the cpu"},
        {W(AUTO), 2, false, true, "waits for the cpu"},
        {W(NONE), 2, false, false, "waits for the cpu"},
    };
    struct need need = cards_need(1);

    (void)state;
    need.device_count = 0;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        static const struct fallback nothing;
        const struct scheduler_job job = {
            .hardware = cases[i].hardware,
            .need = &need,
            .fallback = &nothing,
            .since = NOW,
            .lane = cases[i].is_one ? W(NONE) : cases[i].hardware,
        };
        struct scheduler_answer a;
        struct cards s;
        print_message("case %zu\n", i);
        cards_init(&s, 1);
        need.input_passes = cases[i].passes;
        s.view.load.cpu_jobs = 2;
        s.view.load.ungranted[W(NONE)] = cases[i].ready;
        scheduler_decide(&s.view, &job, &a);
        assert_string_equal(cards_describe(&a), cases[i].expect);
    }
}

static void decide__two_that_need_the_cpu__are_counted_at_once(void **state)
{
    struct need need = cards_need(1);
    struct scheduler_answer a;
    struct cards s;

    (void)state;
    need.device_count = 0;
    cards_init(&s, 1);
    s.view.load.cpu_jobs = 2;
    s.view.load.ungranted[W(NONE)] = 1;
    a = cards_decide(&s, (struct cards_ask){N, W(AUTO), &need, NULL, 0});
    assert_string_equal(cards_describe(&a), "waits for the cpu");
    a = cards_decide(&s, (struct cards_ask){N, W(AUTO), &need, NULL, 0});
    assert_string_equal(cards_describe(&a), "returns");
    // without any card nobody stands in another's way
    cards_init(&s, 0);
    s.view.load.cpu_jobs = s.view.load.ungranted[W(NONE)] = 2;
    a = cards_decide(&s, (struct cards_ask){N, W(AUTO), &need, NULL, 0});
    assert_string_equal(cards_describe(&a), "waits");
}

/* Who waits for a session, or for a card to be well again, is none of them. */
static void decide__waits_for_a_gpu__keeps_its_place(void **state)
{
    const struct need need = cards_need(1);
    struct cards s;

    (void)state;
    for (int sick = 0; sick <= 1; sick++) {
        cards_init(&s, 1);
        s.view.load.cpu_jobs = s.view.load.ungranted[W(NONE)] = 2;
        s.view.devices[0].use.own = 3;
        s.view.devices[0].decodes = s.view.devices[0].encodes = !sick;
        const struct scheduler_answer a =
            cards_decide(&s, (struct cards_ask){N, W(AUTO), &need, NULL, 0});
        assert_string_equal(cards_describe(&a), "waits");
    }
}

/* Jobs for a card that is sick or taken wait in a lane of its own while another
 * has sessions, and few of them stand ready there: none keeps its place from
 * those that the other one serves. */
static void decide__one_card_alone__leaves_the_way_to_others(void **state)
{
    // clang-format off
    static const struct {
        enum job_hardware hardware;
        const char *device;
        bool works;     // cuda:1
        int32_t own[2]; // sessions in use
        int64_t beside; // that wait for cuda:1 alone already, or for the CPU
        bool is_one;    // of them
        bool passes;    // its input is a pipe
        const char *expect;
    } cases[] = {
        {W(REQUIRE), "cuda:1", false, {0, 0}, 1, false, false, "waits for one card"},
        {W(REQUIRE), "cuda:1", false, {0, 0}, 2, false, false, "returns"},
        {W(REQUIRE), "cuda:1", false, {0, 0}, 2, true, false, "waits for one card"},
        {W(REQUIRE), "cuda:1", false, {0, 0}, 2, false, true, "waits for one card"},
        {W(REQUIRE), "cuda:1", true, {0, 3}, 2, false, false, "returns"},
        {W(REQUIRE), "cuda:1", true, {2, 3}, 2, false, false, "returns"},
        // there is nobody whom it could keep from anything
        {W(REQUIRE), "cuda:1", false, {3, 0}, 2, false, false, "waits"},
        {W(REQUIRE), "cuda:1", true, {3, 3}, 2, false, false, "waits"},
        // the first that is well or free serves it
        {W(REQUIRE), NULL, true, {3, 3}, 2, false, false, "waits"},
        // who may use the CPU waits for that, beside others that do
        {W(AUTO), "cuda:1", false, {0, 0}, 1, false, false, "waits for the cpu"},
        {W(AUTO), "cuda:1", false, {0, 0}, 2, false, false, "returns"},
        {W(AUTO), "cuda:1", true, {0, 3}, 2, false, false, "returns"},
        {W(AUTO), "cuda:1", true, {3, 3}, 2, false, false, "waits"},
        // its wait has an end
        {W(PREFER), "cuda:1", true, {0, 3}, 2, false, false, "waits"},
    };
    // clang-format on
    static const struct fallback nothing;
    struct need need = cards_need(1);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct scheduler_job job = {
            .hardware = cases[i].hardware,
            .device = cases[i].device,
            .lane = cases[i].is_one ? BACKLOG_CARD(1) : cases[i].hardware,
            .need = &need,
            .fallback = &nothing,
            .since = NOW,
        };
        struct scheduler_answer a;
        struct cards s;
        print_message("case %zu\n", i);
        cards_init(&s, 2);
        need.input_passes = cases[i].passes;
        s.view.load.cpu_jobs = 2;
        s.view.load.ungranted[BACKLOG_CARD(1)] = cases[i].beside;
        s.view.load.ungranted[W(NONE)] = cases[i].beside;
        s.view.devices[1].decodes = s.view.devices[1].encodes = cases[i].works;
        for (size_t d = 0; d < 2; d++)
            s.view.devices[d].use.own = cases[i].own[d];
        scheduler_decide(&s.view, &job, &a);
        assert_string_equal(cards_describe(&a), cases[i].expect);
        if (a.lane != job.lane && a.lane != W(NONE))
            assert_int_equal(a.lane, BACKLOG_CARD(1));
        // it has a place now, and keeps it; a plan has none to go back to
        job.stays = true;
        scheduler_decide(&s.view, &job, &a);
        assert_int_equal(a.verdict, SCHEDULER_WAITS);
    }
}

/* The card by what it can do, not by its name. */
static void decide__only_one_card_can__waits_for_that(void **state)
{
    struct need need = cards_need(1);
    struct scheduler_answer a;
    struct cards s;

    (void)state;
    cards_init(&s, 2);
    need.devices[0].sessions = 0; // it has no such encoder
    s.view.devices[1].encodes = false;
    a = cards_decide(&s, (struct cards_ask){N, W(REQUIRE), &need, NULL, 0});
    assert_string_equal(cards_describe(&a), "waits for one card");
    s.view.devices[1].encodes = true;
    a = cards_decide(&s, (struct cards_ask){N, W(REQUIRE), &need, NULL, 0});
    assert_string_equal(cards_describe(&a), "cuda:1 1 decode");
}

/* Who is inspected next, while so many of the same wish wait already. */
static void
next__inspected_jobs__are_bounded_by_what_they_wait_for(void **state)
{
    static const struct {
        enum job_priority priority;
        enum job_hardware hardware;
        size_t devices;
        struct scheduler_load load;
        int32_t own; // sessions
        bool starts;
    } cases[] = {
        // without a card, as ever
        {N, W(AUTO), 0, {.attempts = 0}, 0, true},
        {N, W(AUTO), 0, {.attempts = 7, .cpu_jobs = 2}, 0, true},
        {N, W(AUTO), 0, {.attempts = 8}, 0, false},
        {R, W(AUTO), 0, {.attempts = 8}, 0, false},
        {N, W(AUTO), 0, {4, 2, {[W(AUTO)] = 2}, {0}}, 0, false},
        {R, W(AUTO), 0, {4, 2, {[W(AUTO)] = 2}, {0}}, 0, true},
        {N, W(REQUIRE), 0, {.attempts = 0}, 0, false},
        // jobs for the CPU do not keep those for the GPU back
        {N, W(AUTO), 1, {4, 2, {[W(NONE)] = 2}, {0}}, 0, true},
        {N, W(NONE), 1, {4, 2, {[W(NONE)] = 2}, {0}}, 0, false},
        // nor the contrary
        {N, W(NONE), 1, {4, 0, {[W(REQUIRE)] = 2}, {0}}, 3, true},
        {N, W(REQUIRE), 1, {5, 0, {[W(REQUIRE)] = 2}, {0}}, 3, false},
        // ladders wait, but there is a session for somebody smaller
        {N, W(REQUIRE), 1, {5, 0, {[W(REQUIRE)] = 2}, {0}}, 2, true},
        {N,
         W(REQUIRE),
         1,
         {5, 0, {[W(REQUIRE)] = 3}, {[W(REQUIRE)] = 1}},
         2,
         false}, // one looks whether it is
        {N, W(REQUIRE), 1, {5, 0, {[W(REQUIRE)] = 4}, {0}}, 2, false},
        // as many at once as will find room
        {N, W(AUTO), 1, {3, 0, {[W(AUTO)] = 3}, {[W(AUTO)] = 3}}, 0, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct store_job row = {.id = 1,
                                      .priority = cases[i].priority,
                                      .hardware = cases[i].hardware};
        struct backlog *b = backlog_create();
        struct cards s;

        print_message("case %zu\n", i);
        cards_init(&s, cases[i].devices);
        s.view.load = cases[i].load;
        s.view.devices[0].use.own = cases[i].own;
        backlog_add(b, &row);
        assert_int_equal(scheduler_next(&s.view, b, SECOND) != NULL,
                         cases[i].starts);
        backlog_destroy(b);
    }
}

static const struct store_job requires = {.id = 1,
                                          .hardware = JOB_HARDWARE_REQUIRE};

/* As many as the sick one had sessions are no room for anybody. */
static void next__sessions_of_a_sick_card__are_no_room(void **state)
{
    struct backlog *b = backlog_create();
    struct cards s;

    (void)state;
    backlog_add(b, &requires);
    cards_init(&s, 2);
    s.view.load.attempts = s.view.load.ungranted[W(REQUIRE)] = 2;
    s.view.devices[1].use.own = 3;
    assert_non_null(scheduler_next(&s.view, b, SECOND));
    s.view.devices[0].encodes = false;
    assert_null(scheduler_next(&s.view, b, SECOND));
    s.view.load.attempts = s.view.load.ungranted[W(REQUIRE)] = 1;
    assert_non_null(scheduler_next(&s.view, b, SECOND));
    backlog_destroy(b);
}

/* Of those that wait for the second card alone, beside others elsewhere. */
static void next__lane_of_one_card__has_few_that_stand_ready(void **state)
{
    static const struct {
        int64_t waiting;
        int64_t inspecting; // of them
        bool works;
        bool other_works;
        int32_t own; // sessions
        bool starts;
    } cases[] = {
        {0, 0, true, true, 0, true},
        {1, 0, false, true, 0, true},
        {2, 0, false, true, 0, false},
        {1, 0, true, true, 3, true},
        {2, 0, true, true, 3, false},
        // as many more as it has sessions for, in a quarter of the places
        {2, 0, true, true, 2, true},
        {3, 1, true, true, 2, false},
        {3, 1, true, true, 1, true},
        {4, 0, true, true, 0, false},
        // with no card at all that encodes its worker would find none to need
        {0, 0, false, false, 0, false},
    };
    static const struct limits wide = {
        .attempts = 16, .attempts_per_uid = 16, .cpu_jobs = 2};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct backlog *b = backlog_create();
        struct cards s;
        print_message("case %zu\n", i);
        cards_init(&s, 2);
        s.view.limits = &wide;
        s.view.load.attempts = 8;
        s.view.load.ungranted[BACKLOG_CARD(1)] = cases[i].waiting;
        s.view.load.inspecting[BACKLOG_CARD(1)] = cases[i].inspecting;
        s.view.devices[0].encodes = cases[i].other_works;
        s.view.devices[1].encodes = cases[i].works;
        s.view.devices[1].use.own = cases[i].own;
        struct backlog_job *row = backlog_add(b, &requires);
        backlog_start(b, row);
        row->lane = BACKLOG_CARD(1);
        backlog_requeue(b, row);
        assert_int_equal(scheduler_next(&s.view, b, SECOND) != NULL,
                         cases[i].starts);
        backlog_destroy(b);
    }
}

/* Many that require the sick card came first: the one that any card serves has
 * its turn all the same. */
static void
next__many_for_a_sick_card__do_not_stop_one_for_the_other(void **state)
{
    const struct need need = cards_need(1);
    struct backlog *b = backlog_create();
    int starts = 0;
    struct cards s;

    (void)state;
    cards_init(&s, 2);
    s.view.devices[1].encodes = s.view.devices[1].decodes = false;
    for (int64_t id = 1; id <= 30; id++) {
        const struct store_job row = {.id = id,
                                      .hardware = JOB_HARDWARE_REQUIRE};
        backlog_add(b, &row);
    }
    for (;;) {
        struct scheduler_load *load = &s.view.load;
        struct backlog_job *row = scheduler_next(&s.view, b, SECOND);
        assert_non_null(row);
        assert_in_range(++starts, 1, 31); // each is looked at once
        backlog_start(b, row);
        bool is_last = row->job.id == 30;
        const struct scheduler_load before = *load;
        const struct scheduler_answer a = cards_decide_on(
            &s, (struct cards_ask){N, W(REQUIRE), &need, NULL, 0},
            is_last ? NULL : "cuda:1");
        if (is_last) {
            assert_string_equal(cards_describe(&a), "cuda:0 1 decode");
            break;
        }
        *load = before; // the books are the caller's
        row->lane = (uint8_t)a.lane;
        if (a.verdict == SCHEDULER_RETURNS) {
            backlog_requeue(b, row);
        } else {
            load->attempts++;
            load->ungranted[a.lane]++;
        }
    }
    assert_int_equal(s.view.load.attempts, 2); // the others stand in the queue
    backlog_destroy(b);
}

/* Without a card a wish for one is a wish for the CPU, of as many as it has
 * places for. */
static void next__no_card__as_many_as_the_cpu_serves(void **state)
{
    static const struct limits narrow = {
        .attempts = 2, .attempts_per_uid = 2, .cpu_jobs = 1};
    const struct store_job row = {.id = 1, .hardware = JOB_HARDWARE_AUTO};
    struct backlog *b = backlog_create();
    struct cards s;

    (void)state;
    backlog_add(b, &row);
    cards_init(&s, 0);
    s.view.limits = &narrow;
    s.view.load = (struct scheduler_load){1, 1, {[W(AUTO)] = 1}, {0}};
    assert_null(scheduler_next(&s.view, b, SECOND));
    backlog_destroy(b);
}

static void next__owner_at_its_cap__is_passed_over(void **state)
{
    static const struct limits shared = {
        .attempts = 8, .attempts_per_uid = 1, .cpu_jobs = 8};
    struct backlog *b = backlog_create();
    struct cards s;

    (void)state;
    cards_init(&s, 0);
    s.view.limits = &shared;
    for (int64_t id = 1; id <= 3; id++) {
        const struct store_job row = {.id = id, .uid = id < 3 ? 10 : 11};
        backlog_add(b, &row);
    }
    struct backlog_job *first = scheduler_next(&s.view, b, SECOND);
    assert_int_equal(first->job.id, 1);
    backlog_start(b, first);
    assert_int_equal(scheduler_next(&s.view, b, SECOND)->job.id, 3);
    backlog_destroy(b);
}

/* Who requires a GPU waits for one that may come back, and only for such. */
static void next__no_gpu_at_all__is_told_who_requires_one(void **state)
{
    struct backlog *b = backlog_create();
    struct cards s;

    (void)state;
    backlog_add(b, &requires);
    cards_init(&s, 0);
    assert_null(scheduler_next(&s.view, b, SECOND));
    s.view.has_no_gpu = true;
    assert_non_null(scheduler_next(&s.view, b, SECOND));
    cards_init(&s, 1);
    s.view.devices[0].encodes = false;
    assert_null(scheduler_next(&s.view, b, SECOND));
    backlog_destroy(b);
}

static void next__batch_job_of_age__overtakes(void **state)
{
    const struct store_job batch = {
        .id = 1, .priority = JOB_BATCH, .created = SECOND};
    const struct store_job normal = {
        .id = 2, .priority = JOB_NORMAL, .created = 2 * SECOND};
    struct backlog *b = backlog_create();
    struct cards s;

    (void)state;
    cards_init(&s, 0);
    backlog_add(b, &batch);
    backlog_add(b, &normal);
    assert_int_equal(scheduler_next(&s.view, b, 100 * SECOND)->job.id, 2);
    assert_int_equal(scheduler_next(&s.view, b, 102 * SECOND)->job.id, 1);
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
        {7, 7, true, 0},
        {7, 8, false, 8},
        {8, 0, false, 8},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct scheduler_load load = {.attempts = cases[i].attempts};
        int64_t limit = 0;

        print_message("case %zu\n", i);
        assert_int_equal(
            scheduler_has_room(&load, &cards_limits, cases[i].own, &limit),
            cases[i].room);
        if (!cases[i].room)
            assert_int_equal(limit, cases[i].limit);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decide__many_that_need_the_cpu__few_stand_ready),
        cmocka_unit_test(decide__two_that_need_the_cpu__are_counted_at_once),
        cmocka_unit_test(decide__waits_for_a_gpu__keeps_its_place),
        cmocka_unit_test(decide__one_card_alone__leaves_the_way_to_others),
        cmocka_unit_test(decide__only_one_card_can__waits_for_that),
        cmocka_unit_test(
            next__inspected_jobs__are_bounded_by_what_they_wait_for),
        cmocka_unit_test(next__sessions_of_a_sick_card__are_no_room),
        cmocka_unit_test(next__lane_of_one_card__has_few_that_stand_ready),
        cmocka_unit_test(
            next__many_for_a_sick_card__do_not_stop_one_for_the_other),
        cmocka_unit_test(next__no_card__as_many_as_the_cpu_serves),
        cmocka_unit_test(next__owner_at_its_cap__is_passed_over),
        cmocka_unit_test(next__no_gpu_at_all__is_told_who_requires_one),
        cmocka_unit_test(next__batch_job_of_age__overtakes),
        cmocka_unit_test(has_room__caps_of_all_and_of_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
