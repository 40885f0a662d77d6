#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "support/folder.h"
#include "support/mailbox.h"

#define MANY 100000 // more than any socket takes

/* A manager that reads when the test does. */
struct scene {
    char *folder; // owned
    int manager;
    struct notify *notify;
};

static int start(void **state)
{
    struct scene *s = xcalloc(1, sizeof(*s));

    s->folder = folder_create();
    const char *path = folder_path(s->folder, "notify");
    s->manager = mailbox_open(path);
    s->notify = notify_open(path);
    *state = s;
    return 0;
}

static int stop(void **state)
{
    struct scene *s = *state;

    notify_close(s->notify);
    (void)close(s->manager);
    folder_remove(s->folder);
    free(s);
    return 0;
}

static const char *hear(const struct scene *s)
{
    return mailbox_next(s->manager);
}

/* Everything up to the first message that begins with @until. */
static const char *hear_until(const struct scene *s, const char *until)
{
    const char *text;

    while (*(text = hear(s)) && strncmp(text, until, strlen(until)) != 0)
        ;
    return text;
}

static void fill(const struct scene *s)
{
    for (int i = 0; i < MANY; i++)
        notify_status(s->notify, "as ever");
}

static void say__manager_that_reads__hears_it(void **state)
{
    const struct scene *s = *state;

    notify_status(s->notify, "2 running");
    assert_string_equal(hear(s), "STATUS=2 running");
    notify_ready(s->notify);
    assert_string_equal(hear(s), "READY=1");
    notify_alive(s->notify);
    assert_string_equal(hear(s), "WATCHDOG=1");
    notify_reloading(s->notify);
    assert_int_equal(strncmp(hear(s), "RELOADING=1\nMONOTONIC_USEC=", 27), 0);
    notify_stopping(s->notify, 5000);
    assert_non_null(strstr(hear(s), "EXTEND_TIMEOUT_USEC=5000"));
    assert_string_equal(hear(s), "");
}

/* It would stand still for ever if a call waited. */
static void say__manager_that_hangs__hears_later_what_matters(void **state)
{
    const struct scene *s = *state;

    fill(s);
    notify_reloading(s->notify);
    notify_ready(s->notify);
    notify_stopping(s->notify, 7000);
    notify_alive(s->notify);
    while (*hear(s))
        ;
    notify_alive(s->notify); // the next beat
    assert_int_equal(strncmp(hear(s), "RELOADING=1", 11), 0);
    assert_string_equal(hear(s), "READY=1");
    assert_non_null(strstr(hear(s), "EXTEND_TIMEOUT_USEC=7000"));
    assert_string_equal(hear(s), "WATCHDOG=1");
    notify_flush(s->notify);
    assert_string_equal(hear(s), ""); // and once only
}

static void say__reload_after_reload__is_told_as_one(void **state)
{
    const struct scene *s = *state;

    fill(s);
    for (int i = 0; i < 3; i++) {
        notify_reloading(s->notify);
        notify_ready(s->notify);
    }
    while (*hear(s))
        ;
    notify_flush(s->notify);
    assert_int_equal(strncmp(hear(s), "RELOADING=1", 11), 0);
    assert_string_equal(hear(s), "READY=1");
    assert_string_equal(hear(s), "");
}

static void say__nobody_listens__is_nothing(void **state)
{
    static const char *const cases[] = {NULL, "", "@", "relative", "/no/where"};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct notify *n = notify_open(cases[i]);
        notify_ready(n);
        notify_status(n, "here");
        notify_stopping(n, 1);
        notify_close(n);
    }
}

static void say__name_without_a_file__is_heard(void **state)
{
    const struct scene *s = *state;
    char name[64];

    (void)snprintf(name, sizeof(name), "@transcoded-test-%d", (int)getpid());
    int manager = mailbox_open(name);
    struct notify *n = notify_open(name);
    notify_ready(n);
    const struct scene other = {.manager = manager};
    assert_string_equal(hear(&other), "READY=1");
    notify_close(n);
    (void)close(manager);
    assert_string_equal(hear_until(s, "READY"), "");
}

int main(void)
{
#define SCENE(test) cmocka_unit_test_setup_teardown(test, start, stop)
    const struct CMUnitTest tests[] = {
        SCENE(say__manager_that_reads__hears_it),
        SCENE(say__manager_that_hangs__hears_later_what_matters),
        SCENE(say__reload_after_reload__is_told_as_one),
        SCENE(say__name_without_a_file__is_heard),
        cmocka_unit_test(say__nobody_listens__is_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
