#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lending.h"

#include <stdbool.h>
#include <string.h>

#include <jansson.h>

#include "account.h"
#include "base/clock.h"
#include "base/error.h"
#include "model/device_profile.h"
#include "support/books.h"

#define MIB BOOKS_MIB

static int set_up(void **state)
{
    static struct books b;

    books_open(&b);
    books_survey(&b, 1);
    *state = &b;
    return 0;
}

static int tear_down(void **state)
{
    books_close(*state);
    return 0;
}

/* Sessions of these processes, which take 300 MiB each; of others 100 more. */
static void sample(struct books *b, const int *pids, size_t count)
{
    struct sample s = books_sample(0);

    for (size_t i = 0; i < count; i++) {
        books_add_session(&s, pids[i]);
        books_add_process(&s, pids[i], 300 * MIB);
    }
    s.vram_used += 100 * MIB;
    books_take(b, &s);
}

/* A sample with so much free (MiB), -1: it does not say. */
static void sample_free(struct books *b, int64_t mib)
{
    struct sample s = books_sample(0);

    s.vram_free = mib < 0 ? SAMPLE_UNKNOWN : mib * MIB;
    books_take(b, &s);
}

static struct scheduler_device look(struct books *b)
{
    return books_look(b, 0);
}

static int32_t free_sessions(struct books *b)
{
    const struct scheduler_device d = look(b);

    return capacity_sessions(d.capacity, &d.use, clock_now());
}

static void view__loans_and_samples__say_what_is_taken(void **state)
{
    struct books *b = *state;
    struct loan mine;
    struct loan other;

    books_lend_one(b, &mine, 10);
    books_lend_one(b, &other, 11);
    assert_int_equal(look(b).use.own, 2);
    assert_int_equal(look(b).use.opening, 2);
    lending_flow(b->lending, &mine, 1);
    assert_int_equal(look(b).use.opening, 1);
    assert_int_equal(look(b).use.own_vram, 640 * MIB);

    sample(b, (int[]){10, 11, 99}, 3); // one is somebody else's
    assert_int_equal(look(b).use.foreign, 1);
    assert_int_equal(look(b).use.foreign_vram, 400 * MIB);
    struct lending_state s;
    assert_true(lending_state(b->lending, "cuda:0", &s));
    assert_int_equal(s.own, 2);
    assert_int_equal(s.foreign, 1);
    assert_int_equal(s.limit, 3);
    assert_int_equal(s.attempts, 2);
    assert_false(lending_state(b->lending, "cuda:7", &s));

    // one that has just ended is not somebody else
    lending_leave(b->lending, &mine);
    sample(b, (int[]){10, 11}, 2);
    assert_int_equal(look(b).use.own, 1);
    assert_int_equal(look(b).use.foreign, 0);
    lending_leave(b->lending, &other);
    assert_int_equal(look(b).use.own, 0);
}

static void
view__processes_by_other_numbers__are_ours_all_the_same(void **state)
{
    struct books *b = *state;
    struct loan loan;

    books_lend_one(b, &loan, 10);
    lending_flow(b->lending, &loan, 1);
    loan.opened -= 10 * SECOND;  // every sample has seen it by now
    sample(b, (int[]){4010}, 1); // as a container's outside names it
    assert_int_equal(look(b).use.foreign, 0);
    sample(b, (int[]){4010, 4011}, 2);
    assert_int_equal(look(b).use.foreign, 1);
    lending_leave(b->lending, &loan);
}

static void warm_worker__takes_what_it_would_give_up(void **state)
{
    struct books *b = *state;

    assert_true(lending_affords_warm(b->lending, "GPU-1"));
    assert_false(lending_affords_warm(b->lending, "GPU-2"));
    lending_set_warm(b->lending, "GPU-1", 20);
    sample(b, (int[]){20}, 1);
    assert_int_equal(look(b).warm_vram, 300 * MIB);
    assert_int_equal(look(b).use.foreign, 0);
    lending_set_warm(b->lending, "GPU-1", 0);
    assert_int_equal(look(b).warm_vram, 0);
}

