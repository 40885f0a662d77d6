#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "finding.h"

#include <string.h>

static void add__several__worst_state_and_its_first_fix(void **state)
{
    struct finding f = {.state = FINDING_GOOD};

    (void)state;
    finding_add(&f, FINDING_GOOD, NULL, "%d nodes", 7);
    assert_int_equal(f.state, FINDING_GOOD);
    assert_null(f.fix);
    finding_add(&f, FINDING_WARNING, "load it", "one is odd");
    finding_add(&f, FINDING_BAD, "make it", "one is missing");
    finding_add(&f, FINDING_BAD, "make that", "and another");
    finding_add(&f, FINDING_WARNING, "or not", "this is little");
    assert_int_equal(f.state, FINDING_BAD);
    assert_string_equal(f.found, "7 nodes; one is odd; one is missing; and "
                                 "another; this is little");
    assert_string_equal(f.fix, "make it");
    finding_fini(&f);
    assert_null(f.found);
    assert_null(f.fix);
}

static void add__worst_has_no_fix__none_of_a_lesser_one_is_told(void **state)
{
    struct finding f = {.state = FINDING_GOOD};

    (void)state;
    finding_add(&f, FINDING_WARNING, "load it", "one is odd");
    finding_add(&f, FINDING_BAD, NULL, "one is broken");
    assert_null(f.fix);
    finding_add(&f, FINDING_BAD, "make it", "one is missing");
    assert_string_equal(f.fix, "make it");
    finding_fini(&f);
}

static void names__are_of_the_interface(void **state)
{
    static const char *const names[] = {"good", "note", "warning", "bad"};

    (void)state;
    for (int i = 0; i < FINDING_STATE_COUNT; i++)
        assert_string_equal(finding_state_name((enum finding_state)i),
                            names[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(add__several__worst_state_and_its_first_fix),
        cmocka_unit_test(add__worst_has_no_fix__none_of_a_lesser_one_is_told),
        cmocka_unit_test(names__are_of_the_interface),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
