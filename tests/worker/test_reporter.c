#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <jansson.h>

#include "base/error.h"
#include "base/fd.h"
#include "model/event.h"
#include "reporter.h"

#define LINES 40

/* The events that were written to @fd, in one array; the writer has ended. */
static json_t *read_events(int fd)
{
    static char text[65536];
    size_t used = 0;
    ssize_t n;
    json_t *events = json_array();

    while ((n = read(fd, text + used, sizeof(text) - used)) > 0)
        used += (size_t)n;
    for (size_t at = 0; at < used; at += strlen(text + at) + 1) {
        json_t *event = json_loads(text + at, 0, NULL);
        assert_non_null(event);
        json_array_append_new(events, event);
    }
    return events;
}

static const char *member(const json_t *events, size_t index, const char *name)
{
    return json_string_value(
        json_object_get(json_array_get(events, index), name));
}

static void reporter__outcome__is_the_last_word(void **state)
{
    int pair[2];

    (void)state;
    assert_int_equal(fd_socketpair(SOCK_STREAM, pair), 0);
    struct reporter *r = reporter_create(pair[0]);
    reporter_log(r, LOG_LEVEL_WARNING, "before");
    reporter_end(r, OUTCOME_BAD_INPUT, "cannot read %d", 7);
    reporter_end(r, OUTCOME_DONE, "done");
    reporter_log(r, LOG_LEVEL_WARNING, "behind");
    reporter_destroy(r);
    fd_close(&pair[0]);

    json_t *events = read_events(pair[1]);
    assert_int_equal(json_array_size(events), 2);
    assert_string_equal(member(events, 0, "text"), "before");
    assert_string_equal(member(events, 1, "outcome"), "bad_input");
    assert_string_equal(member(events, 1, "text"), "cannot read 7");
    json_decref(events);
    fd_close(&pair[1]);
}

static void reporter_log__flood__is_held_back(void **state)
{
    int pair[2];

    (void)state;
    assert_int_equal(fd_socketpair(SOCK_STREAM, pair), 0);
    struct reporter *r = reporter_create(pair[0]);
    for (int i = 0; i < LINES; i++)
        reporter_log(r, LOG_LEVEL_WARNING, "again");
    reporter_destroy(r);
    fd_close(&pair[0]);

    json_t *events = read_events(pair[1]);
    // a new second may begin while they are written
    assert_in_range(json_array_size(events), 5, 10);
    json_decref(events);
    fd_close(&pair[1]);
}

static void *report(void *r)
{
    for (int i = 0; i < LINES; i++)
        reporter_send(r, &(struct event){.kind = EVENT_PROGRESS,
                                         .progress = {.frame = i}});
    return NULL;
}

static void reporter_send__from_two_threads__events_stay_whole(void **state)
{
    pthread_t threads[2];
    int pair[2];

    (void)state;
    assert_int_equal(fd_socketpair(SOCK_STREAM, pair), 0);
    struct reporter *r = reporter_create(pair[0]);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, report, r), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    reporter_destroy(r);
    fd_close(&pair[0]);

    json_t *events = read_events(pair[1]);
    assert_int_equal(json_array_size(events), 2 * LINES);
    json_decref(events);
    fd_close(&pair[1]);
}

static void reporter_send__nobody_listens__goes_on(void **state)
{
    int pair[2];

    (void)state;
    assert_int_equal(fd_socketpair(SOCK_STREAM, pair), 0);
    fd_close(&pair[1]);
    struct reporter *r = reporter_create(pair[0]);
    reporter_end(r, OUTCOME_DONE, "done");
    reporter_destroy(r);
    fd_close(&pair[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reporter__outcome__is_the_last_word),
        cmocka_unit_test(reporter_log__flood__is_held_back),
        cmocka_unit_test(reporter_send__from_two_threads__events_stay_whole),
        cmocka_unit_test(reporter_send__nobody_listens__goes_on),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
