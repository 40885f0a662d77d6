#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "media/plan_notes.h"

static void plan_notes_why__twice__is_said_once(void **state)
{
    struct plan_notes notes = {0};

    (void)state;
    plan_notes_why(&notes, "%s does not", "cuda:0");
    plan_notes_why(&notes, "%s does not", "cuda:1");
    plan_notes_why(&notes, "%s does not", "cuda:0");
    assert_int_equal(notes.why_count, 2);
    assert_string_equal(notes.why[0], "cuda:0 does not");
    assert_string_equal(notes.why[1], "cuda:1 does not");
}

static void plan_notes__beyond_the_room__is_left_out(void **state)
{
    struct plan_notes notes = {0};

    (void)state;
    for (int i = 0; i < 100; i++) {
        plan_notes_why(&notes, "reason %d", i);
        plan_notes_clamp(&notes, "level", i, 0, "reason %d", i);
    }
    assert_int_equal(notes.why_count, PLAN_WHY_MOST);
    assert_int_equal(notes.clamp_count, PLAN_CLAMPS_MOST);
    assert_string_equal(notes.why[PLAN_WHY_MOST - 1], "reason 15");
}

static void plan_notes_wrap_fields__later_ones__are_wrapped(void **state)
{
    struct plan_notes notes = {0};

    (void)state;
    plan_notes_clamp(&notes, "a", 3, 0, "no %s", "B-frames");
    plan_notes_clamp(&notes, "b", 2, 1, "because");
    plan_notes_wrap_fields(&notes, 1, "video");
    plan_notes_wrap_fields(&notes, 1, "outputs[0]");
    assert_string_equal(notes.clamps[0].field, "a");
    assert_string_equal(notes.clamps[0].reason, "no B-frames");
    assert_true(notes.clamps[0].from == 3 && notes.clamps[0].to == 0);
    assert_string_equal(notes.clamps[1].field, "outputs[0].video.b");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plan_notes_why__twice__is_said_once),
        cmocka_unit_test(plan_notes__beyond_the_room__is_left_out),
        cmocka_unit_test(plan_notes_wrap_fields__later_ones__are_wrapped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
