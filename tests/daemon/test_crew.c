#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "crew.h"

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "child.h"
#include "inventory.h"
#include "model/configuration.h"
#include "model/job.h"
#include "support/folder.h"
#include "support/loop.h"
#include "warm.h"

/* Says, as a worker does, that all is done that was to be done ahead. */
#define SPEAK \
    "printf '{\"event\":\"sandbox\",\"layers\":[],\"missing\":null}\\0' >&3\n"

/* A shell script in the place of the worker. */
struct scene {
    char *folder; // owned
    struct loop loop;
    struct inventory *inventory;
    struct configuration configuration;
    struct crew *crew;
    bool affords;
    bool is_sick;
    int pid; // that stands on the first card
};

static bool affords(void *user, const char *uuid)
{
    const struct scene *s = user;

    return s->affords && strcmp(uuid, "GPU-A") == 0;
}

static bool trusts(void *user, const char *uuid)
{
    const struct scene *s = user;

    (void)uuid;
    return !s->is_sick;
}

static void on_stands(void *user, const char *uuid, int pid)
{
    struct scene *s = user;

    assert_string_equal(uuid, "GPU-A");
    assert_true(!pid != !s->pid); // one after the other
    s->pid = pid;
}

static const struct crew_ops ops = {affords, trusts, on_stands};

static int start(void **state)
{
    struct scene *s = xcalloc(1, sizeof(*s));

    s->folder = folder_create();
    loop_init(&s->loop);
    s->inventory = inventory_create();
    s->affords = true;
    configuration_init(&s->configuration);
    *state = s;
    return 0;
}

static int stop(void **state)
{
    struct scene *s = *state;

    crew_destroy(s->crew);
    inventory_destroy(s->inventory);
    loop_fini(&s->loop);
    configuration_fini(&s->configuration);
    folder_remove(s->folder);
    free(s);
    return 0;
}

/* On a card @ahead is done; a worker writes its words into "words". */
static void open_crew(struct scene *s, const char *ahead)
{
    char *text = xasprintf("#!/bin/sh\necho \"$*\" >>%s/words\n"
                           "case \"$*\" in *--warm*) %s ;; *) " SPEAK
                           ";; esac\nexec sleep 1000\n",
                           s->folder, ahead);

    folder_put(s->folder, "worker", text);
    free(text);
    s->configuration.worker = xstrdup(folder_path(s->folder, "worker"));
    assert_int_equal(chmod(s->configuration.worker, 0755), 0);
    s->crew = crew_create(&s->loop.uv, NULL, s->inventory, &s->configuration,
                          &ops, s);
}

static void survey_cards(struct scene *s, size_t decoders, size_t count)
{
    static const char *const ids[][2] = {{"cuda:0", "GPU-A"},
                                         {"cuda:1", "GPU-B"}};
    struct survey found = {.libav = "5.1", .device_count = count};

    found.devices = xcalloc(count, sizeof(*found.devices));
    for (size_t i = 0; i < count; i++) {
        struct survey_device *d = &found.devices[i];
        (void)strcpy(d->id, ids[i][0]);
        (void)strcpy(d->uuid, ids[i][1]);
        d->decoders = xcalloc(1, sizeof(struct survey_decoder));
        d->decoder_count = decoders;
    }
    inventory_set(s->inventory, &found);
    survey_fini(&found);
    crew_refresh(s->crew);
}

static void survey(struct scene *s, size_t decoders)
{
    survey_cards(s, decoders, 1);
}

static struct warm *pick(const struct scene *s, enum job_hardware hardware,
                         enum job_video_codec codec)
{
    struct job_output output = {.video.codec = codec};
    const struct job job = {
        .hardware = hardware, .outputs = &output, .output_count = 1};

    return crew_pick(s->crew, &job);
}

static struct warm *pick_gpu(const struct scene *s)
{
    return pick(s, JOB_HARDWARE_AUTO, JOB_VIDEO_H264);
}

static bool stands(const void *scene)
{
    const struct scene *s = scene;

    return s->pid != 0;
}

static bool stands_not(const void *scene)
{
    const struct scene *s = scene;

    return s->pid == 0;
}

static bool is_ready(const void *scene)
{
    const struct scene *s = scene;

    return pick_gpu(s) != crew_plain(s->crew) && warm_is_ready(pick_gpu(s));
}

static bool plain_one_has_spoken(const void *scene)
{
    const struct scene *s = scene;

    return warm_sandbox(crew_plain(s->crew)) != NULL;
}

static int take(const struct scene *s, struct warm *from)
{
    struct child *child;
    struct error e = {0};

    (void)s;
    assert_int_equal(warm_take(from, &child, &e), 0);
    int pid = child_pid(child);
    child_destroy(child);
    return pid;
}

