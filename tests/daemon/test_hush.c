#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "hush.h"

#include <stdio.h>

#include "model/event.h"

static void say(struct hush *h, char *text)
{
    struct event ev = {.kind = EVENT_LOG};

    ev.log.level = LOG_LEVEL_WARNING;
    ev.log.text = text;
    hush_keep(h, &ev);
}

static bool reach(struct hush *h, int64_t frame)
{
    struct event ev = {.kind = EVENT_PROGRESS};

    ev.progress.frame = frame;
    return hush_progress(h, &ev);
}

static void progress__lines_are_told_when_it_went_on(void **state)
{
    struct hush h = {0};
    struct event ev;

    (void)state;
    assert_false(reach(&h, 10));
    say(&h, (char[]){"first"});
    say(&h, (char[]){"second"});
    assert_false(reach(&h, 20)); // these may have been on their way
    assert_false(reach(&h, 20)); // nothing moves
    assert_true(reach(&h, 30));
    assert_true(hush_take(&h, &ev));
    assert_string_equal(ev.log.text, "first");
    assert_int_equal(ev.log.level, LOG_LEVEL_WARNING);
    event_fini(&ev);
    assert_true(hush_take(&h, &ev));
    assert_string_equal(ev.log.text, "second");
    event_fini(&ev);
    assert_false(hush_take(&h, &ev));
    assert_false(reach(&h, 40));
}

static void progress__another_line__waits_anew(void **state)
{
    struct hush h = {0};

    (void)state;
    say(&h, (char[]){"one"});
    assert_false(reach(&h, 1));
    say(&h, (char[]){"two"});
    assert_false(reach(&h, 2));
    assert_true(reach(&h, 3));
    hush_fini(&h);
    assert_false(reach(&h, 9));
}

static void keep__more_than_anybody_wants__is_bounded(void **state)
{
    struct hush h = {0};
    struct event ev;
    int count = 0;

    (void)state;
    for (int i = 0; i < 100; i++)
        say(&h, (char[]){"again"});
    while (hush_take(&h, &ev)) {
        event_fini(&ev);
        count++;
    }
    assert_int_equal(count, HUSH_MOST);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(progress__lines_are_told_when_it_went_on),
        cmocka_unit_test(progress__another_line__waits_anew),
        cmocka_unit_test(keep__more_than_anybody_wants__is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
