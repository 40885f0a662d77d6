#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "watcher.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/memory.h"
#include "inventory.h"
#include "support/folder.h"
#include "support/loop.h"

/* A shell script in the place of the worker; "starts" counts its starts. */
struct scene {
    char *folder; // owned
    struct loop loop;
    struct inventory *inventory;
    struct watcher *watcher;
    int sampled; // how often we were told
};

static void on_sampled(void *user, struct inventory_device *device)
{
    struct scene *s = user;

    assert_string_equal(device->survey.uuid, "GPU-A");
    s->sampled++;
}

static int start(void **state)
{
    struct scene *s = xcalloc(1, sizeof(*s));

    s->folder = folder_create();
    loop_init(&s->loop);
    s->inventory = inventory_create();
    *state = s;
    return 0;
}

static int stop(void **state)
{
    struct scene *s = *state;

    watcher_destroy(s->watcher);
    inventory_destroy(s->inventory);
    loop_fini(&s->loop);
    folder_remove(s->folder);
    free(s);
    return 0;
}

static void have_card(struct scene *s)
{
    struct survey_device card = {.id = "cuda:0", .uuid = "GPU-A"};
    const struct survey survey = {.devices = &card, .device_count = 1};

    inventory_set(s->inventory, &survey);
    watcher_wake(s->watcher);
}

static void watch(struct scene *s, const char *body, int64_t silence)
{
    char *script =
        xasprintf("#!/bin/sh\necho $1 >> '%s/starts'\n%s\n", s->folder, body);
    const struct watcher_config config = {
        .program = folder_path(s->folder, "worker"),
        .log_lines = 5,
        .silence = silence,
        .pause_first = 20 * MILLISECOND,
        .pause_most = 80 * MILLISECOND,
    };

    folder_put(s->folder, "worker", script);
    assert_int_equal(chmod(folder_path(s->folder, "worker"), 0755), 0);
    s->watcher =
        watcher_create(&s->loop.uv, s->inventory, &config, on_sampled, s);
    free(script);
}

static size_t starts(const struct scene *s)
{
    size_t count = 0;

    for (const char *c = folder_get(s->folder, "starts"); *c; c++)
        count += *c == '\n';
    return count;
}

static bool is_sampled_twice(const void *scene)
{
    const struct scene *s = scene;

    return s->sampled >= 2;
}

static bool has_started_thrice(const void *scene)
{
    const struct scene *s = scene;

    return starts(s) >= 3;
}

#define SAMPLE(uuid, rest) "printf '{\"uuid\":\"" uuid "\"" rest "}\\0'\n"

static void watcher__samples__are_in_the_inventory(void **state)
{
    struct scene *s = *state;

    watch(s,
          SAMPLE("GPU-A", ",\"temperature\":40") SAMPLE("GPU-B", "")
              SAMPLE("GPU-A", ",\"temperature\":41") "exec sleep 60",
          LOOP_PATIENCE);
    have_card(s);
    loop_run_until(&s->loop, is_sampled_twice, s);
    assert_string_equal(folder_get(s->folder, "starts"), "--watch\n");

    const struct inventory_device *d = inventory_find(s->inventory, "cuda:0");
    const struct sample *latest = inventory_latest(d, clock_now());
    assert_non_null(latest);
    assert_true(latest->temperature == 41);
    assert_true(latest->power < 0);
    // and some seconds later it says nothing any more
    assert_null(inventory_latest(d, d->sampled + INVENTORY_SAMPLE_AGE + 1));
}

static void watcher__no_card__starts_nothing(void **state)
{
    struct scene *s = *state;

    watch(s, "exec sleep 60", LOOP_PATIENCE);
    watcher_wake(s->watcher);
    assert_int_equal(uv_run(&s->loop.uv, UV_RUN_DEFAULT),
                     0); // nothing to wait for
    assert_string_equal(folder_get(s->folder, "starts"), "(none)");
}

static bool has_started(const void *scene)
{
    const struct scene *s = scene;

    return starts(s) >= 1;
}

/* Nobody is left whom the loop would wait for. */
static bool is_over(const void *scene)
{
    const struct scene *s = scene;

    return loop_is_idle(&s->loop);
}

static void watcher__card_that_vanishes__ends_it(void **state)
{
    struct scene *s = *state;
    const struct survey nothing = {0};

    watch(s, "exec sleep 600", LOOP_PATIENCE);
    have_card(s);
    loop_run_until(&s->loop, has_started, s);
    inventory_set(s->inventory, &nothing);
    watcher_wake(s->watcher);
    loop_run_until(&s->loop, is_over, s); // it was killed
    assert_int_equal(starts(s), 1);
}

static void watcher__program_that_fails__is_started_again(void **state)
{
    static const struct {
        const char *body;
        int64_t silence;
    } cases[] = {
        {"echo no driver >&2; exit 1", LOOP_PATIENCE},
        {"kill -9 $$", LOOP_PATIENCE},
        {"printf 'no JSON\\0'; exec sleep 60", LOOP_PATIENCE},
        {"printf '{\"uuid\":\"GPU-A\",\"load\":7}\\0'; exec sleep 60",
         LOOP_PATIENCE},
        {"exec 1>&- 3>&-; exec sleep 60", LOOP_PATIENCE},
        {"while :; do " SAMPLE("GPU-A", "") " done", LOOP_PATIENCE},
        {"head -c 1000000 /dev/zero | tr '\\0' 'a'; exec sleep 60",
         LOOP_PATIENCE},
        {"exec sleep 60", 50 * MILLISECOND},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        void *fresh;
        print_message("%s\n", cases[i].body);
        assert_int_equal(start(&fresh), 0);
        struct scene *s = fresh;
        watch(s, cases[i].body, cases[i].silence);
        have_card(s);
        loop_run_until(&s->loop, has_started_thrice, s);
        assert_int_equal(stop(&fresh), 0);
    }
    (void)state;
}

static bool is_sampled_once(const void *scene)
{
    const struct scene *s = scene;

    return s->sampled >= 1;
}

/* Who speaks has all the time again. */
static void watcher__sample__begins_the_silence_anew(void **state)
{
    struct scene *s = *state;

    watch(
        s,
        SAMPLE("GPU-A", "") "while [ ! -e ${0%/*}/go ]; do sleep 0.01; done\n"
                            "sleep 0.02\n" SAMPLE("GPU-A", "") "exec sleep 60",
        LOOP_PATIENCE);
    have_card(s);
    loop_run_until(&s->loop, is_sampled_once, s);
    uint64_t due = loop_due(&s->loop);
    folder_put(s->folder, "go", "");
    loop_run_until(&s->loop, is_sampled_twice, s);
    assert_true(loop_due(&s->loop) > due);
}

static void watcher__pauses__grow(void **state)
{
    struct scene *s = *state;

    watch(s, "exit 1", LOOP_PATIENCE);
    int64_t before = clock_now();
    have_card(s);
    loop_run_until(&s->loop, has_started_thrice, s); // after 20 ms and 40 ms
    assert_true(clock_now() - before >= 60 * MILLISECOND);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(watcher__samples__are_in_the_inventory),
        TEST(watcher__no_card__starts_nothing),
        TEST(watcher__card_that_vanishes__ends_it),
        cmocka_unit_test(watcher__program_that_fails__is_started_again),
        TEST(watcher__sample__begins_the_silence_anew),
        TEST(watcher__pauses__grow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