static void pick__by_the_document__and_what_there_is(void **state)
{
    static const struct {
        enum job_hardware hardware;
        enum job_video_codec codec;
        bool is_gpu;
    } cases[] = {
        {JOB_HARDWARE_AUTO, JOB_VIDEO_H264, true},
        {JOB_HARDWARE_REQUIRE, JOB_VIDEO_HEVC, true},
        {JOB_HARDWARE_NONE, JOB_VIDEO_H264, false},
        {JOB_HARDWARE_AUTO, JOB_VIDEO_COPY, false},
        {JOB_HARDWARE_PREFER, JOB_VIDEO_NONE, false},
    };
    struct scene *s = *state;

    open_crew(s, SPEAK);
    assert_ptr_equal(pick_gpu(s), crew_plain(s->crew)); // no card is known
    survey(s, 1);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct warm *w = pick(s, cases[i].hardware, cases[i].codec);
        assert_int_equal(w != crew_plain(s->crew), cases[i].is_gpu);
    }
    survey(s, 0); // it does not work any more
    assert_ptr_equal(pick_gpu(s), crew_plain(s->crew));
}

static void pick__named_card__is_that_one(void **state)
{
    struct scene *s = *state;
    struct job_output output = {.video.codec = JOB_VIDEO_H264};
    struct job job = {.outputs = &output, .output_count = 1};
    char second[] = "cuda:1";
    char none[] = "cuda:2";

    open_crew(s, SPEAK);
    survey_cards(s, 1, 2);
    loop_run_until(&s->loop, is_ready,
                   s); // on the first; the second affords none
    struct warm *ready = crew_pick(s->crew, &job);
    assert_true(warm_is_ready(ready));
    job.device = second;
    struct warm *named = crew_pick(s->crew, &job);
    assert_ptr_not_equal(named, ready);
    assert_ptr_not_equal(named, crew_plain(s->crew));
    job.device = none;
    assert_ptr_equal(crew_pick(s->crew, &job), crew_plain(s->crew));
    survey_cards(s, 1, 1); // it is gone
    job.device = second;
    assert_ptr_equal(crew_pick(s->crew, &job), crew_plain(s->crew));
}

static void card__that_works__has_one_that_is_replaced(void **state)
{
    struct scene *s = *state;

    open_crew(s, SPEAK);
    survey(s, 1);
    loop_run_until(&s->loop, is_ready, s);
    int pid = s->pid;
    assert_int_equal(take(s, pick_gpu(s)), pid);
    assert_int_equal(s->pid, 0); // it is the job's now
    loop_run_until(&s->loop, is_ready, s);
    assert_int_not_equal(s->pid, pid);
    loop_run_until(&s->loop, plain_one_has_spoken, s);
    const char *words = folder_get(s->folder, "words");
    assert_non_null(strstr(words, "--device cpu "));
    assert_non_null(strstr(words, "--device cuda:0 --warm GPU-A "));
}

static void ahead__that_is_not_done_yet__is_not_waited_for(void **state)
{
    struct scene *s = *state;

    open_crew(s, "");
    survey(s, 1);
    loop_run_until(&s->loop, stands, s);
    int pid = s->pid;
    assert_false(warm_is_ready(pick_gpu(s)));
    // another one, of the same kind, that does nothing ahead
    assert_int_not_equal(take(s, pick_gpu(s)), pid);
    assert_int_equal(s->pid, pid);
}

/* Has one that is started for its job said how? */
static bool has_words(const void *scene)
{
    const struct scene *s = scene;

    return strstr(folder_get(s->folder, "words"), "--device cuda ");
}

#define LONG (600 * SECOND)

/* The driver is started by a worker that has its job already only where it is
 * well: one that hangs would keep the job from the CPU. */
