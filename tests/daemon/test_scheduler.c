#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scheduler.h"

#include "support/cards.h"

#define MIB CARDS_MIB
#define NOW CARDS_NOW

// clang-format off
#define N JOB_NORMAL
#define R JOB_REALTIME
#define W(x) JOB_HARDWARE_##x

/* One card, of which so much is taken: what does a job get? */
static void decide__by_wish_and_what_is_free(void **state)
{
    static const struct {
        enum job_priority priority;
        enum job_hardware hardware;
        size_t renditions;
        int64_t waited; // s
        int32_t own;     // sessions
        int32_t foreign; // likewise
        int64_t slots;   // of the CPU, taken
        const char *expect;
        const char *why;
    } cases[] = {
        // copies and sound take no device, whatever is wished
        {N, W(AUTO),    0, 0, 0, 0, 2, "cpu", ""},
        {N, W(REQUIRE), 0, 0, 3, 0, 2, "cpu", ""},
        // none: the CPU
        {N, W(NONE), 1, 0, 0, 0, 0, "cpu slot", ""},
        {N, W(NONE), 1, 0, 0, 0, 2, "waits for the cpu", ""},
        {R, W(NONE), 1, 0, 0, 0, 2, "cpu slot", ""},
        // auto: a session if one is free, else the CPU
        {N, W(AUTO), 1, 0, 0, 0, 2, "cuda:0 1 decode", ""},
        {N, W(AUTO), 1, 0, 2, 0, 0, "cuda:0 1 decode", ""},
        {N, W(AUTO), 1, 0, 2, 1, 0, "cpu slot", "cuda:0 has no encoder session free"},
        {N, W(AUTO), 1, 0, 3, 0, 2, "waits", "cuda:0 has no encoder session free"},
        {R, W(AUTO), 1, 0, 3, 0, 2, "cpu slot", "cuda:0 has no encoder session free"},
        // auto, a ladder: what is free, the rest to the CPU
        {N, W(AUTO), 3, 0, 0, 0, 2, "cuda:0 3 decode", ""},
        {N, W(AUTO), 3, 0, 1, 0, 0, "cuda:0 2 decode slot", "cuda:0 grants 2 of 3 encoder sessions"},
        {N, W(AUTO), 4, 0, 0, 0, 0, "cuda:0 3 decode slot", "cuda:0 grants 3 of 4 encoder sessions"},
        {N, W(AUTO), 4, 0, 0, 0, 2, "waits for the cpu", "cuda:0 grants 3 of 4 encoder sessions"},
        // prefer: waits for all, for a while
        {N, W(PREFER), 1, 0, 0, 0, 0, "cuda:0 1 decode", ""},
        {N, W(PREFER), 1, 0, 3, 0, 0, "waits", "cuda:0 has no encoder session free"},
        {R, W(PREFER), 1, 0, 3, 0, 0, "waits", "cuda:0 has no encoder session free"},
        {N, W(PREFER), 1, 60, 3, 0, 0, "cpu slot", "cuda:0 has no encoder session free"},
        {N, W(PREFER), 1, 60, 3, 0, 2, "waits", "cuda:0 has no encoder session free"},
        {R, W(PREFER), 1, 60, 3, 0, 2, "cpu slot", "cuda:0 has no encoder session free"},
        {N, W(PREFER), 3, 0, 1, 0, 0, "waits", "cuda:0 has no encoder session free"},
        {N, W(PREFER), 3, 0, 0, 0, 0, "cuda:0 3 decode", ""},
        {N, W(PREFER), 3, 60, 1, 0, 0, "cuda:0 2 decode slot", "cuda:0 grants 2 of 3 encoder sessions"},
        // prefer, more than there will ever be: the surplus to the CPU at once
        {N, W(PREFER), 4, 0, 0, 0, 0, "cuda:0 3 decode slot", "cuda:0 grants 3 of 4 encoder sessions"},
        {N, W(PREFER), 4, 0, 1, 0, 0, "waits", "cuda:0 has no encoder session free"},
        // require: waits; who cannot wait, or would for ever, fails at once
        {N, W(REQUIRE), 1, 0, 2, 0, 0, "cuda:0 1 decode", ""},
        {N, W(REQUIRE), 1, 9999, 3, 0, 0, "waits", "cuda:0 has no encoder session free"},
        {N, W(REQUIRE), 1, 0, 0, 3, 0, "waits", "cuda:0 has no encoder session free"},
        {R, W(REQUIRE), 1, 0, 3, 0, 0, "refused no_session", "cuda:0 has no encoder session free"},
        {R, W(REQUIRE), 1, 0, 2, 0, 0, "cuda:0 1 decode", ""},
        {N, W(REQUIRE), 3, 0, 1, 0, 0, "waits", "cuda:0 has no encoder session free"},
        {N, W(REQUIRE), 4, 0, 0, 0, 0, "refused no_session", "cuda:0 never grants so many encoder sessions at once"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct need need = cards_need(cases[i].renditions);
        struct cards s;

        print_message("case %zu\n", i);
        cards_init(&s, 1);
        s.view.devices[0].use.own = cases[i].own;
        s.view.devices[0].use.foreign = cases[i].foreign;
        s.view.load.cpu_jobs = cases[i].slots;
        const struct scheduler_answer a = cards_decide(&s, (struct cards_ask){
            cases[i].priority, cases[i].hardware, &need, NULL,
            cases[i].waited * SECOND});
        assert_string_equal(cards_describe(&a), cases[i].expect);
        assert_string_equal(a.why, cases[i].why);
    }
}

static const struct fallback no_decode = {
    .bars = {{"cuda:0", true, false}}, .bar_count = 1};
static const struct fallback no_encode = {
    .bars = {{"cuda:0", false, true}}, .bar_count = 1};
static const struct fallback no_device = {
    .bars = {{"cuda:0", true, true}}, .bar_count = 1};

/* What the device, its health or the job's past leaves of it. */
static void decide__by_what_the_device_can_do(void **state)
{
    static const struct {
        enum job_hardware hardware;
        struct need_device device;
        bool decodes; // not in quarantine
        bool encodes;
        const struct fallback *past;
        const char *expect;
        const char *why;
    } cases[] = {
        // mixed by nature: what one part cannot do
        {W(AUTO), {"cuda:0", 1, false, 0, ""}, true, true, NULL, "cuda:0 1", ""},
        {W(AUTO), {"cuda:0", 0, true, 0, ""}, true, true, NULL, "cuda:0 0 decode slot", ""},
        {W(REQUIRE), {"cuda:0", 1, false, 0, ""}, true, true, NULL, "cuda:0 1", ""},
        {W(REQUIRE), {"cuda:0", 0, true, 0, ""}, true, true, NULL, "refused bad_request", "cuda:0 cannot do this"},
        {W(REQUIRE), {"cuda:0", 0, true, 0, "cuda:0 does not encode av1"}, true, true, NULL, "refused bad_request", "cuda:0 does not encode av1"},
        {W(PREFER), {"cuda:0", 0, true, 0, ""}, true, true, NULL, "cuda:0 0 decode slot", ""},
        // nothing for it here: nobody waits for that
        {W(AUTO), {"cuda:9", 1, true, 0, ""}, true, true, NULL, "cpu slot", "cuda:0 cannot do this"},
        {W(PREFER), {"cuda:9", 1, true, 0, ""}, true, true, NULL, "cpu slot", "cuda:0 cannot do this"},
        {W(REQUIRE), {"cuda:9", 1, true, 0, ""}, true, true, NULL, "refused bad_request", "cuda:0 cannot do this"},
        // quarantine: the CPU serves, who requires a GPU waits
        {W(AUTO), {"cuda:0", 1, true, 0, ""}, false, false, NULL, "cpu slot", "cuda:0 is in quarantine after a failure"},
        {W(PREFER), {"cuda:0", 1, true, 0, ""}, false, false, NULL, "cpu slot", "cuda:0 is in quarantine after a failure"},
        {W(REQUIRE), {"cuda:0", 1, true, 0, ""}, false, false, NULL, "waits", "cuda:0 is in quarantine after a failure"},
        // of a part of it
        {W(AUTO), {"cuda:0", 1, true, 0, ""}, false, true, NULL, "cuda:0 1", "a part of cuda:0 is in quarantine after a failure"},
        {W(AUTO), {"cuda:0", 1, true, 0, ""}, true, false, NULL, "cuda:0 0 decode slot", "a part of cuda:0 is in quarantine after a failure"},
        {W(REQUIRE), {"cuda:0", 1, true, 0, ""}, false, true, NULL, "cuda:0 1", "a part of cuda:0 is in quarantine after a failure"},
        {W(REQUIRE), {"cuda:0", 1, true, 0, ""}, true, false, NULL, "waits", "cuda:0 is in quarantine after a failure"},
        // without what failed this job
        {W(AUTO), {"cuda:0", 1, true, 0, ""}, true, true, &no_decode,
         "cuda:0 1", "a part of cuda:0 failed this job before"},
        {W(AUTO), {"cuda:0", 1, true, 0, ""}, true, true, &no_encode,
         "cuda:0 0 decode slot", "a part of cuda:0 failed this job before"},
        {W(AUTO), {"cuda:0", 1, true, 0, ""}, true, true, &no_device,
         "cpu slot", "cuda:0 failed this job before"},
        {W(PREFER), {"cuda:0", 1, true, 0, ""}, true, true, &no_device,
         "cpu slot", "cuda:0 failed this job before"},
        {W(REQUIRE), {"cuda:0", 1, true, 0, ""}, true, true, &no_encode,
         "refused device_lost", "cuda:0 failed this job before"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct need need = cards_need(1);
        struct cards s;

        print_message("case %zu\n", i);
        cards_init(&s, 1);
        need.devices[0] = cases[i].device;
        need.device_count = 1;
        s.view.devices[0].decodes = cases[i].decodes;
        s.view.devices[0].encodes = cases[i].encodes;
        const struct scheduler_answer a = cards_decide(&s, (struct cards_ask){
            N, cases[i].hardware, &need, cases[i].past, 0});
        assert_string_equal(cards_describe(&a), cases[i].expect);
        assert_string_equal(a.why, cases[i].why);
    }
}

static void decide__by_vram(void **state)
{
    static const struct {
        enum job_hardware hardware;
        int64_t foreign; // MiB
        int64_t own;     // likewise
        int64_t warm;    // likewise, of it
        const char *expect;
    } cases[] = {
        {W(AUTO), 0, 0, 0, "cuda:0 1 decode"},
        {W(AUTO), 2048, 0, 0, "cuda:0 1 decode"},          // an Immich model
        {W(AUTO), 3686, 0, 0, "cpu slot"},                 // Ollama
        {W(PREFER), 3686, 0, 0, "waits"},
        {W(REQUIRE), 3686, 0, 0, "waits"},
        {W(AUTO), 3500, 100, 100, "cuda:0 1 decode warm"}, // the warm one goes
        {W(AUTO), 3500, 100, 0, "cpu slot"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct need need = cards_need(1);
        struct cards s;

        print_message("case %zu\n", i);
        cards_init(&s, 1);
        s.view.devices[0].use.foreign_vram = cases[i].foreign * MIB;
        s.view.devices[0].use.own_vram = cases[i].own * MIB;
        s.view.devices[0].warm_vram = cases[i].warm * MIB;
        const struct scheduler_answer a = cards_decide(&s, (struct cards_ask){
            N, cases[i].hardware, &need, NULL, 0});
        assert_string_equal(cards_describe(&a), cases[i].expect);
        if (a.verdict == SCHEDULER_GRANTS && a.grant.sessions > 0)
            assert_int_equal(a.grant.vram, 320 * MIB);
    }
}
// clang-format on

/* The context of the worker that it came to is counted as ours, and must not
 * keep the job itself waiting. */
static void decide__context_that_its_worker_has__is_part_of_it(void **state)
{
    static const struct {
        const char *held_on;
        int64_t held; // MiB
        const char *expect;
    } cases[] = {
        {NULL, 0, "waits"},
        {"cuda:0", 100, "cuda:0 1 decode"},
        {"cuda:0", 10, "waits"},
        {"cuda:1", 100, "waits"},
    };
    static const struct fallback nothing;
    const struct need need = cards_need(1);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct scheduler_job job = {
            .hardware = JOB_HARDWARE_REQUIRE,
            .lane = JOB_HARDWARE_REQUIRE,
            .need = &need,
            .fallback = &nothing,
            .since = NOW,
            .held_on = cases[i].held_on,
            .held = cases[i].held * MIB,
        };
        struct scheduler_answer a;
        struct cards s;
        print_message("case %zu\n", i);
        cards_init(&s, 1);
        s.view.devices[0].use.foreign_vram = 3500 * MIB;
        s.view.devices[0].use.own_vram = 100 * MIB;
        scheduler_decide(&s.view, &job, &a);
        assert_string_equal(cards_describe(&a), cases[i].expect);
    }
}

static void decide__prefer__says_until_when(void **state)
{
    const struct need need = cards_need(1);
    struct cards s;

    (void)state;
    cards_init(&s, 1);
    s.view.devices[0].use.own = 3;
    const struct scheduler_answer a = cards_decide(
        &s, (struct cards_ask){N, W(PREFER), &need, NULL, 20 * SECOND});
    assert_int_equal(a.verdict, SCHEDULER_WAITS);
    assert_int_equal(a.until, NOW + 40 * SECOND);
}

/* Memory was refused that is there by the figures: who has tried twice waits
 * until there is more, or its time is over. */
static void decide__memory_refused_twice__waits_for_more(void **state)
{
    static const struct {
        enum job_hardware hardware;
        int32_t waits;
        int64_t waited; // s
        int64_t freed;  // MiB since
        const char *expect;
    } cases[] = {
        {W(PREFER), 0, 10, 0, "cuda:0 1 decode"},
        {W(PREFER), 1, 10, 0, "cuda:0 1 decode"},
        {W(PREFER), 2, 10, 0, "waits"},
        {W(PREFER), 2, 10, 300, "cuda:0 1 decode"},
        {W(PREFER), 2, 60, 0, "cpu slot"},
        {W(REQUIRE), 2, 10, 0, "cuda:0 1 decode"}, // it has no other way
    };
    const struct need need = cards_need(1);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct fallback past = {.waits = cases[i].waits};
        struct cards s;
        print_message("case %zu\n", i);
        cards_init(&s, 1);
        struct capacity_use *use = &s.view.devices[0].use;
        use->foreign_vram = 1024 * MIB;
        capacity_refuse(&s.capacities[0], use, 320 * MIB, NOW - 5 * SECOND);
        use->foreign_vram -= cases[i].freed * MIB;
        const struct scheduler_answer a = cards_decide(
            &s, (struct cards_ask){N, cases[i].hardware, &need, &past,
                                   cases[i].waited * SECOND});
        assert_string_equal(cards_describe(&a), cases[i].expect);
    }
}

static void decide__one_after_the_other__share_what_there_is(void **state)
{
    const struct need need = cards_need(1);
    static const char *const expect[] = {
        "cuda:0 1 decode", "cuda:0 1 decode", "cuda:0 1 decode",
        "cpu slot",        "cpu slot",        "waits",
    };
    struct cards s;

    (void)state;
    cards_init(&s, 1);
    for (size_t i = 0; i < sizeof(expect) / sizeof(expect[0]); i++) {
        const struct scheduler_answer a =
            cards_decide(&s, (struct cards_ask){N, W(AUTO), &need, NULL, 0});
        print_message("job %zu\n", i);
        assert_string_equal(cards_describe(&a), expect[i]);
    }
}

/* What one is granted is gone for the next: memory, too, and that which the
 * worker that stands ready gives up. */
static void decide__one_after_the_other__share_the_memory(void **state)
{
    static const struct {
        int64_t foreign; // MiB, beside 192 that are never granted
        int64_t warm;    // likewise
        const char *expect[3];
    } cases[] = {
        {3264, 0, {"cuda:0 1 decode", "cuda:0 1 decode", "cpu slot"}},
        {3265, 0, {"cuda:0 1 decode", "cpu slot", "cpu slot"}},
        {3584, 320, {"cuda:0 1 decode warm", "cpu slot", "cpu slot"}},
        {3264, 320, {"cuda:0 1 decode", "cuda:0 1 decode warm", "cpu slot"}},
    };
    const struct need need = cards_need(1);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct cards s;
        cards_init(&s, 1);
        s.view.devices[0].use.foreign_vram = cases[i].foreign * MIB;
        s.view.devices[0].use.own_vram = cases[i].warm * MIB;
        s.view.devices[0].warm_vram = cases[i].warm * MIB;
        for (size_t n = 0; n < 3; n++) {
            const struct scheduler_answer a = cards_decide(
                &s, (struct cards_ask){N, W(AUTO), &need, NULL, 0});
            print_message("case %zu, job %zu\n", i, n);
            assert_string_equal(cards_describe(&a), cases[i].expect[n]);
        }
    }
}

