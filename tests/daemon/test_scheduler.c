#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "scheduler.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define MIB INT64_C(1048576)
#define NOW (1000 * SECOND)

static const struct limits limits = {
    .attempts = 8,
    .attempts_per_uid = 8,
    .cpu_jobs = 2,
    .cpu_threads = 6,
    .batch_age = 100 * SECOND,
    .prefer_wait = 60 * SECOND,
};

/* A view with @count cards of 4 GiB that grant three sessions each. */
struct scene {
    struct scheduler_view view;
    struct capacity capacities[2];
};

static void set_up(struct scene *s, size_t count)
{
    static const char *const ids[] = {"cuda:0", "cuda:1"};

    *s = (struct scene){.view = {.limits = &limits, .now = NOW}};
    s->view.device_count = count;
    for (size_t i = 0; i < count; i++) {
        capacity_init(&s->capacities[i]);
        s->capacities[i].listed = 3;
        s->view.devices[i] = (struct scheduler_device){
            .id = ids[i],
            .capacity = &s->capacities[i],
            .use = {.total = 4096 * MIB, .reserve = 512 * MIB},
            .decodes = true,
            .encodes = true,
        };
    }
}

/* 1080p to @renditions, which any card takes and decodes. */
static struct need need_of(size_t renditions)
{
    return (struct need){
        .decodes_video = true,
        .width = 1920,
        .height = 1080,
        .rendition_count = renditions,
        .devices = {{.id = "cuda:0",
                     .sessions = (int32_t)renditions,
                     .decodes = true},
                    {.id = "cuda:1",
                     .sessions = (int32_t)renditions,
                     .decodes = true}},
        .device_count = 2,
    };
}

struct ask {
    enum job_priority priority;
    enum job_hardware hardware;
    const struct need *need;
    const struct fallback *fallback;
    int64_t waited; // µs
};

/* Of a job that may only use @device; NULL: any. */
static struct scheduler_answer decide_on(struct scene *s, struct ask ask,
                                         const char *device)
{
    static const struct fallback nothing;
    const struct scheduler_job job = {
        .priority = ask.priority,
        .hardware = ask.hardware,
        .device = device,
        .need = ask.need,
        .fallback = ask.fallback ? ask.fallback : &nothing,
        .since = NOW - ask.waited,
    };
    struct scheduler_answer a;

    scheduler_decide(&s->view, &job, &a);
    return a;
}

static struct scheduler_answer decide(struct scene *s, struct ask ask)
{
    return decide_on(s, ask, NULL);
}

