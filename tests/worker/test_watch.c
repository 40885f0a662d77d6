#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "model/sample.h"
#include "support/machine.h"
#include "watch.h"

struct result {
    int status;
    char said[4096];
    size_t size;
};

static void watch_once(void *ret)
{
    struct result *r = ret;
    char *text = NULL;
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        abort();
    r->status = watch_run(ends[1], 1);
    fd_close(&ends[1]);
    if (fd_read_all(ends[0], sizeof(r->said), &text, &r->size) < 0)
        abort();
    memcpy(r->said, text, r->size);
    free(text);
    fd_close(&ends[0]);
}

static void
watch_run__one_round__is_a_sample_that_the_daemon_reads(void **state)
{
    struct result r = {0};
    struct sample s;
    struct error e = {0};

    (void)state;
    machine_run(NULL, watch_once, &r, sizeof(r));
    assert_int_equal(r.status, 0);
    assert_int_equal(r.size, strlen(r.said) + 1); // one document, with its NUL
    json_t *json = json_loads(r.said, 0, NULL);
    assert_non_null(json);
    assert_int_equal(sample_from_json(&s, json, &e), 0);
    assert_true(s.temperature == 48);
    json_decref(json);
}

static void watch_run__no_driver__ends_with_1_and_no_sample(void **state)
{
    static const char *const settings[] = {"no_driver=1", NULL};
    struct result r = {0};

    (void)state;
    machine_run(settings, watch_once, &r, sizeof(r));
    assert_int_equal(r.status, 1);
    assert_int_equal(r.size, 0);
}

static void watch_unheard(void *ret)
{
    struct result *r = ret;
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        abort();
    (void)signal(SIGPIPE, SIG_IGN); // as the program does
    fd_close(&ends[0]);
    r->status = watch_run(ends[1], WATCH_ENDLESS);
}

static void watch_run__nobody_listens__ends(void **state)
{
    struct result r = {.status = -1};

    (void)state;
    machine_run(NULL, watch_unheard, &r, sizeof(r));
    assert_int_equal(r.status, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            watch_run__one_round__is_a_sample_that_the_daemon_reads),
        cmocka_unit_test(watch_run__no_driver__ends_with_1_and_no_sample),
        cmocka_unit_test(watch_run__nobody_listens__ends),
    };

    (void)argc;
    machine_enter(argv);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