/* Where nobody knows how many sessions there are, one job at a time tries; one
 * that only decodes tries nothing. */
static void decide__limit_not_known__one_ventures_at_a_time(void **state)
{
    const struct need one = cards_need(1);
    struct need picture = cards_need(1);
    struct scheduler_answer a;
    struct cards s;

    (void)state;
    picture.devices[0].sessions = 0; // it encodes nothing of this
    cards_init(&s, 1);
    s.capacities[0].listed = CAPACITY_UNKNOWN;
    a = cards_decide(&s, (struct cards_ask){N, W(AUTO), &picture, NULL, 0});
    assert_string_equal(cards_describe(&a), "cuda:0 0 decode slot");
    a = cards_decide(&s, (struct cards_ask){N, W(PREFER), &one, NULL, 0});
    assert_string_equal(cards_describe(&a), "cuda:0 1 decode");
    a = cards_decide(&s, (struct cards_ask){N, W(PREFER), &one, NULL, 0});
    assert_string_equal(cards_describe(&a), "waits");
}

static void decide__granted__has_threads(void **state)
{
    const struct need need = cards_need(1);

    (void)state;
    for (size_t cards = 0; cards <= 1; cards++) {
        struct scheduler_answer a;
        struct cards s;
        cards_init(&s, cards);
        a = cards_decide(&s, (struct cards_ask){N, W(AUTO), &need, NULL, 0});
        assert_int_equal(a.verdict, SCHEDULER_GRANTS);
        assert_int_equal(a.grant.threads, 6);
    }
}

