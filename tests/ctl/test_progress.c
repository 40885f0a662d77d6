#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "model/event.h"
#include "progress.h"

#define PLAN "native>scale>libx264"

static const struct event_progress half = {
    .frame = 812,
    .fps = 143.2,
    .speed = 4.8,
    .out_time = 27.1,
    .percent = 50.0,
    .eta = 52.6,
};

static void bar__width__decides_what_is_left_out(void **state)
{
    static const struct {
        size_t width;
        const char *expect;
    } cases[] = {
        {0, ""},
        {6, ""},
        {8, " 50.0%"},
        {20, " 50.0%  ETA 0:52"},
        {24, " 50.0%  ETA 0:52  4.80x"},
        {36, " 50.0%  [####----]  ETA 0:52  4.80x"},
        {50, " 50.0%  [######-------]  ETA 0:52  4.80x  143 fps"},
        {67, " 50.0%  [####----]  ETA 0:52  4.80x  143 fps  " PLAN},
        {120, " 50.0%  [###################-------------------]  ETA 0:52  "
              "4.80x  143 fps  " PLAN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char line[512];
        print_message("width %zu\n", cases[i].width);
        progress_format_bar(&half, PLAN, cases[i].width, line, sizeof(line));
        assert_string_equal(line, cases[i].expect);
    }
}

static void bar__any_width__never_reaches_the_last_column(void **state)
{
    (void)state;
    for (size_t width = 1; width < 200; width++) {
        char line[512];
        progress_format_bar(&half, PLAN, width, line, sizeof(line));
        assert_true(strlen(line) < width);
    }
}

static void bar__what_is_not_known__is_not_shown(void **state)
{
    static const struct event_progress unknown = {
        .speed = 1.0, .out_time = 3671.0, .percent = -1, .eta = -1};
    char line[512];

    (void)state;
    progress_format_bar(&unknown, "", 80, line, sizeof(line));
    assert_string_equal(line, "at 1:01:11  1.00x");
}

static void bar__share__fills_it(void **state)
{
    static const struct {
        double percent;
        const char *expect;
    } cases[] = {
        {0, "  0.0%  [--------]  ETA 0:52  4.80x"},
        {100, "100.0%  [########]  ETA 0:52  4.80x"},
        {99.99, "100.0%  [#######-]  ETA 0:52  4.80x"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct event_progress p = half;
        char line[512];
        p.percent = cases[i].percent;
        print_message("%g %%\n", p.percent);
        progress_format_bar(&p, "", 36, line, sizeof(line));
        assert_string_equal(line, cases[i].expect);
    }
}

static void line__progress__reads_as_a_sentence(void **state)
{
    static const struct event_progress unknown = {
        .speed = 0.51, .out_time = 27.1, .percent = -1, .eta = -1};
    char line[256];

    (void)state;
    progress_format_line(&half, line, sizeof(line));
    assert_string_equal(line, "50.0%, 143 fps, 4.80x, ETA 0:52");
    progress_format_line(&unknown, line, sizeof(line));
    assert_string_equal(line, "at 0:27, 0.51x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bar__width__decides_what_is_left_out),
        cmocka_unit_test(bar__any_width__never_reaches_the_last_column),
        cmocka_unit_test(bar__what_is_not_known__is_not_shown),
        cmocka_unit_test(bar__share__fills_it),
        cmocka_unit_test(line__progress__reads_as_a_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
