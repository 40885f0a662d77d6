#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "backlog.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/memory.h"

#define NOBODY_AGES 0 // nothing was created before the epoch
#define NO_CAP      INT64_MAX

static struct backlog_job *add(struct backlog *b, int64_t id, uid_t uid,
                               enum job_priority priority)
{
    const struct store_job row = {
        .id = id, .uid = uid, .priority = priority, .created = id};

    return backlog_add(b, &row);
}

/* The id of who is next, which is started; 0: nobody. */
static int64_t take(struct backlog *b, int64_t aged, int64_t cap)
{
    struct backlog_job *j = backlog_next(b, aged, cap, BACKLOG_ANY);

    if (!j)
        return 0;
    backlog_start(b, j);
    return j->job.id;
}

static void next__classes_before_arrival(void **state)
{
    struct backlog *b = backlog_create();

    (void)state;
    add(b, 1, 10, JOB_BATCH);
    add(b, 2, 10, JOB_NORMAL);
    add(b, 3, 11, JOB_NORMAL);
    add(b, 4, 11, JOB_REALTIME);
    add(b, 5, 10, JOB_NORMAL);
    static const int64_t expect[] = {4, 2, 3, 5, 1, 0};
    for (size_t i = 0; i < sizeof(expect) / sizeof(expect[0]); i++)
        assert_int_equal(take(b, NOBODY_AGES, NO_CAP), expect[i]);
    backlog_destroy(b);
}

static void next__aged_batch_job__counts_as_normal(void **state)
{
    struct backlog *b = backlog_create();

    (void)state;
    add(b, 100, 10, JOB_BATCH); // created at 100
    add(b, 200, 10, JOB_NORMAL);
    add(b, 300, 10, JOB_BATCH);
    assert_int_equal(take(b, 150, NO_CAP), 100);
    assert_int_equal(take(b, 150, NO_CAP), 200);
    assert_int_equal(take(b, 150, NO_CAP), 300);
    backlog_destroy(b);
}

static void next__wishes_that_have_no_use__are_passed_over(void **state)
{
    static const struct {
        enum job_priority priority;
        enum job_hardware hardware;
    } rows[] = {
        {JOB_NORMAL, JOB_HARDWARE_NONE},   {JOB_NORMAL, JOB_HARDWARE_REQUIRE},
        {JOB_NORMAL, JOB_HARDWARE_NONE},   {JOB_BATCH, JOB_HARDWARE_AUTO},
        {JOB_REALTIME, JOB_HARDWARE_NONE},
    };
    const unsigned gpu =
        BACKLOG_LANE(JOB_HARDWARE_AUTO) | BACKLOG_LANE(JOB_HARDWARE_REQUIRE);
    static const int64_t expect[] = {5, 2, 4, 0}; // realtime always
    struct backlog *b = backlog_create();

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct store_job row = {.id = (int64_t)i + 1,
                                      .priority = rows[i].priority,
                                      .hardware = rows[i].hardware};
        backlog_add(b, &row);
    }
    for (size_t i = 0; i < sizeof(expect) / sizeof(expect[0]); i++) {
        struct backlog_job *j = backlog_next(b, NOBODY_AGES, NO_CAP, gpu);
        assert_int_equal(j ? j->job.id : 0, expect[i]);
        if (j)
            backlog_start(b, j);
    }
    // back where they were, by when they came
    backlog_requeue(b, backlog_find(b, 2));
    assert_int_equal(backlog_next(b, NOBODY_AGES, NO_CAP, BACKLOG_ANY)->job.id,
                     1);
    assert_int_equal(backlog_next(b, NOBODY_AGES, NO_CAP, gpu)->job.id, 2);
    backlog_destroy(b);
}