static void decide__two_cards__the_one_with_more_room(void **state)
{
    const struct need one = cards_need(1);
    const struct need three = cards_need(3);
    struct scheduler_answer a;
    struct cards s;

    (void)state;
    cards_init(&s, 2);
    s.view.devices[0].use.own = 1;
    a = cards_decide(&s, (struct cards_ask){N, W(AUTO), &three, NULL, 0});
    assert_string_equal(cards_describe(&a), "cuda:1 3 decode");
    a = cards_decide(&s, (struct cards_ask){N, W(REQUIRE), &one, NULL, 0});
    assert_string_equal(cards_describe(&a), "cuda:0 1 decode");
    a = cards_decide(&s, (struct cards_ask){N, W(REQUIRE), &three, NULL, 0});
    assert_string_equal(cards_describe(&a), "waits");
    s.view.devices[0].encodes = s.view.devices[0].decodes = false;
    s.view.devices[1].use.own = 0;
    a = cards_decide(&s, (struct cards_ask){N, W(AUTO), &one, NULL, 0});
    assert_string_equal(cards_describe(&a), "cuda:1 1 decode");
}

/* Two cards, and a job that may only use the one that it names. */
static void decide__named_card__gets_no_other(void **state)
{
    // clang-format off
    static const struct {
        enum job_hardware hardware;
        const char *device;
        int32_t own[2]; // sessions in use
        bool works;     // the named card
        bool is_needed; // it did so when the job was looked at
        const char *expect;
        const char *why;
    } cases[] = {
        {W(AUTO), NULL,     {1, 0}, true, true, "cuda:1 1 decode", ""},
        {W(AUTO), "cuda:0", {1, 0}, true, true, "cuda:0 1 decode", ""},
        {W(AUTO), "cuda:1", {0, 2}, true, true, "cuda:1 1 decode", ""},
        {W(AUTO), "cuda:1", {0, 3}, true, true, "cpu slot", "cuda:1 has no encoder session free"},
        {W(PREFER), "cuda:1", {0, 3}, true, true, "waits", "cuda:1 has no encoder session free"},
        {W(REQUIRE), "cuda:1", {0, 3}, true, true, "waits for one card", "cuda:1 has no encoder session free"},
        {W(REQUIRE), "cuda:1", {3, 3}, true, true, "waits", "cuda:1 has no encoder session free"},
        // it is not well, whatever the other one is
        {W(AUTO), "cuda:1", {0, 0}, false, true, "cpu slot", "cuda:1 is in quarantine after a failure"},
        {W(REQUIRE), "cuda:1", {0, 0}, false, true, "waits for one card", "cuda:1 is in quarantine after a failure"},
        {W(PREFER), "cuda:1", {0, 0}, false, false, "cpu slot", "cuda:1 does not work, or is in quarantine after a failure"},
        {W(REQUIRE), "cuda:1", {0, 0}, false, false, "refused device_lost", "cuda:1 does not work, or is in quarantine after a failure"},
        // it cannot do this
        {W(REQUIRE), "cuda:1", {0, 0}, true, false, "refused bad_request", "cuda:1 cannot do this"},
        // it was there before a restart
        {W(AUTO), "cuda:7", {0, 0}, true, true, "cpu slot", "there is no such GPU any more"},
        {W(REQUIRE), "cuda:7", {0, 0}, true, true, "refused bad_request", "there is no such GPU any more"},
    };
    // clang-format on

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct need need = cards_need(1);
        struct cards s;

        print_message("case %zu\n", i);
        cards_init(&s, 2);
        need.device_count = cases[i].is_needed ? 2 : 1;
        for (size_t d = 0; d < 2; d++)
            s.view.devices[d].use.own = cases[i].own[d];
        s.view.devices[1].decodes = s.view.devices[1].encodes = cases[i].works;
        const struct scheduler_answer a = cards_decide_on(
            &s,
            (struct cards_ask){JOB_NORMAL, cases[i].hardware, &need, NULL, 0},
            cases[i].device);
        assert_string_equal(cards_describe(&a), cases[i].expect);
        assert_string_equal(a.why, cases[i].why);
    }
}

