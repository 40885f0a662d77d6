#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "offer.h"

#include "support/cards.h"

#define MIB   CARDS_MIB
#define SPARE (192 * MIB) // that is never granted

static const struct fallback no_past;

static struct offer find(const struct cards *s, const struct need *need,
                         enum offer_wish wish)
{
    const struct scheduler_job job = {
        .hardware = JOB_HARDWARE_REQUIRE,
        .need = need,
        .fallback = &no_past,
        .since = CARDS_NOW,
    };
    struct offer o;

    offer_find(&s->view, &job, wish, &o);
    return o;
}

/* So much of the card's memory is left to be granted. */
static void leave(struct cards *s, size_t card, int64_t bytes)
{
    struct capacity_use *use = &s->view.devices[card].use;

    use->foreign_vram = use->total - SPARE - bytes;
}

static void memory__to_the_byte(void **state)
{
    static const struct {
        int64_t left; // bytes
        int64_t warm; // likewise, that the warm worker would give up
        enum offer_fit fit;
        bool needs_warm;
    } cases[] = {
        {320 * MIB, 0, OFFER_FITS, false},
        {320 * MIB, MIB, OFFER_FITS, false},
        {320 * MIB - 1, 0, OFFER_LATER, true},
        {320 * MIB - 1, 1, OFFER_FITS, true},
        {319 * MIB, MIB - 1, OFFER_LATER, true},
    };
    const struct need need = cards_need(1);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cards s;
        print_message("case %zu\n", i);
        cards_init(&s, 1);
        leave(&s, 0, cases[i].left);
        s.view.devices[0].warm_vram = cases[i].warm;
        const struct offer o = find(&s, &need, OFFER_EVERYTHING);
        assert_int_equal(o.fit, cases[i].fit);
        assert_int_equal(o.needs_warm, cases[i].needs_warm);
        assert_int_equal(o.lack, cases[i].fit == OFFER_FITS
                                     ? OFFER_LACKS_NOTHING
                                     : OFFER_LACKS_VRAM);
    }
}

static void memory__of_a_ladder__is_that_of_all_its_sessions(void **state)
{
    const struct need three = cards_need(3);
    struct cards s;

    (void)state;
    cards_init(&s, 1);
    assert_int_equal(find(&s, &three, OFFER_EVERYTHING).vram, 480 * MIB);
    leave(&s, 0, 479 * MIB);
    assert_int_equal(find(&s, &three, OFFER_EVERYTHING).fit, OFFER_LATER);
    s.view.devices[0].use.own = 1; // then it is a smaller one
    assert_int_equal(find(&s, &three, OFFER_WHAT_IS_FREE).vram, 400 * MIB);
    assert_int_equal(find(&s, &three, OFFER_WHAT_IS_FREE).fit, OFFER_FITS);
}

static void several__which_card_it_is(void **state)
{
    static const struct {
        int32_t own[2]; // sessions in use
        bool is_short;  // the first: only with what its warm worker has
        size_t expect;
    } cases[] = {
        {{0, 0}, false, 0}, // the first of equals
        {{1, 0}, false, 1}, // the one with more room
        {{0, 1}, false, 0},
        {{0, 0}, true, 1}, // nobody's worker is sent away without need
        {{0, 2}, true, 1},
        {{0, 3}, true, 0}, // unless there is no other way
        {{3, 2}, false, 1},
    };
    const struct need need = cards_need(1);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cards s;
        print_message("case %zu\n", i);
        cards_init(&s, 2);
        for (size_t d = 0; d < 2; d++)
            s.view.devices[d].use.own = cases[i].own[d];
        if (cases[i].is_short)
            leave(&s, 0, 300 * MIB);
        s.view.devices[0].warm_vram = 100 * MIB;
        const struct offer o = find(&s, &need, OFFER_EVERYTHING);
        assert_int_equal(o.device, cases[i].expect);
        assert_int_equal(o.fit, OFFER_FITS);
    }
}

/* By what may do now or later: one that is not up to it is none of them. */
static void several__is_it_the_only_one(void **state)
{
    static const struct {
        bool works[2];
        int32_t sessions; // that it could use on the second card
        int32_t own[2];
        bool is_only;
    } cases[] = {
        {{true, true}, 1, {0, 0}, false},   {{true, false}, 1, {0, 0}, false},
        {{false, false}, 1, {0, 0}, false}, {{true, true}, 1, {3, 3}, false},
        {{true, true}, 0, {0, 0}, true},    {{true, true}, 0, {3, 0}, true},
        {{false, true}, 0, {0, 0}, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct need need = cards_need(1);
        struct cards s;
        print_message("case %zu\n", i);
        cards_init(&s, 2);
        need.devices[1].sessions = cases[i].sessions;
        for (size_t d = 0; d < 2; d++) {
            s.view.devices[d].use.own = cases[i].own[d];
            s.view.devices[d].encodes = cases[i].works[d];
        }
        assert_int_equal(find(&s, &need, OFFER_EVERYTHING).is_only,
                         cases[i].is_only);
    }
    // what no card does is not waited for at one
    const struct need four = cards_need(4);
    struct cards s;
    cards_init(&s, 1);
    assert_false(find(&s, &four, OFFER_EVERYTHING).is_only);
}

/* Only of what the job could have used of the card. */
static void explain__a_part_that_is_sick(void **state)
{
    static const struct {
        bool uses_decoder;
        bool decodes, encodes; // not in quarantine
        const char *expect;
    } cases[] = {
        {true, false, true,
         "a part of cuda:0 is in quarantine after a failure"},
        {false, false, true, ""},
        {true, true, false,
         "a part of cuda:0 is in quarantine after a failure"},
        {true, true, true, ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct need need = cards_need(1);
        struct cards s;
        char text[160];
        print_message("case %zu\n", i);
        cards_init(&s, 1);
        need.devices[0].decodes = cases[i].uses_decoder;
        s.view.devices[0].decodes = cases[i].decodes;
        s.view.devices[0].encodes = cases[i].encodes;
        const struct offer o = find(&s, &need, OFFER_WHAT_IS_FREE);
        assert_int_equal(o.fit, OFFER_FITS);
        offer_explain(&s.view, &o, text, sizeof(text));
        assert_string_equal(text, cases[i].expect);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory__to_the_byte),
        cmocka_unit_test(memory__of_a_ladder__is_that_of_all_its_sessions),
        cmocka_unit_test(several__which_card_it_is),
        cmocka_unit_test(several__is_it_the_only_one),
        cmocka_unit_test(explain__a_part_that_is_sick),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