/* "cuda:0 sessions=1 decode slot", "waits", "refused no_session". */
static const char *describe(const struct scheduler_answer *a)
{
    static char text[96];

    if (a->verdict == SCHEDULER_WAITS)
        return a->needs_cpu ? "waits for the cpu" : "waits";
    if (a->verdict == SCHEDULER_RETURNS)
        return "returns";
    if (a->verdict == SCHEDULER_REFUSES)
        (void)snprintf(text, sizeof(text), "refused %s",
                       outcome_name(a->outcome));
    else if (strcmp(a->grant.device, "cpu") == 0)
        (void)snprintf(text, sizeof(text), "cpu%s",
                       a->takes_slot ? " slot" : "");
    else
        (void)snprintf(text, sizeof(text), "%s %d%s%s%s", a->grant.device,
                       (int)a->grant.sessions, a->grant.decode ? " decode" : "",
                       a->takes_slot ? " slot" : "",
                       a->sends_warm_away ? " warm" : "");
    return text;
}

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
        {N, W(NONE), 1, 0, 0, 0, 2, "waits", ""},
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
        const struct need need = need_of(cases[i].renditions);
        struct scene s;

        print_message("case %zu\n", i);
        set_up(&s, 1);
        s.view.devices[0].use.own = cases[i].own;
        s.view.devices[0].use.foreign = cases[i].foreign;
        s.view.load.cpu_jobs = cases[i].slots;
        const struct scheduler_answer a = decide(&s, (struct ask){
            cases[i].priority, cases[i].hardware, &need, NULL,
            cases[i].waited * SECOND});
        assert_string_equal(describe(&a), cases[i].expect);
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
        struct need need = need_of(1);
        struct scene s;

        print_message("case %zu\n", i);
        set_up(&s, 1);
        need.devices[0] = cases[i].device;
        need.device_count = 1;
        s.view.devices[0].decodes = cases[i].decodes;
        s.view.devices[0].encodes = cases[i].encodes;
        const struct scheduler_answer a = decide(&s, (struct ask){
            N, cases[i].hardware, &need, cases[i].past, 0});
        assert_string_equal(describe(&a), cases[i].expect);
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
        const struct need need = need_of(1);
        struct scene s;

        print_message("case %zu\n", i);
        set_up(&s, 1);
        s.view.devices[0].use.foreign_vram = cases[i].foreign * MIB;
        s.view.devices[0].use.own_vram = cases[i].own * MIB;
        s.view.devices[0].warm_vram = cases[i].warm * MIB;
        const struct scheduler_answer a = decide(&s, (struct ask){
            N, cases[i].hardware, &need, NULL, 0});
        assert_string_equal(describe(&a), cases[i].expect);
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
    const struct need need = need_of(1);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct scheduler_job job = {
            .hardware = JOB_HARDWARE_REQUIRE,
            .need = &need,
            .fallback = &nothing,
            .since = NOW,
            .held_on = cases[i].held_on,
            .held = cases[i].held * MIB,
        };
        struct scheduler_answer a;
        struct scene s;
        print_message("case %zu\n", i);
        set_up(&s, 1);
        s.view.devices[0].use.foreign_vram = 3500 * MIB;
        s.view.devices[0].use.own_vram = 100 * MIB;
        scheduler_decide(&s.view, &job, &a);
        assert_string_equal(describe(&a), cases[i].expect);
    }
}

static void decide__prefer__says_until_when(void **state)
{
    const struct need need = need_of(1);
    struct scene s;

    (void)state;
    set_up(&s, 1);
    s.view.devices[0].use.own = 3;
    const struct scheduler_answer a =
        decide(&s, (struct ask){N, W(PREFER), &need, NULL, 20 * SECOND});
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
    const struct need need = need_of(1);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct fallback past = {.waits = cases[i].waits};
        struct scene s;
        print_message("case %zu\n", i);
        set_up(&s, 1);
        struct capacity_use *use = &s.view.devices[0].use;
        use->foreign_vram = 1024 * MIB;
        capacity_refuse(&s.capacities[0], use, 320 * MIB, NOW - 5 * SECOND);
        use->foreign_vram -= cases[i].freed * MIB;
        const struct scheduler_answer a =
            decide(&s, (struct ask){N, cases[i].hardware, &need, &past,
                                    cases[i].waited * SECOND});
        assert_string_equal(describe(&a), cases[i].expect);
    }
}

static void decide__one_after_the_other__share_what_there_is(void **state)
{
    const struct need need = need_of(1);
    static const char *const expect[] = {
        "cuda:0 1 decode", "cuda:0 1 decode", "cuda:0 1 decode",
        "cpu slot",        "cpu slot",        "waits",
    };
    struct scene s;

    (void)state;
    set_up(&s, 1);
    for (size_t i = 0; i < sizeof(expect) / sizeof(expect[0]); i++) {
        const struct scheduler_answer a =
            decide(&s, (struct ask){N, W(AUTO), &need, NULL, 0});
        print_message("job %zu\n", i);
        assert_string_equal(describe(&a), expect[i]);
    }
}

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
        {W(NONE), 2, false, false, "waits"},
    };
    struct need need = need_of(1);

    (void)state;
    need.device_count = 0;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        static const struct fallback nothing;
        const struct scheduler_job job = {
            .hardware = cases[i].hardware,
            .need = &need,
            .fallback = &nothing,
            .since = NOW,
            .needs_cpu = cases[i].is_one,
        };
        struct scheduler_answer a;
        struct scene s;
        print_message("case %zu\n", i);
        set_up(&s, 1);
        need.input_passes = cases[i].passes;
        s.view.load.cpu_jobs = 2;
        s.view.load.ungranted[W(NONE)] = cases[i].ready;
        scheduler_decide(&s.view, &job, &a);
        assert_string_equal(describe(&a), cases[i].expect);
    }
}

