#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lending.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "inventory.h"
#include "model/configuration.h"
#include "scheduler.h"

#define MIB INT64_C(1048576)

/* The books on one card, and what they asked for. */
struct books {
    struct inventory *inventory;
    struct lending *lending;
    struct configuration configuration;
    int doubts;
    int changes;
};

static void on_doubt(void *user, const char *uuid)
{
    struct books *b = user;

    assert_string_equal(uuid, "GPU-1");
    b->doubts++;
}

static void on_changed(void *user)
{
    struct books *b = user;

    b->changes++;
}

static const struct lending_ops ops = {on_doubt, on_changed};

static void survey(struct books *b)
{
    static struct survey_encoder encoder = {.codec = "h264"};
    static struct survey_decoder decoder = {.codec = "h264"};
    static struct survey_device card = {
        .id = "cuda:0",
        .uuid = "GPU-1",
        .vram = 4096 * MIB,
        .encoders = &encoder,
        .encoder_count = 1,
        .decoders = &decoder,
        .decoder_count = 1,
    };
    const struct survey found = {.devices = &card, .device_count = 1};

    inventory_set(b->inventory, &found);
    lending_surveyed(b->lending);
}

static int set_up(void **state)
{
    static struct books b;

    b = (struct books){0};
    configuration_init(&b.configuration);
    b.configuration.gpu.sessions.all = 3;
    b.inventory = inventory_create();
    b.lending = lending_create(b.inventory, &ops, &b);
    lending_configure(b.lending, &b.configuration, NULL);
    survey(&b);
    *state = &b;
    return 0;
}

static int tear_down(void **state)
{
    struct books *b = *state;

    lending_destroy(b->lending);
    inventory_destroy(b->inventory);
    configuration_fini(&b->configuration);
    return 0;
}

static const struct need one = {
    .width = 1920, .height = 1080, .rendition_count = 1};

static void lend(struct books *b, struct loan *loan, int pid)
{
    const struct grant grant = {
        .device = "cuda:0", .sessions = 1, .decode = true, .vram = 320 * MIB};

    lending_join(b->lending, loan, pid);
    lending_lend(b->lending, loan, &grant, &one);
}

/* Sessions of these processes, which take 300 MiB each; of others 100 more. */
static void sample(struct books *b, const int *pids, size_t count)
{
    struct sample s = {.vram_total = 4096 * MIB,
                       .vram_free = 2048 * MIB,
                       .uuid = "GPU-1",
                       .session_total = (int32_t)count,
                       .session_count = count,
                       .process_count = count};

    for (size_t i = 0; i < count; i++) {
        s.sessions[i].pid = s.processes[i].pid = pids[i];
        s.processes[i].vram = 300 * MIB;
    }
    s.vram_used = (int64_t)count * 300 * MIB + 100 * MIB;
    lending_sampled(b->lending,
                    inventory_sample(b->inventory, &s, clock_now()));
}

static struct scheduler_device look(struct books *b)
{
    static struct scheduler_view view;

    lending_view(b->lending, &view);
    assert_int_equal(view.device_count, 1);
    assert_string_equal(view.devices[0].id, "cuda:0");
    return view.devices[0];
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

    lend(b, &mine, 10);
    lend(b, &other, 11);
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

    lend(b, &loan, 10);
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

    lend(b, &first, 10);
    lending_flow(b->lending, &first, 1);
    lend(b, &second, 11);
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
    struct lending_state s;

    assert_true(lending_state(b->lending, "cuda:0", &s));
    return s.limit;
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

    lend(b, &refused, 9);
    lending_judge(b->lending, &refused, OUTCOME_NO_SESSION, OUTCOME_PART_ENCODE,
                  "");
    lending_leave(b->lending, &refused);
    assert_int_equal(limit(b), 0);

    // the first has closed its session when the second opens it, and is known
    // to have ended only later
    lend(b, &first, 10);
    speak(b, &first, 1, 5 * SECOND);
    assert_int_equal(limit(b), 1);
    speak(b, &first, 20, 4 * SECOND);
    lend(b, &second, 11);
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
        lend(b, &loans[i], 10 + i);
    for (int i = 0; i < 3; i++) {
        lending_judge(b->lending, &loans[i], OUTCOME_DEVICE_LOST,
                      OUTCOME_PART_DEVICE, "it fell off the bus");
        lending_leave(b->lending, &loans[i]);
    }
    assert_false(look(b).encodes);
    assert_false(look(b).decodes);
    assert_false(lending_affords_warm(b->lending, "GPU-1"));
    assert_true(lending_state(b->lending, "cuda:0", &s));
    assert_string_equal(s.trouble, "in quarantine: it fell off the bus");

    int64_t due = lending_tick(b->lending);
    assert_in_range(due, clock_now(), clock_now() + 3 * SECOND);
    assert_int_equal(b->doubts, 0);
    survey(b); // that nobody asked for says nothing
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
        lend(b, &loans[i], 10 + i);
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
    survey(b);
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
    survey(b);
    assert_true(look(b).encodes);
    assert_true(b->changes > 0);
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
