#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "capacity.h"

#include "base/clock.h"
#include "model/need.h"

#define UNKNOWN CAPACITY_UNKNOWN
#define MIB     INT64_C(1048576)
#define GIB     (1024 * MIB)
#define NOW     (1000 * SECOND)

static struct capacity make(int32_t configured, int32_t listed)
{
    struct capacity c;

    capacity_init(&c);
    c.configured = configured;
    c.listed = listed;
    return c;
}

static void limit__the_smallest_that_is_known(void **state)
{
    static const struct {
        int32_t configured;
        int32_t listed;
        int32_t learned;
        int32_t sure;
        int32_t limit;
    } cases[] = {
        {UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN},
        {UNKNOWN, 3, UNKNOWN, 3, 3},
        {8, 3, UNKNOWN, 3, 3}, // configured too high
        {1, 3, UNKNOWN, 1, 1}, // too low: then the operator wants it so
        {3, 3, UNKNOWN, 3, 3},
        {0, 3, UNKNOWN, 0, 0},
        {8, UNKNOWN, 2, 8, 2},
        {2, 8, 3, 2, 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct capacity c = make(cases[i].configured, cases[i].listed);

        print_message("case %zu\n", i);
        c.learned = cases[i].learned;
        c.learned_at = NOW;
        assert_int_equal(capacity_sure_limit(&c), cases[i].sure);
        assert_int_equal(capacity_limit(&c, NOW), cases[i].limit);
    }
}

static void sessions__what_the_limit_leaves(void **state)
{
    static const struct {
        int32_t listed;
        int32_t proven;
        struct capacity_use use;
        int32_t expect;
    } cases[] = {
        {3, 0, {0}, 3},
        {3, 0, {.own = 2, .foreign = 1}, 0},
        {3, 0, {.own = 1, .foreign = 1}, 1},
        {3, 0, {.own = 3, .foreign = 2}, 0}, // never negative
        // what is listed is believed, whoever opens sessions just now
        {3, 0, {.own = 2, .opening = 2}, 1},
        // what nobody knows is tried by one at a time
        {UNKNOWN, 0, {0}, INT32_MAX},
        {UNKNOWN, 0, {.own = 1, .opening = 1}, 0},
        {UNKNOWN, 1, {.own = 1}, INT32_MAX - 1},
        {UNKNOWN, 3, {.own = 1, .opening = 1}, 2},
        {UNKNOWN, 3, {.own = 3, .opening = 1}, 0},
        {UNKNOWN, 3, {.own = 1, .foreign = 2, .opening = 1}, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct capacity c = make(UNKNOWN, cases[i].listed);
        int32_t most;

        print_message("case %zu\n", i);
        c.proven = cases[i].proven;
        most = capacity_sessions(&c, &cases[i].use, NOW);
        if (cases[i].expect >= INT32_MAX - 1)
            assert_true(most > 1000);
        else
            assert_int_equal(most, cases[i].expect);
    }
}

static void learn__open_that_failed__teaches_and_is_forgotten(void **state)
{
    struct capacity c = make(8, UNKNOWN);
    const struct capacity_use use = {.own = 2, .foreign = 1};

    (void)state;
    c.proven = 5;
    capacity_learn(&c, &use, 1, NOW);
    assert_int_equal(capacity_limit(&c, NOW), 3);
    assert_int_equal(capacity_sessions(&c, &use, NOW), 0);
    assert_int_equal(c.proven, 3);
    assert_int_equal(capacity_limit(&c, NOW + 599 * SECOND), 3);
    assert_int_equal(capacity_limit(&c, NOW + 600 * SECOND), 8);
}

/* The same once more: from then on it holds for as long. */
static void learn__same_again__is_remembered_anew(void **state)
{
    struct capacity c = make(UNKNOWN, 8);
    const struct capacity_use two = {.own = 2};

    (void)state;
    capacity_learn(&c, &two, 1, NOW);
    capacity_learn(&c, &two, 1, NOW + 400 * SECOND);
    assert_int_equal(capacity_limit(&c, NOW + 900 * SECOND), 2);
    assert_int_equal(capacity_limit(&c, NOW + 1000 * SECOND), 8);
}

/* A list that promises no more than there are is not doubted for a refusal. */
static void learn__more_than_listed__the_list_stays_trusted(void **state)
{
    struct capacity c = make(UNKNOWN, 3);
    const struct capacity_use used = {.own = 3, .foreign = 1};
    const struct capacity_use opening = {.own = 1, .opening = 1};

    (void)state;
    capacity_learn(&c, &used, 1, NOW);
    assert_int_equal(capacity_sessions(&c, &opening, NOW), 2);
}

static void learn__not_even_one__is_tried_again_soon(void **state)
{
    struct capacity c = make(UNKNOWN, 3);
    const struct capacity_use nothing = {0};

    (void)state;
    assert_int_equal(capacity_changes(&c, NOW), 0);
    capacity_learn(&c, &nothing, 1, NOW);
    assert_int_equal(capacity_sessions(&c, &nothing, NOW + 4 * SECOND), 0);
    assert_int_equal(capacity_changes(&c, NOW), NOW + 5 * SECOND);
    assert_int_equal(capacity_sessions(&c, &nothing, NOW + 5 * SECOND), 3);
    assert_int_equal(capacity_changes(&c, NOW + 5 * SECOND), 0);
}

static void learn__ladder__may_have_opened_all_but_one(void **state)
{
    struct capacity c = make(UNKNOWN, 8);
    const struct capacity_use alone = {0};

    (void)state;
    capacity_learn(&c, &alone, 4, NOW);
    assert_int_equal(capacity_limit(&c, NOW), 3);
    capacity_learn(&c, &alone, 3, NOW);
    assert_int_equal(capacity_limit(&c, NOW), 2);
    // one that was told of late teaches nothing that is less true
    capacity_learn(&c, &alone, 4, NOW);
    assert_int_equal(capacity_limit(&c, NOW), 2);
}

static void learn__many_fail_at_once__each_lowers_it_to_the_truth(void **state)
{
    struct capacity c = make(8, UNKNOWN);
    struct capacity_use use = {.own = 8};

    (void)state;
    for (int i = 0; i < 5; i++) { // eight were granted, the driver has three
        use.own--;
        capacity_learn(&c, &use, 1, NOW);
        assert_int_equal(capacity_sessions(&c, &use, NOW), 0);
    }
    assert_int_equal(capacity_limit(&c, NOW), 3);
}

static void learn__somebody_else_came__the_next_sample_says_so(void **state)
{
    static const struct {
        int32_t foreign; // in the next sample
        enum capacity_memory memory;
        int32_t limit;
    } cases[] = {
        {0, CAPACITY_AMPLE, 2},
        {1, CAPACITY_AMPLE, 3},
        {2, CAPACITY_AMPLE, 4},
        {0, CAPACITY_SHORT, UNKNOWN}, // it was memory after all
    };
    const struct capacity_use use = {.own = 2};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct capacity c = make(UNKNOWN, UNKNOWN);

        print_message("case %zu\n", i);
        capacity_learn(&c, &use, 1, NOW);
        assert_int_equal(capacity_limit(&c, NOW), 2);
        capacity_sampled(&c, cases[i].foreign, cases[i].memory, NOW + SECOND);
        assert_int_equal(capacity_limit(&c, NOW + SECOND), cases[i].limit);
        // and only the next one does
        capacity_sampled(&c, 7, CAPACITY_AMPLE, NOW + 2 * SECOND);
        assert_int_equal(capacity_limit(&c, NOW + 2 * SECOND), cases[i].limit);
    }
}

static void learn__one_has_just_ended__its_session_counts(void **state)
{
    struct capacity c = make(UNKNOWN, 8);
    const struct capacity_use use = {.own = 1};

    (void)state;
    capacity_return(&c, 1, NOW);
    capacity_return(&c, 1, NOW + SECOND / 50);
    capacity_learn(&c, &use, 1, NOW + SECOND / 25);
    assert_int_equal(capacity_limit(&c, NOW + SECOND), 3);
    capacity_learn(&c, &use, 1, NOW + SECOND); // by then it does not
    assert_int_equal(capacity_limit(&c, NOW + SECOND), 1);
}

static void learn__one_ended_long_ago__only_the_last_counts(void **state)
{
    struct capacity c = make(UNKNOWN, 8);
    const struct capacity_use use = {.own = 1};

    (void)state;
    capacity_return(&c, 2, NOW);
    capacity_return(&c, 1, NOW + SECOND);
    capacity_learn(&c, &use, 1, NOW + SECOND + SECOND / 50);
    assert_int_equal(capacity_limit(&c, NOW + SECOND), 2);
}

static void learn__list_was_wrong__is_tried_with_care_from_then_on(void **state)
{
    struct capacity c = make(UNKNOWN, 8);
    const struct capacity_use three = {.own = 3};
    const struct capacity_use opening = {.own = 4, .opening = 1};

    (void)state;
    capacity_learn(&c, &three, 1, NOW);
    assert_int_equal(capacity_sessions(&c, &three, NOW), 0);
    int64_t later = NOW + 700 * SECOND; // forgotten
    assert_int_equal(capacity_sessions(&c, &three, later), 5);
    assert_int_equal(capacity_sessions(&c, &opening, later), 0);
}

static void prove__more_than_was_learned__was_a_misunderstanding(void **state)
{
    struct capacity c = make(UNKNOWN, 8);
    const struct capacity_use one = {.own = 1};

    (void)state;
    capacity_learn(&c, &one, 1, NOW);
    assert_int_equal(capacity_limit(&c, NOW), 1);
    capacity_prove(&c, 3, NOW);
    assert_int_equal(capacity_limit(&c, NOW), 3);
    capacity_prove(&c, 2, NOW);
    assert_int_equal(capacity_limit(&c, NOW), 3);
}

static void prove__fewer_at_another_time__takes_nothing_back(void **state)
{
    struct capacity c = make(UNKNOWN, UNKNOWN);
    const struct capacity_use opening = {.own = 1, .opening = 1};

    (void)state;
    capacity_prove(&c, 3, NOW);
    capacity_prove(&c, 1, NOW);
    assert_int_equal(capacity_sessions(&c, &opening, NOW), 2);
}

static void vram__what_others_and_the_reserve_leave(void **state)
{
    static const struct {
        struct capacity_use use;
        int64_t least;
        int64_t most;
    } cases[] = {
        // an empty card: all but the reserve and a little
        {{.total = 4 * GIB, .reserve = 512 * MIB}, 3300 * MIB, 3500 * MIB},
        // the reserve is for those who are there, not on top of them
        {{.total = 4 * GIB, .reserve = 2 * GIB, .foreign_vram = 2 * GIB},
         1750 * MIB,
         2000 * MIB},
        // Ollama took 3.6 GiB: not even the smallest job
        {{.total = 4 * GIB, .reserve = 0, .foreign_vram = 3686 * MIB},
         0,
         300 * MIB},
        {{.total = 4 * GIB, .own_vram = 4 * GIB}, 0, 0},
        {{.total = 0}, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct capacity c = make(UNKNOWN, UNKNOWN);
        int64_t room = capacity_vram(&c, &cases[i].use, NOW);

        print_message("case %zu: %lld MiB\n", i, (long long)(room / MIB));
        assert_in_range(room, cases[i].least, cases[i].most);
    }
}

static void refuse__not_again_until_samples_have_caught_up(void **state)
{
    struct capacity c = make(UNKNOWN, UNKNOWN);
    const struct capacity_use use = {.total = 4 * GIB};

    (void)state;
    capacity_refuse(&c, &use, 320 * MIB, NOW);
    assert_int_equal(capacity_changes(&c, NOW), NOW + 2 * SECOND);
    assert_true(capacity_vram(&c, &use, NOW + SECOND) < 320 * MIB);
    assert_true(capacity_vram(&c, &use, NOW + 3 * SECOND) > 3 * GIB);
    // not even where the figures promise just as much
    const struct capacity_use full = {.total = (320 + 192) * MIB};
    assert_int_equal(capacity_vram(&c, &full, NOW + SECOND), 320 * MIB - 1);
    assert_int_equal(capacity_vram(&c, &full, NOW + 3 * SECOND), 320 * MIB);
}

/* What time alone changes: the first of memory and sessions. */
static void changes__the_first_that_comes(void **state)
{
    static const struct {
        int64_t refused; // s after NOW, -1: not
        int64_t learned; // likewise
        int32_t limit;
        int64_t expect; // s after NOW, -1: nothing
    } cases[] = {
        {-1, -1, 0, -1}, {0, -1, 0, 2},   {-1, 0, 2, 600}, {-1, 0, 0, 5},
        {0, 0, 2, 2},    {0, 0, 0, 2},    {4, 0, 0, 5},    {0, -4, 0, 1},
        {-2, 0, 2, 600}, {-3, -5, 0, -1},
    };
    const struct capacity_use use = {.total = 4 * GIB};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct capacity c = make(UNKNOWN, UNKNOWN);
        const struct capacity_use taken = {.own = cases[i].limit};
        print_message("case %zu\n", i);
        if (cases[i].refused != -1)
            capacity_refuse(&c, &use, 320 * MIB,
                            NOW + cases[i].refused * SECOND);
        if (cases[i].learned != -1)
            capacity_learn(&c, &taken, 1, NOW + cases[i].learned * SECOND);
        assert_int_equal(
            capacity_changes(&c, NOW),
            cases[i].expect == -1 ? 0 : NOW + cases[i].expect * SECOND);
    }
}

static void refuse__more_by_the_figures__is_a_recovery(void **state)
{
    struct capacity c = make(UNKNOWN, UNKNOWN);
    struct capacity_use use = {.total = 4 * GIB, .own_vram = GIB};

    (void)state;
    assert_true(capacity_has_recovered(&c, &use)); // of nothing
    capacity_refuse(&c, &use, 320 * MIB, NOW);
    assert_false(capacity_has_recovered(&c, &use));
    use.own_vram -= 64 * MIB; // a context has gone
    assert_false(capacity_has_recovered(&c, &use));
    use.own_vram -= 256 * MIB;
    assert_true(capacity_has_recovered(&c, &use));
    use.foreign_vram = GIB;
    assert_false(capacity_has_recovered(&c, &use));
}

static struct need need_of(int32_t width, int32_t height, int32_t out)
{
    return (struct need){
        .width = width,
        .height = height,
        .renditions = {{.width = out * 16 / 9, .height = out}},
        .rendition_count = 1,
    };
}

static void estimate__by_the_largest_picture_and_the_renditions(void **state)
{
    static const struct {
        int32_t width, height, out, sessions;
        enum capacity_class kind;
        int64_t mib;
    } cases[] = {
        {1920, 1080, 720, 1, CAPACITY_HD, 320},
        {1920, 1088, 720, 0, CAPACITY_HD, 320},
        {1920, 1080, 720, 3, CAPACITY_HD, 480},
        {3840, 2160, 1080, 1, CAPACITY_UHD, 750},
        {4096, 2160, 1080, 1, CAPACITY_UHD, 750}, // of the cinema
        {1280, 720, 2160, 1, CAPACITY_UHD, 750},  // blown up
        {7680, 4320, 1080, 1, CAPACITY_LARGER, 2500},
    };
    struct capacity c = make(UNKNOWN, UNKNOWN);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct need n =
            need_of(cases[i].width, cases[i].height, cases[i].out);

        print_message("case %zu\n", i);
        assert_int_equal(capacity_classify(&n), cases[i].kind);
        assert_int_equal(capacity_estimate(&c, &n, cases[i].sessions),
                         cases[i].mib * MIB);
    }
}

