#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/state.h"

static void state_from_name__every_name__is_found(void **state)
{
    (void)state;
    for (int s = 0; s < STATE_COUNT; s++)
        assert_int_equal(state_from_name(state_name((enum state)s)), s);
    assert_int_equal(state_from_name("happy"), -1);
    assert_int_equal(state_from_name(""), -1);
}

static void state_is_terminal__three_states__are(void **state)
{
    int count = 0;

    (void)state;
    for (int s = 0; s < STATE_COUNT; s++)
        count += state_is_terminal((enum state)s);
    assert_int_equal(count, 3);
    assert_true(state_is_terminal(STATE_SUCCEEDED));
    assert_true(state_is_terminal(STATE_FAILED));
    assert_true(state_is_terminal(STATE_CANCELLED));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state_from_name__every_name__is_found),
        cmocka_unit_test(state_is_terminal__three_states__are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