static void fresh_one__starts_the_driver__where_that_is_well(void **state)
{
    static const struct {
        const char *ahead; // of who stands ready
        int64_t start_timeout;
        bool is_sick;
        bool affords;
        bool (*wait)(const void *scene);
        const char *expect; // of who is started for a job
    } cases[] = {
        {"", LONG, false, true, stands, "--device cuda --open GPU-A "},
        {"", LONG, false, false, stands, "--device cuda --driver "},
        {"", LONG, true, true, stands, "--device cuda --sandbox"},
        {"exit 1", LONG, false, true, stands_not, "--device cuda --sandbox"},
        // it takes longer than it should
        {"", 0, false, true, stands, "--device cuda --sandbox"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct scene *s = *state;
        print_message("case %zu\n", i);
        s->configuration.limits.start_timeout = cases[i].start_timeout;
        open_crew(s, cases[i].ahead);
        survey(s, 1);
        loop_run_until(&s->loop, stands, s);
        loop_run_until(&s->loop, cases[i].wait, s);
        s->is_sick = cases[i].is_sick;
        s->affords = cases[i].affords;
        struct child *child;
        struct error e = {0};
        assert_int_equal(warm_take(pick_gpu(s), &child, &e), 0);
        loop_run_until(&s->loop, has_words, s);
        child_destroy(child);
        assert_non_null(
            strstr(folder_get(s->folder, "words"), cases[i].expect));
        assert_int_equal(stop(state), 0);
        assert_int_equal(start(state), 0);
    }
}

/* A driver may take for ever over a context. */
static void ahead__that_is_never_done__is_given_a_minute(void **state)
{
    struct scene *s = *state;

    open_crew(s, "");
    survey(s, 1);
    loop_run_until(&s->loop, stands, s);
    uint64_t due = loop_due(&s->loop);
    assert_in_range(due, uv_now(&s->loop.uv) + 1, uv_now(&s->loop.uv) + 60000);
    assert_true(due > uv_now(&s->loop.uv) + 30000);
}

static void ahead__that_is_done__is_given_all_time(void **state)
{
    struct scene *s = *state;

    open_crew(s, SPEAK);
    survey(s, 1);
    loop_run_until(&s->loop, is_ready, s);
    loop_run_until(&s->loop, plain_one_has_spoken, s);
    assert_int_equal(loop_due(&s->loop), 0);
}

static void card__that_affords_none__has_none(void **state)
{
    struct scene *s = *state;

    s->affords = false;
    open_crew(s, SPEAK);
    survey(s, 1);
    (void)uv_run(&s->loop.uv, UV_RUN_NOWAIT);
    assert_int_equal(s->pid, 0);
    s->affords = true;
    crew_refresh(s->crew);
    loop_run_until(&s->loop, is_ready, s);
    s->affords = false;
    crew_refresh(s->crew);
    loop_run_until(&s->loop, stands_not, s);
    assert_int_equal(crew_dismiss(s->crew, "cuda:0"), false);
}

static void card__that_does_nothing__has_none(void **state)
{
    struct scene *s = *state;

    open_crew(s, SPEAK);
    survey(s, 0);
    loop_run_until(&s->loop, plain_one_has_spoken, s);
    assert_int_equal(s->pid, 0);
    assert_int_equal(loop_due(&s->loop), 0); // nor is one to come
    survey(s, 1);
    loop_run_until(&s->loop, is_ready, s);
    survey(s, 0);
    loop_run_until(&s->loop, stands_not, s);
}

static void dismiss__one_that_stands__is_told_when_it_is_gone(void **state)
{
    struct scene *s = *state;

    open_crew(s, SPEAK);
    survey(s, 1);
    loop_run_until(&s->loop, is_ready, s);
    int pid = s->pid;
    loop_run_until(&s->loop, plain_one_has_spoken, s);
    assert_false(crew_dismiss(s->crew, "cuda:1"));
    assert_true(is_ready(s));
    assert_true(crew_dismiss(s->crew, "cuda:0"));
    assert_int_equal(s->pid, pid); // it still has its VRAM
    assert_false(is_ready(s));     // and gets no job
    loop_run_until(&s->loop, stands_not, s);
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(loop_due(&s->loop), 0); // none comes by itself
    assert_false(crew_dismiss(s->crew, "cuda:0"));
    assert_false(crew_dismiss(s->crew, "cuda:1"));
    crew_refresh(s->crew);
    loop_run_until(&s->loop, is_ready, s);
}

static void death__of_one_that_stands__is_made_good(void **state)
{
    struct scene *s = *state;

    open_crew(s, SPEAK);
    survey(s, 1);
    loop_run_until(&s->loop, is_ready, s);
    int pid = s->pid;
    assert_int_equal(kill(pid, SIGKILL), 0);
    loop_run_until(&s->loop, stands_not, s);
    loop_run_until(&s->loop, is_ready, s);
    assert_int_not_equal(s->pid, pid);
}

static void configure__other_program__replaces_them(void **state)
{
    struct scene *s = *state;

    open_crew(s, SPEAK);
    survey(s, 1);
    loop_run_until(&s->loop, is_ready, s);
    int pid = s->pid;
    crew_configure(s->crew); // nothing that would matter
    assert_int_equal(s->pid, pid);
    s->configuration.limits.worker_memory++;
    crew_configure(s->crew);
    assert_int_equal(s->pid, 0);
    loop_run_until(&s->loop, is_ready, s);
}

int main(void)
{
#define SCENE(test) cmocka_unit_test_setup_teardown(test, start, stop)
    const struct CMUnitTest tests[] = {
        SCENE(pick__by_the_document__and_what_there_is),
        SCENE(pick__named_card__is_that_one),
        SCENE(card__that_works__has_one_that_is_replaced),
        SCENE(ahead__that_is_not_done_yet__is_not_waited_for),
        SCENE(fresh_one__starts_the_driver__where_that_is_well),
        SCENE(ahead__that_is_never_done__is_given_a_minute),
        SCENE(ahead__that_is_done__is_given_all_time),
        SCENE(card__that_affords_none__has_none),
        SCENE(card__that_does_nothing__has_none),
        SCENE(dismiss__one_that_stands__is_told_when_it_is_gone),
        SCENE(death__of_one_that_stands__is_made_good),
        SCENE(configure__other_program__replaces_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