static void reserve(struct books *b, int64_t mib)
{
    b->configuration.gpu.vram_reserve = mib * MIB;
    lending_configure(b->lending, &b->configuration, NULL);
}

/* It counts what it holds already as its own: else it would go and come. */
static void warm_worker__that_stands__is_afforded_with_what_it_has(void **state)
{
    struct books *b = *state;

    lending_set_warm(b->lending, "GPU-1", 20);
    sample(b, (int[]){20}, 1); // 300 of its own, and 100 of others
    reserve(b, 3496);
    assert_true(lending_affords_warm(b->lending, "GPU-1"));
    reserve(b, 3696);
    assert_false(lending_affords_warm(b->lending, "GPU-1"));
    lending_set_warm(b->lending, "GPU-1", 0);
}

static void judge__refused_session__teaches_the_limit(void **state)
{
    struct books *b = *state;
    struct lending_state s;
    struct loan first;
    struct loan second;

    books_lend_one(b, &first, 10);
    lending_flow(b->lending, &first, 1);
    books_lend_one(b, &second, 11);
    lending_judge(b->lending, &second, OUTCOME_NO_SESSION, OUTCOME_PART_ENCODE,
                  "");
    lending_leave(b->lending, &second);
    assert_true(lending_state(b->lending, "cuda:0", &s));
    assert_int_equal(s.limit, 1);
    assert_true(lending_tick(b->lending) > clock_now()); // it is forgotten then
    lending_leave(b->lending, &first);
}

/* What is believed of the card. */
static int32_t limit(struct books *b)
{
    return books_state(b, 0).limit;
}

/* It spoke @ago (µs). */
static void speak(struct books *b, struct loan *loan, int64_t frames,
                  int64_t ago)
{
    lending_flow(b->lending, loan, frames);
    loan->reported -= ago;
    if (frames == 1)
        loan->opened -= ago;
}

static void flow__one_behind_the_other__teaches_nothing(void **state)
{
    struct books *b = *state;
    struct loan first;
    struct loan second;
    struct loan refused;

    books_lend_one(b, &refused, 9);
    lending_judge(b->lending, &refused, OUTCOME_NO_SESSION, OUTCOME_PART_ENCODE,
                  "");
    lending_leave(b->lending, &refused);
    assert_int_equal(limit(b), 0);

    // the first has closed its session when the second opens it, and is known
    // to have ended only later
    books_lend_one(b, &first, 10);
    speak(b, &first, 1, 5 * SECOND);
    assert_int_equal(limit(b), 1);
    speak(b, &first, 20, 4 * SECOND);
    books_lend_one(b, &second, 11);
    speak(b, &second, 1, 3 * SECOND);
    speak(b, &second, 20, 2 * SECOND);
    assert_int_equal(limit(b), 1);
    // what it tells now may be of frames that were there before
    speak(b, &first, 25, SECOND);
    assert_int_equal(limit(b), 1);
    lending_judge(b->lending, &second, OUTCOME_DONE, OUTCOME_PART_NONE, "");
    assert_int_equal(limit(b), 1);
    // but not twice
    speak(b, &first, 30, 0);
    assert_int_equal(limit(b), 2);
    lending_leave(b->lending, &first);
    lending_leave(b->lending, &second);
}

static void judge__lost_device__is_doubted_once_and_lifted(void **state)
{
    struct books *b = *state;
    struct lending_state s;
    struct loan loans[3];

    for (int i = 0; i < 3; i++)
        books_lend_one(b, &loans[i], 10 + i);
    for (int i = 0; i < 3; i++) {
        lending_judge(b->lending, &loans[i], OUTCOME_DEVICE_LOST,
                      OUTCOME_PART_DEVICE, "it fell off the bus");
        lending_leave(b->lending, &loans[i]);
    }
    assert_false(look(b).encodes);
    assert_false(look(b).decodes);
    assert_false(lending_affords_warm(b->lending, "GPU-1"));
    assert_true(lending_state(b->lending, "cuda:0", &s));
    assert_string_equal(s.details, "in quarantine: it fell off the bus");
    assert_string_equal(s.trouble, "in quarantine: it failed"); // our words

    int64_t due = lending_tick(b->lending);
    assert_in_range(due, clock_now(), clock_now() + 3 * SECOND);
    assert_int_equal(b->doubts[0], 0);
    books_survey(b, 1); // that nobody asked for says nothing
    assert_false(look(b).encodes);
}