static void requeue__of_one_that_needs_the_cpu__waits_for_that(void **state)
{
    const unsigned gpu = BACKLOG_LANE(JOB_HARDWARE_AUTO);
    struct backlog *b = backlog_create();

    (void)state;
    for (int64_t id = 1; id <= 2; id++)
        add(b, id, 10, JOB_NORMAL);
    struct backlog_job *first = backlog_find(b, 1);
    assert_int_equal(first->lane, JOB_HARDWARE_AUTO);
    assert_int_equal(take(b, NOBODY_AGES, NO_CAP), 1);
    first->lane = JOB_HARDWARE_NONE;
    backlog_requeue(b, first);
    assert_int_equal(backlog_next(b, NOBODY_AGES, NO_CAP, gpu)->job.id, 2);
    assert_int_equal(take(b, NOBODY_AGES, NO_CAP), 1);
    backlog_destroy(b);
}

/* Jobs for one card wait in its lane, and come first where that is asked for. */
static void requeue__of_one_that_needs_a_card__waits_for_that(void **state)
{
    const unsigned any = BACKLOG_LANE(JOB_HARDWARE_AUTO);
    const unsigned here = BACKLOG_LANE(BACKLOG_CARD(0));
    const unsigned last = BACKLOG_LANE(BACKLOG_CARD(NEED_DEVICES_MOST - 1));
    struct backlog *b = backlog_create();

    (void)state;
    for (int64_t id = 1; id <= 3; id++)
        add(b, id, 10, JOB_NORMAL);
    for (int64_t id = 1; id <= 2; id++) {
        struct backlog_job *j = backlog_find(b, id);
        backlog_start(b, j);
        j->lane = (uint8_t)(id == 1 ? BACKLOG_CARD(0)
                                    : BACKLOG_CARD(NEED_DEVICES_MOST - 1));
        backlog_requeue(b, j);
    }
    assert_int_equal(backlog_next(b, NOBODY_AGES, NO_CAP, any)->job.id, 3);
    assert_int_equal(backlog_next(b, NOBODY_AGES, NO_CAP, here)->job.id, 1);
    assert_int_equal(backlog_next(b, NOBODY_AGES, NO_CAP, last)->job.id, 2);
    assert_int_equal(backlog_next(b, NOBODY_AGES, NO_CAP, any | last)->job.id,
                     2);
    backlog_destroy(b);
}

/* Age makes a batch job no use where its wish has none. */
static void next__aged_batch_job__waits_in_its_lane_too(void **state)
{
    const unsigned gpu = BACKLOG_LANE(JOB_HARDWARE_REQUIRE);
    struct backlog *b = backlog_create();

    (void)state;
    add(b, 100, 10, JOB_BATCH);
    assert_non_null(backlog_next(b, 150, NO_CAP, BACKLOG_ANY));
    assert_null(backlog_next(b, 150, NO_CAP, gpu));
    backlog_destroy(b);
}

static void next__owner_at_its_cap__is_passed_over(void **state)
{
    struct backlog *b = backlog_create();

    (void)state;
    for (int64_t id = 1; id <= 3; id++)
        add(b, id, 10, JOB_NORMAL);
    add(b, 4, 11, JOB_BATCH);
    assert_int_equal(take(b, NOBODY_AGES, 2), 1);
    assert_int_equal(take(b, NOBODY_AGES, 2), 2);
    assert_int_equal(take(b, NOBODY_AGES, 2), 4);
    assert_int_equal(take(b, NOBODY_AGES, 2), 0);
    assert_int_equal(backlog_attempts_of(b, 10), 2);
    backlog_remove(b, backlog_find(b, 1));
    assert_int_equal(backlog_attempts_of(b, 10), 1);
    assert_int_equal(take(b, NOBODY_AGES, 2), 3);
    backlog_destroy(b);
}

static void requeue__goes_back_to_its_place(void **state)
{
    struct backlog *b = backlog_create();

    (void)state;
    for (int64_t id = 1; id <= 4; id++)
        add(b, id, 10, JOB_NORMAL);
    for (int64_t id = 1; id <= 3; id++)
        assert_int_equal(take(b, NOBODY_AGES, NO_CAP), id);
    // in another order than they came
    backlog_requeue(b, backlog_find(b, 2));
    backlog_requeue(b, backlog_find(b, 3));
    backlog_requeue(b, backlog_find(b, 1));
    for (int64_t id = 1; id <= 4; id++)
        assert_int_equal(take(b, NOBODY_AGES, NO_CAP), id);
    backlog_destroy(b);
}