/* A ladder waits for its three sessions while small jobs come and go. */
static void decide__ladder__is_overtaken_but_not_for_ever(void **state)
{
    static const struct {
        enum job_hardware hardware;
        int64_t waited; // µs
        const char *expect;
    } cases[] = {
        {W(REQUIRE), 0, "cuda:0 1 decode"},
        {W(REQUIRE), 10 * SECOND - 1, "cuda:0 1 decode"},
        {W(REQUIRE), 10 * SECOND, "waits"},
        {W(PREFER), 10 * SECOND - 1, "cuda:0 1 decode"},
        {W(PREFER), 10 * SECOND, "waits"},
    };
    const struct need three = cards_need(3);
    const struct need one = cards_need(1);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct scheduler_answer a;
        struct cards s;
        print_message("case %zu\n", i);
        cards_init(&s, 1);
        s.view.devices[0].use.own = 2;
        a = cards_decide(&s, (struct cards_ask){N, cases[i].hardware, &three,
                                                NULL, cases[i].waited});
        assert_string_equal(cards_describe(&a), "waits");
        a = cards_decide(&s, (struct cards_ask){N, W(REQUIRE), &one, NULL, 0});
        assert_string_equal(cards_describe(&a), cases[i].expect);
    }
}

/* What it has waited for long is memory: that is kept for it, too. */
static void decide__large_job__is_overtaken_but_not_for_ever(void **state)
{
    struct need large = cards_need(1);
    const struct need small = cards_need(1);

    (void)state;
    large.width = 3840;
    large.height = 2160;
    for (int64_t waited = 0; waited <= 10; waited += 10) {
        struct scheduler_answer a;
        struct cards s;
        cards_init(&s, 1);
        s.view.devices[0].use.foreign_vram = 3400 * MIB; // 504 MiB are left
        a = cards_decide(&s, (struct cards_ask){N, W(REQUIRE), &large, NULL,
                                                waited * SECOND});
        assert_string_equal(cards_describe(&a), "waits");
        a = cards_decide(&s,
                         (struct cards_ask){N, W(REQUIRE), &small, NULL, 0});
        assert_string_equal(cards_describe(&a),
                            waited ? "waits" : "cuda:0 1 decode");
    }
}