/* A driver's limit is one for all, our own survey's process among them. */
static void survey__under_way__has_a_session(void **state)
{
    struct books *b = *state;
    struct lending_state s;
    struct loan loans[3];

    assert_int_equal(free_sessions(b), 3);
    lending_survey_begins(b->lending);
    assert_int_equal(free_sessions(b), 2);
    for (int i = 0; i < 3; i++) {
        books_lend_one(b, &loans[i], 10 + i);
        if (i < 2)
            lending_flow(b->lending, &loans[i], 1);
    }
    // granted before it began, and refused for it: that is no lesson
    lending_judge(b->lending, &loans[2], OUTCOME_NO_SESSION,
                  OUTCOME_PART_ENCODE, "");
    for (int i = 0; i < 3; i++)
        lending_leave(b->lending, &loans[i]);
    assert_true(lending_state(b->lending, "cuda:0", &s));
    assert_int_equal(s.foreign, 0);
    books_survey(b, 1);
    sample(b, NULL, 0);
    assert_int_equal(free_sessions(b), 3);
}

static void survey__card_that_vanished__is_there_but_of_no_use(void **state)
{
    struct books *b = *state;
    const struct survey nothing = {0};

    inventory_set(b->inventory, &nothing);
    lending_surveyed(b->lending);
    assert_false(look(b).encodes);
    assert_false(look(b).decodes);
    books_survey(b, 1);
    assert_true(look(b).encodes);
    assert_true(b->changes > 0);
}

/*
 * What was there before the first sample, and what samples and settings change.
 */

static void configure__after_a_survey__reaches_its_cards(void **state)
{
    struct books *b = *state;

    b->configuration.gpu.sessions.all = 2;
    b->configuration.gpu.vram_reserve = 700 * MIB;
    lending_configure(b->lending, &b->configuration, NULL);
    assert_int_equal(limit(b), 2);
    assert_int_equal(look(b).use.reserve, 700 * MIB);
}

/* The shipped files: run from the top of the tree. */
static void configure__profiles__list_what_the_driver_grants(void **state)
{
    struct books *b = *state;
    struct device_profiles *profiles = NULL;
    struct error e = {0};

    assert_int_equal(device_profiles_load(&profiles, "profiles", NULL, &e), 0);
    b->configuration.gpu.sessions.all = GPU_SESSIONS_UNSET;
    lending_configure(b->lending, &b->configuration, profiles);
    assert_int_equal(limit(b), 3);
    b->driver = "550.54.14"; // a newer one, which the next survey meets
    books_survey(b, 1);
    assert_int_equal(limit(b), 8);
    lending_configure(b->lending, &b->configuration, NULL);
    assert_int_equal(limit(b), CAPACITY_UNKNOWN);
    device_profiles_destroy(profiles);
}

static void view__no_gpu__only_where_a_survey_says_so(void **state)
{
    static struct scheduler_view view;
    struct books b;

    (void)state;
    books_open(&b);
    lending_view(b.lending, &view);
    assert_false(view.has_no_gpu); // nobody has looked
    books_survey(&b, 0);
    lending_view(b.lending, &view);
    assert_true(view.has_no_gpu);
    inventory_fail(b.inventory, "it died");
    lending_view(b.lending, &view);
    assert_false(view.has_no_gpu);
    books_survey(&b, 1);
    books_survey(&b, 0); // it may come back
    lending_view(b.lending, &view);
    assert_false(view.has_no_gpu);
    books_close(&b);
}