static void hold__keeps_it_aside_until_release(void **state)
{
    struct backlog *b = backlog_create();
    struct backlog_job *first = add(b, 1, 10, JOB_NORMAL);

    (void)state;
    add(b, 2, 10, JOB_NORMAL);
    backlog_hold(b, first);
    assert_true(first->job.held);
    assert_int_equal(take(b, NOBODY_AGES, NO_CAP), 2);
    assert_int_equal(take(b, NOBODY_AGES, NO_CAP), 0);
    add(b, 3, 10, JOB_NORMAL);
    backlog_release(b, first); // at the end, as if it came now
    assert_int_equal(take(b, NOBODY_AGES, NO_CAP), 3);
    assert_int_equal(take(b, NOBODY_AGES, NO_CAP), 1);
    backlog_destroy(b);
}

/* As if it came now, also among those of other wishes. */
static void release__of_one_that_came_first__is_behind_all(void **state)
{
    const struct store_job row = {
        .id = 2, .hardware = JOB_HARDWARE_REQUIRE, .created = 2};
    struct backlog *b = backlog_create();
    struct backlog_job *first = add(b, 1, 10, JOB_NORMAL);

    (void)state;
    backlog_hold(b, first);
    backlog_add(b, &row);
    backlog_release(b, first);
    assert_int_equal(take(b, NOBODY_AGES, NO_CAP), 2);
    assert_int_equal(take(b, NOBODY_AGES, NO_CAP), 1);
    backlog_destroy(b);
}

static void requeue__held_while_it_ran__stays_aside(void **state)
{
    struct backlog *b = backlog_create();
    struct backlog_job *j = add(b, 1, 10, JOB_NORMAL);

    (void)state;
    backlog_start(b, j);
    j->job.held = true;
    backlog_requeue(b, j);
    assert_int_equal(take(b, NOBODY_AGES, NO_CAP), 0);
    assert_int_equal(backlog_jobs_of(b, 10), 1);
    assert_int_equal(backlog_attempts_of(b, 10), 0);
    backlog_destroy(b);
}

static void add__held_row_of_the_store__waits(void **state)
{
    const struct store_job row = {.id = 9, .uid = 1, .held = true};
    struct backlog *b = backlog_create();

    (void)state;
    backlog_add(b, &row);
    assert_null(backlog_next(b, NOBODY_AGES, NO_CAP, BACKLOG_ANY));
    assert_non_null(backlog_find(b, 9));
    backlog_destroy(b);
}

static void set_aside__is_found_but_not_next(void **state)
{
    struct backlog *b = backlog_create();

    (void)state;
    backlog_set_aside(b, add(b, 1, 10, JOB_NORMAL));
    assert_null(backlog_next(b, NOBODY_AGES, NO_CAP, BACKLOG_ANY));
    assert_non_null(backlog_find(b, 1));
    backlog_remove(b, backlog_find(b, 1));
    assert_null(backlog_find(b, 1));
    backlog_destroy(b);
}

/* Against a plain array, with a fixed sequence of pseudo-random steps. */
static void find__after_many_adds_and_removes__is_exact(void **state)
{
    enum { IDS = 3000, STEPS = 40000 };
    struct backlog *b = backlog_create();
    bool *there = xcalloc(IDS + 1, sizeof(*there));
    uint32_t random = 1;
    size_t count = 0;

    (void)state;
    for (int i = 0; i < STEPS; i++) {
        random = random * 1664525 + 1013904223;
        int64_t id = 1 + (int64_t)(random >> 8) % IDS;
        if (there[id])
            backlog_remove(b, backlog_find(b, id));
        else
            add(b, id, (uid_t)(id % 7), JOB_NORMAL);
        there[id] = !there[id];
        count = there[id] ? count + 1 : count - 1;
    }
    assert_int_equal(backlog_count(b), count);
    for (int64_t id = 1; id <= IDS; id++) {
        struct backlog_job *j = backlog_find(b, id);
        assert_int_equal(j != NULL, there[id]);
        assert_true(!j || j->job.id == id);
    }
    free(there);
    backlog_destroy(b);
}