/* Who waits for a session, or for a card to be well again, is none of them. */
static void decide__waits_for_a_gpu__keeps_its_place(void **state)
{
    const struct need need = need_of(1);
    struct scene s;

    (void)state;
    for (int sick = 0; sick <= 1; sick++) {
        set_up(&s, 1);
        s.view.load.cpu_jobs = s.view.load.ungranted[W(NONE)] = 2;
        s.view.devices[0].use.own = 3;
        s.view.devices[0].decodes = s.view.devices[0].encodes = !sick;
        const struct scheduler_answer a =
            decide(&s, (struct ask){N, W(AUTO), &need, NULL, 0});
        assert_string_equal(describe(&a), "waits");
    }
}

static void decide__two_cards__the_one_with_more_room(void **state)
{
    const struct need one = need_of(1);
    const struct need three = need_of(3);
    struct scheduler_answer a;
    struct scene s;

    (void)state;
    set_up(&s, 2);
    s.view.devices[0].use.own = 1;
    a = decide(&s, (struct ask){N, W(AUTO), &three, NULL, 0});
    assert_string_equal(describe(&a), "cuda:1 3 decode");
    a = decide(&s, (struct ask){N, W(REQUIRE), &one, NULL, 0});
    assert_string_equal(describe(&a), "cuda:0 1 decode");
    a = decide(&s, (struct ask){N, W(REQUIRE), &three, NULL, 0});
    assert_string_equal(describe(&a), "waits");
    s.view.devices[0].encodes = s.view.devices[0].decodes = false;
    s.view.devices[1].use.own = 0;
    a = decide(&s, (struct ask){N, W(AUTO), &one, NULL, 0});
    assert_string_equal(describe(&a), "cuda:1 1 decode");
}

/* A ladder waits for its three sessions while small jobs come and go. */
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
        {W(REQUIRE), "cuda:1", {0, 3}, true, true, "waits", "cuda:1 has no encoder session free"},
        // it is not well, whatever the other one is
        {W(AUTO), "cuda:1", {0, 0}, false, true, "cpu slot", "cuda:1 is in quarantine after a failure"},
        {W(REQUIRE), "cuda:1", {0, 0}, false, true, "waits", "cuda:1 is in quarantine after a failure"},
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
        struct need need = need_of(1);
        struct scene s;

        print_message("case %zu\n", i);
        set_up(&s, 2);
        need.device_count = cases[i].is_needed ? 2 : 1;
        for (size_t d = 0; d < 2; d++)
            s.view.devices[d].use.own = cases[i].own[d];
        s.view.devices[1].decodes = s.view.devices[1].encodes = cases[i].works;
        const struct scheduler_answer a = decide_on(
            &s, (struct ask){JOB_NORMAL, cases[i].hardware, &need, NULL, 0},
            cases[i].device);
        assert_string_equal(describe(&a), cases[i].expect);
        assert_string_equal(a.why, cases[i].why);
    }
}

