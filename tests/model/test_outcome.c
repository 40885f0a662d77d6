#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/outcome.h"

static void outcome_from_name__every_name__is_found(void **state)
{
    (void)state;
    for (int o = 0; o < OUTCOME_COUNT; o++)
        assert_int_equal(outcome_from_name(outcome_name((enum outcome)o)), o);
    assert_int_equal(outcome_from_name("victory"), -1);
}

static void
outcome_is_retryable__what_trying_again_cannot_help__is_not(void **state)
{
    static const enum outcome final[] = {
        OUTCOME_NONE,      OUTCOME_DONE,        OUTCOME_CANCELLED,
        OUTCOME_TIMED_OUT, OUTCOME_BAD_REQUEST, OUTCOME_BAD_INPUT,
    };
    int retryable = 0;

    (void)state;
    for (size_t i = 0; i < sizeof(final) / sizeof(final[0]); i++)
        assert_false(outcome_is_retryable(final[i]));
    for (int o = 0; o < OUTCOME_COUNT; o++)
        retryable += outcome_is_retryable((enum outcome)o);
    assert_int_equal(retryable, OUTCOME_COUNT - 6);
}

static void outcome_final_state__outcomes__end_in_one_of_three(void **state)
{
    (void)state;
    assert_int_equal(outcome_final_state(OUTCOME_DONE), STATE_SUCCEEDED);
    assert_int_equal(outcome_final_state(OUTCOME_CANCELLED), STATE_CANCELLED);
    for (int o = OUTCOME_TIMED_OUT; o < OUTCOME_COUNT; o++)
        assert_int_equal(outcome_final_state((enum outcome)o), STATE_FAILED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outcome_from_name__every_name__is_found),
        cmocka_unit_test(
            outcome_is_retryable__what_trying_again_cannot_help__is_not),
        cmocka_unit_test(outcome_final_state__outcomes__end_in_one_of_three),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