/* What 3,000 submissions a second rest on. */
static void hundred_thousand_jobs__no_step_walks_over_them(void **state)
{
    enum { JOBS = 100000 };
    struct backlog *b = backlog_create();
    int64_t began = clock_now();

    (void)state;
    for (int64_t id = 1; id <= JOBS; id++)
        add(b, id, (uid_t)(id % 3), (enum job_priority)(id % 3));
    for (int64_t id = 1; id <= JOBS; id++)
        assert_int_not_equal(take(b, NOBODY_AGES, NO_CAP), 0);
    for (int64_t id = 1; id <= JOBS; id++)
        backlog_remove(b, backlog_find(b, id));
    assert_int_equal(backlog_count(b), 0);
    // 300,000 steps; one walk over 100,000 in each would take minutes
    assert_true(clock_now() - began < 10 * SECOND);
    backlog_destroy(b);
}

static void is_before__by_class_then_by_arrival(void **state)
{
    static const struct {
        enum job_priority first; // that came, and was created at 100
        enum job_priority second;
        int64_t aged;
        bool expect; // is the first one before the second?
    } cases[] = {
        {JOB_NORMAL, JOB_NORMAL, NOBODY_AGES, true},
        {JOB_BATCH, JOB_BATCH, NOBODY_AGES, true},
        {JOB_NORMAL, JOB_REALTIME, NOBODY_AGES, false},
        {JOB_REALTIME, JOB_NORMAL, NOBODY_AGES, true},
        {JOB_BATCH, JOB_NORMAL, NOBODY_AGES, false},
        {JOB_BATCH, JOB_NORMAL, 150, true}, // it has aged
        {JOB_BATCH, JOB_REALTIME, 150, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct backlog *b = backlog_create();
        struct backlog_job *first = add(b, 100, 10, cases[i].first);
        struct backlog_job *second = add(b, 200, 11, cases[i].second);
        print_message("case %zu\n", i);
        assert_int_equal(backlog_is_before(first, second, cases[i].aged),
                         cases[i].expect);
        assert_int_equal(backlog_is_before(second, first, cases[i].aged),
                         !cases[i].expect);
        assert_false(backlog_is_before(first, first, cases[i].aged));
        backlog_destroy(b);
    }
}

static void compare_class__orders_as_next_does(void **state)
{
    (void)state;
    assert_true(backlog_compare_class(JOB_REALTIME, JOB_NORMAL) < 0);
    assert_true(backlog_compare_class(JOB_NORMAL, JOB_BATCH) < 0);
    assert_true(backlog_compare_class(JOB_BATCH, JOB_REALTIME) > 0);
    assert_int_equal(backlog_compare_class(JOB_NORMAL, JOB_NORMAL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(next__classes_before_arrival),
        cmocka_unit_test(next__aged_batch_job__counts_as_normal),
        cmocka_unit_test(next__wishes_that_have_no_use__are_passed_over),
        cmocka_unit_test(requeue__of_one_that_needs_the_cpu__waits_for_that),
        cmocka_unit_test(requeue__of_one_that_needs_a_card__waits_for_that),
        cmocka_unit_test(next__aged_batch_job__waits_in_its_lane_too),
        cmocka_unit_test(next__owner_at_its_cap__is_passed_over),
        cmocka_unit_test(requeue__goes_back_to_its_place),
        cmocka_unit_test(hold__keeps_it_aside_until_release),
        cmocka_unit_test(release__of_one_that_came_first__is_behind_all),
        cmocka_unit_test(requeue__held_while_it_ran__stays_aside),
        cmocka_unit_test(add__held_row_of_the_store__waits),
        cmocka_unit_test(set_aside__is_found_but_not_next),
        cmocka_unit_test(find__after_many_adds_and_removes__is_exact),
        cmocka_unit_test(hundred_thousand_jobs__no_step_walks_over_them),
        cmocka_unit_test(is_before__by_class_then_by_arrival),
        cmocka_unit_test(compare_class__orders_as_next_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
