#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "waiters.h"

#include <errno.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/list.h"
#include "base/memory.h"
#include "connection.h"
#include "support/caller.h"

/* Three clients, of whom the first two wait for the same. */
struct scene {
    struct callers callers;
    struct list waiting;
};

static int start(void **state)
{
    struct scene *s = xcalloc(1, sizeof(*s));

    callers_init(&s->callers);
    list_init(&s->waiting);
    list_append(&s->waiting, &s->callers.list[0].call->link);
    list_append(&s->waiting, &s->callers.list[1].call->link);
    *state = s;
    return 0;
}

static int stop(void **state)
{
    struct scene *s = *state;

    call_end(s->callers.list[2].call);
    callers_fini(&s->callers);
    free(s);
    return 0;
}

/* Those who waited heard @expect, the third one nothing. */
static void assert_heard(struct scene *s, const char *expect)
{
    assert_string_equal(callers_hear(&s->callers, 0), expect);
    assert_string_equal(callers_hear(&s->callers, 1), expect);
    callers_assert_silence(&s->callers, 0);
    callers_assert_silence(&s->callers, 1);
    callers_assert_silence(&s->callers, 2);
    assert_true(list_empty(&s->waiting));
}

static void reply__all_who_wait__have_what_they_asked_for(void **state)
{
    struct scene *s = *state;

    waiters_reply(&s->waiting);
    assert_heard(s, "{\"parameters\":{}}");
}

static void refuse__job_went_elsewhere__they_hear_where(void **state)
{
    struct scene *s = *state;

    waiters_refuse(&s->waiting, STATE_SUCCEEDED);
    assert_heard(s, "{\"error\":\"io.transcoded.WrongState\","
                    "\"parameters\":{\"state\":\"succeeded\"}}");
}

static void fail__store_does_not_answer__they_hear_why(void **state)
{
    struct scene *s = *state;
    struct error e = {0};

    error_set(&e, -ENOSPC, "the disk is full");
    waiters_fail(&s->waiting, &e);
    assert_heard(s, "{\"error\":\"io.transcoded.Unavailable\","
                    "\"parameters\":{\"reason\":\"the disk is full\"}}");
}

static void end__nobody_answers__calls_are_freed_without_a_word(void **state)
{
    struct scene *s = *state;

    waiters_end(&s->waiting);
    assert_true(list_empty(&s->waiting));
    callers_assert_silence(&s->callers, 0);
    callers_assert_silence(&s->callers, 1);
    assert_null(s->callers.list[0].connection->call);
}

static void reply__one_hung_up_meanwhile__the_others_hear(void **state)
{
    struct scene *s = *state;

    callers_hang_up(&s->callers, 0);
    waiters_reply(&s->waiting);
    assert_true(list_empty(&s->waiting));
    assert_string_equal(callers_hear(&s->callers, 1), "{\"parameters\":{}}");
    assert_null(s->callers.list[0].connection); // went with its call
}

static void all__nobody_waits__nothing_happens(void **state)
{
    struct scene *s = *state;
    struct error e = {0};
    struct list nobody;

    list_init(&nobody);
    error_set(&e, -EIO, "why");
    waiters_reply(&nobody);
    waiters_refuse(&nobody, STATE_FAILED);
    waiters_fail(&nobody, &e);
    waiters_end(&nobody);
    callers_assert_silence(&s->callers, 0);
    waiters_end(&s->waiting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            reply__all_who_wait__have_what_they_asked_for, start, stop),
        cmocka_unit_test_setup_teardown(
            refuse__job_went_elsewhere__they_hear_where, start, stop),
        cmocka_unit_test_setup_teardown(
            fail__store_does_not_answer__they_hear_why, start, stop),
        cmocka_unit_test_setup_teardown(
            end__nobody_answers__calls_are_freed_without_a_word, start, stop),
        cmocka_unit_test_setup_teardown(
            reply__one_hung_up_meanwhile__the_others_hear, start, stop),
        cmocka_unit_test_setup_teardown(all__nobody_waits__nothing_happens,
                                        start, stop),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