static void decide__ladder__is_overtaken_but_not_for_ever(void **state)
{
    const struct need three = need_of(3);
    const struct need one = need_of(1);
    struct scheduler_answer a;
    struct scene s;

    (void)state;
    for (int64_t waited = 0; waited <= 20; waited += 20) {
        set_up(&s, 1);
        s.view.devices[0].use.own = 2;
        a = decide(&s,
                   (struct ask){N, W(REQUIRE), &three, NULL, waited * SECOND});
        assert_string_equal(describe(&a), "waits");
        a = decide(&s, (struct ask){N, W(REQUIRE), &one, NULL, 0});
        assert_string_equal(describe(&a), waited ? "waits" : "cuda:0 1 decode");
    }
}

/* What was learned may be forgotten again: who needs it all waits. */
static void decide__learned_limit__is_not_for_ever(void **state)
{
    const struct need three = need_of(3);
    struct scheduler_answer a;
    struct scene s;

    (void)state;
    set_up(&s, 1);
    s.capacities[0].learned = 2;
    s.capacities[0].learned_at = NOW;
    a = decide(&s, (struct ask){N, W(REQUIRE), &three, NULL, 0});
    assert_string_equal(describe(&a), "waits");
    a = decide(&s, (struct ask){N, W(PREFER), &three, NULL, 0});
    assert_string_equal(describe(&a), "cuda:0 2 decode slot");
}

static void decide__no_card__says_so(void **state)
{
    struct need need = need_of(1);
    struct scheduler_answer a;
    struct scene s;

    (void)state;
    need.device_count = 0;
    set_up(&s, 0);
    a = decide(&s, (struct ask){N, W(AUTO), &need, NULL, 0});
    assert_string_equal(describe(&a), "cpu slot");
    assert_string_equal(a.why, "there is no GPU");
    a = decide(&s, (struct ask){N, W(REQUIRE), &need, NULL, 0});
    assert_string_equal(describe(&a), "refused bad_request");
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
        struct scene s;

        print_message("case %zu\n", i);
        set_up(&s, cases[i].devices);
        s.view.load = cases[i].load;
        s.view.devices[0].use.own = cases[i].own;
        backlog_add(b, &row);
        assert_int_equal(scheduler_next(&s.view, b, SECOND) != NULL,
                         cases[i].starts);
        backlog_destroy(b);
    }
}

/* Who requires a GPU waits for one that may come back, and only for such. */
static void next__no_gpu_at_all__is_told_who_requires_one(void **state)
{
    const struct store_job row = {.id = 1, .hardware = JOB_HARDWARE_REQUIRE};
    struct backlog *b = backlog_create();
    struct scene s;

    (void)state;
    backlog_add(b, &row);
    set_up(&s, 0);
    assert_null(scheduler_next(&s.view, b, SECOND));
    s.view.has_no_gpu = true;
    assert_non_null(scheduler_next(&s.view, b, SECOND));
    set_up(&s, 1);
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
    struct scene s;

    (void)state;
    set_up(&s, 0);
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
            scheduler_has_room(&load, &limits, cases[i].own, &limit),
            cases[i].room);
        if (!cases[i].room)
            assert_int_equal(limit, cases[i].limit);
    }
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
        cmocka_unit_test(decide__memory_refused_twice__waits_for_more),
        cmocka_unit_test(decide__many_that_need_the_cpu__few_stand_ready),
        cmocka_unit_test(decide__waits_for_a_gpu__keeps_its_place),
        cmocka_unit_test(decide__two_cards__the_one_with_more_room),
        cmocka_unit_test(decide__named_card__gets_no_other),
        cmocka_unit_test(decide__ladder__is_overtaken_but_not_for_ever),
        cmocka_unit_test(decide__learned_limit__is_not_for_ever),
        cmocka_unit_test(decide__no_card__says_so),
        cmocka_unit_test(
            next__inspected_jobs__are_bounded_by_what_they_wait_for),
        cmocka_unit_test(next__no_gpu_at_all__is_told_who_requires_one),
        cmocka_unit_test(next__batch_job_of_age__overtakes),
        cmocka_unit_test(has_room__caps_of_all_and_of_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