static void view__memory__of_whom_it_is(void **state)
{
    struct books *b = *state;
    struct sample s = books_sample(0);
    struct loan working;
    struct loan idle;

    books_lend_one(b, &working, 10);
    lending_join(b->lending, &idle, 11);
    lending_set_warm(b->lending, "GPU-1", 12);
    assert_int_equal(look(b).use.total, 4096 * MIB); // as surveyed
    assert_int_equal(look(b).use.own_vram, 320 * MIB);

    s.vram_total = 4000 * MIB;
    books_add_process(&s, 10, 700 * MIB); // more than was granted
    books_add_process(&s, 11, 80 * MIB);
    books_add_process(&s, 12, 90 * MIB);
    books_add_process(&s, 99, 500 * MIB);
    books_take(b, &s);
    assert_int_equal(look(b).use.total, 4000 * MIB);
    assert_int_equal(look(b).use.own_vram, (700 + 80 + 90) * MIB);
    assert_int_equal(look(b).use.foreign_vram, 500 * MIB);
    assert_int_equal(look(b).warm_vram, 90 * MIB);
    assert_int_equal(books_state(b, 0).vram,
                     (4000 - 870 - 512 - 192) * MIB); // the reserve is more
    lending_leave(b->lending, &working);
    lending_leave(b->lending, &idle);
}

static void view__grant_without_sessions__opens_none(void **state)
{
    const struct grant grant = {.device = "cuda:0", .decode = true};
    struct books *b = *state;
    struct loan loan;

    books_lend(b, &loan, 10, &grant, 1080);
    assert_int_equal(look(b).use.opening, 0);
    lending_leave(b->lending, &loan);
}

static void view__second_card__has_books_of_its_own(void **state)
{
    const struct grant grant = {
        .device = "cuda:1", .sessions = 2, .vram = 400 * MIB};
    struct books *b = *state;
    struct loan here;
    struct loan there;

    books_survey(b, 2); // it was put in
    books_lend_one(b, &here, 10);
    books_lend(b, &there, 11, &grant, 1080);
    assert_int_equal(look(b).use.own, 1);
    assert_int_equal(books_look(b, 1).use.own, 2);
    assert_int_equal(look(b).use.own_vram, 320 * MIB);
    assert_int_equal(books_look(b, 1).use.own_vram, 400 * MIB);
    assert_int_equal(books_state(b, 0).attempts, 1);
    assert_int_equal(books_state(b, 1).attempts, 1);
    lending_judge(b->lending, &there, OUTCOME_DEVICE_LOST, OUTCOME_PART_DEVICE,
                  "");
    assert_false(books_look(b, 1).encodes);
    assert_true(look(b).encodes);
    lending_leave(b->lending, &here);
    lending_leave(b->lending, &there);
}

static void warm_worker__another_one__takes_its_place(void **state)
{
    struct books *b = *state;

    lending_set_warm(b->lending, "GPU-1", 20);
    lending_set_warm(b->lending, "GPU-1", 21);
    sample(b, (int[]){21}, 1);
    assert_int_equal(look(b).warm_vram, 300 * MIB);
    assert_int_equal(look(b).use.own_vram, 300 * MIB);
    lending_set_warm(b->lending, "GPU-1", 0);
}

static void affords_warm__what_is_free_and_what_it_has(void **state)
{
    static const struct {
        int64_t foreign; // MiB
        int64_t warm;    // likewise, that it has
        bool affords;
    } cases[] = {
        {3584, 0, true}, // 320 are left, and 192 that are never lent
        {3585, 0, false},  {3484, 100, true},
        {3584, 100, true}, {3585, 100, false},
    };
    struct books *b = *state;

    b->configuration.gpu.vram_reserve = 0;
    lending_configure(b->lending, &b->configuration, NULL);
    lending_set_warm(b->lending, "GPU-1", 20);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sample s = books_sample(0);
        print_message("case %zu\n", i);
        books_add_process(&s, 20, cases[i].warm * MIB);
        books_add_process(&s, 99, cases[i].foreign * MIB);
        books_take(b, &s);
        assert_int_equal(lending_affords_warm(b->lending, "GPU-1"),
                         cases[i].affords);
    }
    lending_set_warm(b->lending, "GPU-1", 0);
}

/*
 * What attempts and samples teach.
 */

/* The first card's. */
static struct account *account(struct books *b)
{
    return list_entry(b->lending->accounts.next, struct account, link);
}

