#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "settings.h"

static void settings_load__nothing__gives_defaults(void **state)
{
    struct settings s;

    (void)state;
    assert_int_equal(settings_load(&s, NULL), 0);
    assert_string_equal(s.name, "Quadro P1000");
    assert_string_equal(s.driver_version, "470.256.02");
    assert_int_equal(s.vram, 4096);
    assert_int_equal(s.sessions, 3);
    assert_int_equal(s.session_error, 10);
    assert_int_equal(s.fail_encode, 0);
}

static void settings_load__control__goes_before_environment(void **state)
{
    struct settings s;

    (void)state;
    setenv("VGPU_SESSIONS", "5", 1);
    setenv("VGPU_VRAM", "2048", 1);
    assert_int_equal(settings_load(&s, "sessions = 8\n"), 0);
    assert_int_equal(s.sessions, 8);
    assert_int_equal(s.vram, 2048);
    unsetenv("VGPU_SESSIONS");
    unsetenv("VGPU_VRAM");
}

static void settings_load__control_text__is_forgiving(void **state)
{
    static const struct {
        const char *text;
        int64_t sessions;
        int bad;
    } cases[] = {
        {"sessions=4", 4, 0},
        {"  SESSIONS\t=  4  \n\n# a comment\n", 4, 0},
        {"sessions = 4 # and why\r\n", 4, 0},
        {"sessions", 3, 1},
        {"sessions = four", 3, 1},
        {"sessions = 4 5", 3, 1},
        {"sessionz = 4\nsessions = 5", 5, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct settings s;
        print_message("'%s'\n", cases[i].text);
        assert_int_equal(settings_load(&s, cases[i].text), cases[i].bad);
        assert_int_equal(s.sessions, cases[i].sessions);
    }
}

static void settings_load__every_row__takes_its_own_default(void **state)
{
    struct settings s, defaults;

    memset(&s, 0, sizeof(s));
    memset(&defaults, 0, sizeof(defaults));

    (void)state;
    settings_load(&defaults, NULL);
    for (size_t i = 0; i < settings_count; i++) {
        char line[256];
        snprintf(line, sizeof(line), "%s = %s", settings_table[i].name,
                 settings_table[i].fallback);
        print_message("%s\n", line);
        assert_int_equal(settings_load(&s, line), 0);
        assert_memory_equal(&s, &defaults, sizeof(s));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_load__nothing__gives_defaults),
        cmocka_unit_test(settings_load__control__goes_before_environment),
        cmocka_unit_test(settings_load__control_text__is_forgiving),
        cmocka_unit_test(settings_load__every_row__takes_its_own_default),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