/* What was learned may be forgotten again: who needs it all waits. */
static void decide__learned_limit__is_not_for_ever(void **state)
{
    const struct need three = cards_need(3);
    struct scheduler_answer a;
    struct cards s;

    (void)state;
    cards_init(&s, 1);
    s.capacities[0].learned = 2;
    s.capacities[0].learned_at = NOW;
    a = cards_decide(&s, (struct cards_ask){N, W(REQUIRE), &three, NULL, 0});
    assert_string_equal(cards_describe(&a), "waits");
    a = cards_decide(&s, (struct cards_ask){N, W(PREFER), &three, NULL, 0});
    assert_string_equal(cards_describe(&a), "cuda:0 2 decode slot");
}

static void decide__no_card__says_so(void **state)
{
    struct need need = cards_need(1);
    struct scheduler_answer a;
    struct cards s;

    (void)state;
    need.device_count = 0;
    cards_init(&s, 0);
    a = cards_decide(&s, (struct cards_ask){N, W(AUTO), &need, NULL, 0});
    assert_string_equal(cards_describe(&a), "cpu slot");
    assert_string_equal(a.why, "there is no GPU");
    a = cards_decide(&s, (struct cards_ask){N, W(REQUIRE), &need, NULL, 0});
    assert_string_equal(cards_describe(&a), "refused bad_request");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decide__by_wish_and_what_is_free),
        cmocka_unit_test(decide__by_what_the_device_can_do),
        cmocka_unit_test(decide__by_vram),
        cmocka_unit_test(decide__context_that_its_worker_has__is_part_of_it),
        cmocka_unit_test(decide__prefer__says_until_when),
        cmocka_unit_test(decide__one_after_the_other__share_what_there_is),
        cmocka_unit_test(decide__one_after_the_other__share_the_memory),
        cmocka_unit_test(decide__limit_not_known__one_ventures_at_a_time),
        cmocka_unit_test(decide__granted__has_threads),
        cmocka_unit_test(decide__memory_refused_twice__waits_for_more),
        cmocka_unit_test(decide__two_cards__the_one_with_more_room),
        cmocka_unit_test(decide__named_card__gets_no_other),
        cmocka_unit_test(decide__ladder__is_overtaken_but_not_for_ever),
        cmocka_unit_test(decide__large_job__is_overtaken_but_not_for_ever),
        cmocka_unit_test(decide__learned_limit__is_not_for_ever),
        cmocka_unit_test(decide__no_card__says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