static void judge__session_or_memory__by_what_was_free(void **state)
{
    static const struct {
        enum outcome outcome;
        enum outcome_part part;
        int64_t free; // MiB, -1: nobody knows
        int32_t limit;
        bool is_memory;
    } cases[] = {
        {OUTCOME_NO_SESSION, OUTCOME_PART_ENCODE, 2048, 0, false},
        {OUTCOME_NO_SESSION, OUTCOME_PART_ENCODE, 128, 0, false},
        {OUTCOME_NO_SESSION, OUTCOME_PART_ENCODE, 127, 3, true},
        {OUTCOME_NO_SESSION, OUTCOME_PART_ENCODE, -1, 0, false},
        {OUTCOME_NO_MEMORY, OUTCOME_PART_DECODE, 2048, 3, true},
        {OUTCOME_NO_MEMORY, OUTCOME_PART_NONE, 2048, 3, false}, // the machine's
        {OUTCOME_DEVICE_LOST, OUTCOME_PART_ENCODE, 2048, 3, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct loan loan;
        struct books b;
        print_message("case %zu\n", i);
        books_open(&b);
        books_survey(&b, 1);
        sample_free(&b, cases[i].free);
        books_lend_one(&b, &loan, 10);
        lending_judge(b.lending, &loan, cases[i].outcome, cases[i].part, "");
        lending_leave(b.lending, &loan);
        const struct scheduler_device d = look(&b);
        assert_int_equal(limit(&b), cases[i].limit);
        assert_int_equal(d.capacity->refused_at != 0, cases[i].is_memory);
        // what itself had is nothing that somebody gave back
        if (cases[i].is_memory)
            assert_false(capacity_has_recovered(d.capacity, &d.use));
        books_close(&b);
    }
}

static void sampled__memory_was_short__it_was_no_lesson(void **state)
{
    static const struct {
        int64_t free; // MiB
        int32_t limit;
    } cases[] = {{2048, 0}, {128, 0}, {127, 3}, {-1, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct loan loan;
        struct books b;
        print_message("case %zu\n", i);
        books_open(&b);
        books_survey(&b, 1);
        books_lend_one(&b, &loan, 10);
        lending_judge(b.lending, &loan, OUTCOME_NO_SESSION, OUTCOME_PART_ENCODE,
                      "");
        lending_leave(b.lending, &loan);
        int told = b.changes;
        sample_free(&b, cases[i].free);
        assert_int_equal(limit(&b), cases[i].limit);
        assert_true(b.changes > told);
        books_close(&b);
    }
}

/* Nobody knows the limit: what was open at once may be so again. */
static void proof__of_samples_and_of_attempts(void **state)
{
    const struct grant two = {.device = "cuda:0", .sessions = 2};
    struct books *b = *state;
    struct loan opening;
    struct loan ladder;

    b->configuration.gpu.sessions.all = GPU_SESSIONS_UNSET;
    lending_configure(b->lending, &b->configuration, NULL);
    books_lend_one(b, &opening, 10);
    assert_int_equal(free_sessions(b), 0);
    books_lend(b, &ladder, 11, &two, 1080);
    lending_judge(b->lending, &ladder, OUTCOME_DONE, OUTCOME_PART_NONE, "");
    lending_leave(b->lending, &ladder);
    assert_int_equal(free_sessions(b), 1);
    sample(b, (int[]){97, 98, 99, 100}, 4);
    assert_int_equal(free_sessions(b), 0);
    sample(b, NULL, 0);
    assert_int_equal(free_sessions(b), 3);
    lending_leave(b->lending, &opening);
}

static void leave__a_moment_ago__still_counts_in_lessons(void **state)
{
    struct books *b = *state;
    struct loan ended;
    struct loan refused;

    books_lend_one(b, &ended, 10);
    lending_flow(b->lending, &ended, 1);
    books_lend_one(b, &refused, 11);
    lending_leave(b->lending, &ended);
    account(b)->capacity.returned_at += SECOND; // however slow this machine
    lending_judge(b->lending, &refused, OUTCOME_NO_SESSION, OUTCOME_PART_ENCODE,
                  "");
    assert_int_equal(limit(b), 1);
    lending_leave(b->lending, &refused);
}

static void flow__no_frame_yet__nothing_is_open(void **state)
{
    struct books *b = *state;
    struct loan loan;

    books_lend_one(b, &loan, 10);
    lending_flow(b->lending, &loan, 0);
    assert_int_equal(look(b).use.opening, 1);
    int told = b->changes;
    lending_flow(b->lending, &loan, 1);
    assert_int_equal(look(b).use.opening, 0);
    assert_true(b->changes > told); // somebody waits for that
    lending_leave(b->lending, &loan);
}

/* Nothing is believed any more of the card's sessions. */
static void forget_sessions(struct books *b)
{
    struct loan refused;

    books_lend_one(b, &refused, 9);
    lending_judge(b->lending, &refused, OUTCOME_NO_SESSION, OUTCOME_PART_ENCODE,
                  "");
    lending_leave(b->lending, &refused);
    assert_int_equal(limit(b), 0);
}

static void flow__same_frames_again__are_no_sign_of_life(void **state)
{
    struct books *b = *state;
    struct loan first;
    struct loan second;

    forget_sessions(b);
    books_lend_one(b, &first, 10);
    books_lend_one(b, &second, 11);
    speak(b, &first, 1, 5 * SECOND);
    speak(b, &second, 1, 4 * SECOND);
    speak(b, &second, 20, 3 * SECOND);
    speak(b, &first, 2, 3 * SECOND);
    speak(b, &first, 2, SECOND);
    assert_int_equal(limit(b), 1);
    speak(b, &first, 3, 0);
    assert_int_equal(limit(b), 2);
    lending_leave(b->lending, &first);
    lending_leave(b->lending, &second);
}

static void flow__on_another_card__is_no_sign_here(void **state)
{
    const struct grant grant = {.device = "cuda:1", .sessions = 1};
    struct books *b = *state;
    struct loan first;
    struct loan second;
    struct loan there;

    books_survey(b, 2);
    forget_sessions(b);
    books_lend_one(b, &first, 10);
    books_lend_one(b, &second, 11);
    books_lend(b, &there, 12, &grant, 1080);
    speak(b, &first, 1, 5 * SECOND);
    speak(b, &second, 1, 4 * SECOND);
    speak(b, &there, 1, 3500 * MILLISECOND);
    speak(b, &first, 20, 3 * SECOND);
    speak(b, &second, 20, 3 * SECOND);
    speak(b, &there, 20, SECOND);
    speak(b, &first, 30, 0);
    assert_int_equal(limit(b), 2);
    lending_leave(b->lending, &first);
    lending_leave(b->lending, &second);
    lending_leave(b->lending, &there);
}

/* What a job took is what the next one of its class is thought to take. */
static void done__what_it_took__is_learned_for_its_class(void **state)
{
    static const struct {
        int32_t sessions;
        int64_t vram; // MiB that samples saw, 0: none did
        enum outcome outcome;
        int64_t hd; // MiB that are expected then
        int64_t uhd;
    } cases[] = {
        {1, 900, OUTCOME_DONE, 320, 900}, {0, 900, OUTCOME_DONE, 320, 900},
        {2, 900, OUTCOME_DONE, 320, 750}, // whose part is which?
        {1, 0, OUTCOME_DONE, 320, 750},   {1, 900, OUTCOME_CANCELLED, 320, 750},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct grant grant = {.device = "cuda:0",
                                    .sessions = cases[i].sessions};
        struct sample s = books_sample(0);
        struct loan loan;
        struct books b;
        print_message("case %zu\n", i);
        books_open(&b);
        books_survey(&b, 1);
        books_lend(&b, &loan, 10, &grant, 2160);
        books_add_process(&s, 10, cases[i].vram * MIB);
        books_take(&b, &s);
        lending_judge(b.lending, &loan, cases[i].outcome, OUTCOME_PART_NONE,
                      "");
        lending_leave(b.lending, &loan);
        assert_int_equal(books_estimate(&b, 0, 1080), cases[i].hd * MIB);
        assert_int_equal(books_estimate(&b, 0, 2160), cases[i].uhd * MIB);
        books_close(&b);
    }
}

/*
 * Health.
 */

static void end(struct books *b, int32_t sessions, bool decode,
                enum outcome outcome, enum outcome_part part)
{
    const struct grant grant = {
        .device = "cuda:0", .sessions = sessions, .decode = decode};
    struct loan loan;

    books_lend(b, &loan, 10, &grant, 1080);
    lending_judge(b->lending, &loan, outcome, part, "by test");
    lending_leave(b->lending, &loan);
}

/* A good end makes up for a failure of what it used, and of nothing else. */
static void done__what_it_used__is_well(void **state)
{
    static const struct {
        enum outcome_part part; // that failed once
        int32_t sessions;       // of the attempt that ended well
        bool decode;            // likewise
        bool is_forgiven;
    } cases[] = {
        {OUTCOME_PART_ENCODE, 1, true, true},
        {OUTCOME_PART_DECODE, 1, true, true},
        {OUTCOME_PART_ENCODE, 1, false, true},
        {OUTCOME_PART_DECODE, 1, false, false},
        {OUTCOME_PART_ENCODE, 0, true, false},
        {OUTCOME_PART_DECODE, 0, true, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct books b;
        print_message("case %zu\n", i);
        books_open(&b);
        books_survey(&b, 1);
        end(&b, 1, true, OUTCOME_DEVICE_LOST, cases[i].part);
        end(&b, cases[i].sessions, cases[i].decode, OUTCOME_DONE,
            OUTCOME_PART_NONE);
        end(&b, 1, true, OUTCOME_DEVICE_LOST, cases[i].part);
        assert_int_equal(look(&b).encodes && look(&b).decodes,
                         cases[i].is_forgiven);
        books_close(&b);
    }
}

static void judge__lost_part__the_other_serves_on(void **state)
{
    static const struct {
        enum outcome_part part;
        bool decodes;
        bool encodes;
        const char *trouble;
    } cases[] = {
        {OUTCOME_PART_DECODE, false, true, "decoder in quarantine: it failed"},
        {OUTCOME_PART_ENCODE, true, false, "encoder in quarantine: it failed"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct books b;
        print_message("case %zu\n", i);
        books_open(&b);
        books_survey(&b, 1);
        for (int n = 0; n < 2; n++)
            end(&b, 1, true, OUTCOME_DEVICE_LOST, cases[i].part);
        assert_int_equal(look(&b).decodes, cases[i].decodes);
        assert_int_equal(look(&b).encodes, cases[i].encodes);
        assert_string_equal(books_state(&b, 0).trouble, cases[i].trouble);
        assert_true(lending_trusts(b.lending, "GPU-1"));
        books_close(&b);
    }
}

/* What a worker says may be cut in the middle of a letter, and must be text all
 * the same: JSON takes nothing else. */
static void judge__long_words__are_cut_to_text(void **state)
{
    struct books *b = *state;
    struct loan loan;
    char text[400] = "";

    for (int i = 0; i < 100; i++)
        strcat(text, i ? "ü" : "x");
    books_lend_one(b, &loan, 10);
    lending_judge(b->lending, &loan, OUTCOME_STALLED, OUTCOME_PART_NONE, text);
    lending_judge(b->lending, &loan, OUTCOME_STALLED, OUTCOME_PART_NONE, text);
    lending_leave(b->lending, &loan);
    const struct lending_state s = books_state(b, 0);
    assert_string_equal(s.trouble, "in quarantine: it hung");
    json_t *json = json_string(s.details);
    assert_non_null(json);
    json_decref(json);
}

/* As if the pause before the next survey were over. */
static void pass_pause(struct books *b)
{
    struct account *a = account(b);

    assert_true(a->quarantine.due > clock_now());
    a->quarantine.due = clock_now();
}

static void quarantine__pause_is_over__a_survey_is_asked_for(void **state)
{
    struct books *b = *state;

    assert_true(lending_trusts(b->lending, "GPU-1"));
    assert_false(lending_trusts(b->lending, "GPU-2"));
    int told = b->changes;
    end(b, 1, true, OUTCOME_DEVICE_LOST, OUTCOME_PART_DEVICE);
    assert_true(b->changes > told);
    assert_false(lending_trusts(b->lending, "GPU-1"));

    // no answer, then a card that does nothing, then one that does
    pass_pause(b);
    (void)lending_tick(b->lending);
    (void)lending_tick(b->lending);
    assert_int_equal(b->doubts[0], 1);
    inventory_fail(b->inventory, "it died");
    lending_surveyed(b->lending);
    assert_false(look(b).encodes);
    pass_pause(b);
    (void)lending_tick(b->lending);
    assert_int_equal(b->doubts[0], 2);
    books_survey(b, 0);
    assert_false(look(b).encodes);
    books_survey(b, 1); // nobody asked for this one
    assert_false(look(b).encodes);
    pass_pause(b);
    (void)lending_tick(b->lending);
    books_survey(b, 1);
    assert_true(look(b).encodes);
    assert_string_equal(books_state(b, 0).trouble, "");

    // from now on what fails counts again
    end(b, 1, true, OUTCOME_DEVICE_LOST, OUTCOME_PART_DEVICE);
    assert_false(look(b).encodes);
}

/* Of all cards, and of sessions and health, what comes first. */
static void tick__says_when_to_look_again(void **state)
{
    const struct grant grant = {.device = "cuda:1", .sessions = 1};
    struct books *b = *state;
    struct loan loan;
    struct loan holder;

    assert_int_equal(lending_tick(b->lending), 0);
    books_survey(b, 2);
    books_lend_one(b, &holder, 9);
    lending_flow(b->lending, &holder, 1);
    end(b, 1, true, OUTCOME_NO_SESSION, OUTCOME_PART_ENCODE);
    int64_t forgotten = lending_tick(b->lending); // in ten minutes
    assert_true(forgotten > clock_now() + 300 * SECOND);
    books_lend(b, &loan, 10, &grant, 1080);
    lending_judge(b->lending, &loan, OUTCOME_DEVICE_LOST, OUTCOME_PART_DEVICE,
                  "");
    lending_leave(b->lending, &loan);
    int64_t due = lending_tick(b->lending); // in two seconds
    assert_in_range(due, clock_now() - 100 * SECOND, clock_now() + 2 * SECOND);
    lending_leave(b->lending, &holder);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(view__loans_and_samples__say_what_is_taken),
        TEST(view__processes_by_other_numbers__are_ours_all_the_same),
        TEST(warm_worker__takes_what_it_would_give_up),
        TEST(warm_worker__that_stands__is_afforded_with_what_it_has),
        TEST(judge__refused_session__teaches_the_limit),
        TEST(flow__one_behind_the_other__teaches_nothing),
        TEST(judge__lost_device__is_doubted_once_and_lifted),
        TEST(survey__under_way__has_a_session),
        TEST(survey__card_that_vanished__is_there_but_of_no_use),
        TEST(configure__after_a_survey__reaches_its_cards),
        TEST(configure__profiles__list_what_the_driver_grants),
        TEST(view__no_gpu__only_where_a_survey_says_so),
        TEST(view__memory__of_whom_it_is),
        TEST(view__grant_without_sessions__opens_none),
        TEST(view__second_card__has_books_of_its_own),
        TEST(warm_worker__another_one__takes_its_place),
        TEST(affords_warm__what_is_free_and_what_it_has),
        TEST(judge__session_or_memory__by_what_was_free),
        TEST(sampled__memory_was_short__it_was_no_lesson),
        TEST(proof__of_samples_and_of_attempts),
        TEST(leave__a_moment_ago__still_counts_in_lessons),
        TEST(flow__no_frame_yet__nothing_is_open),
        TEST(flow__same_frames_again__are_no_sign_of_life),
        TEST(flow__on_another_card__is_no_sign_here),
        TEST(done__what_it_took__is_learned_for_its_class),
        TEST(done__what_it_used__is_well),
        TEST(judge__lost_part__the_other_serves_on),
        TEST(judge__long_words__are_cut_to_text),
        TEST(quarantine__pause_is_over__a_survey_is_asked_for),
        TEST(tick__says_when_to_look_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