static void observe__up_at_once_down_slowly(void **state)
{
    struct capacity c = make(UNKNOWN, UNKNOWN);
    const struct need hd = need_of(1920, 1080, 720);
    const struct need uhd = need_of(3840, 2160, 1080);

    (void)state;
    capacity_observe(&c, CAPACITY_HD, 400 * MIB);
    assert_int_equal(capacity_estimate(&c, &hd, 1), 400 * MIB);
    assert_int_equal(capacity_estimate(&c, &uhd, 1), 750 * MIB);
    capacity_observe(&c, CAPACITY_HD, 200 * MIB);
    assert_in_range(capacity_estimate(&c, &hd, 1), 300 * MIB, 399 * MIB);
    for (int i = 0; i < 100; i++)
        capacity_observe(&c, CAPACITY_HD, 200 * MIB);
    assert_in_range(capacity_estimate(&c, &hd, 1), 200 * MIB, 210 * MIB);
    // one that was hardly seen says little
    for (int i = 0; i < 100; i++)
        capacity_observe(&c, CAPACITY_HD, MIB);
    assert_true(capacity_estimate(&c, &hd, 1) >= 160 * MIB);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(limit__the_smallest_that_is_known),
        cmocka_unit_test(sessions__what_the_limit_leaves),
        cmocka_unit_test(learn__open_that_failed__teaches_and_is_forgotten),
        cmocka_unit_test(learn__same_again__is_remembered_anew),
        cmocka_unit_test(learn__more_than_listed__the_list_stays_trusted),
        cmocka_unit_test(learn__not_even_one__is_tried_again_soon),
        cmocka_unit_test(learn__ladder__may_have_opened_all_but_one),
        cmocka_unit_test(learn__many_fail_at_once__each_lowers_it_to_the_truth),
        cmocka_unit_test(learn__somebody_else_came__the_next_sample_says_so),
        cmocka_unit_test(learn__one_has_just_ended__its_session_counts),
        cmocka_unit_test(learn__one_ended_long_ago__only_the_last_counts),
        cmocka_unit_test(
            learn__list_was_wrong__is_tried_with_care_from_then_on),
        cmocka_unit_test(prove__more_than_was_learned__was_a_misunderstanding),
        cmocka_unit_test(prove__fewer_at_another_time__takes_nothing_back),
        cmocka_unit_test(vram__what_others_and_the_reserve_leave),
        cmocka_unit_test(refuse__not_again_until_samples_have_caught_up),
        cmocka_unit_test(changes__the_first_that_comes),
        cmocka_unit_test(refuse__more_by_the_figures__is_a_recovery),
        cmocka_unit_test(estimate__by_the_largest_picture_and_the_renditions),
        cmocka_unit_test(observe__up_at_once_down_slowly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
