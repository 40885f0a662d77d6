#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "support/folder.h"

/* "w /a", "r /b c" …, with semicolons between; lives until the next call. */
static const char *describe(const struct unit *u)
{
    static char text[512];
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < u->count; i++)
        used += (size_t)snprintf(
            text + used, sizeof(text) - used, "%s%c %s", i ? "; " : "",
            u->paths[i].access == UNIT_WRITE ? 'w' : 'r', u->paths[i].path);
    return text;
}

static void unit_parse__texts__become_paths(void **state)
{
    static const struct {
        const char *text;
        const char *expect;
    } cases[] = {
        {"", ""},
        {"ReadWritePaths=\nReadOnlyPaths=\n", ""},
        {"ReadWritePaths=/a\n", "w /a"},
        {"ReadWritePaths=/a /b\nReadOnlyPaths=/c", "w /a; w /b; r /c"},
        {"ReadOnlyPaths=-/a +/b -+/c -\n", "r /a; r /b; r /c"},
        {"Id=x\nReadWritePathsOf=/a\nReadWritePaths=  /b  \n", "w /b"},
        {"ReadWritePaths", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct unit u;
        print_message("case %zu\n", i);
        unit_parse(&u, cases[i].text);
        assert_string_equal(describe(&u), cases[i].expect);
        unit_fini(&u);
    }
}

static void unit_read__service_manager__is_asked(void **state)
{
    static const char *const answers[] = {
        "echo \"$*\" >$0.asked\necho ReadWritePaths=/a\n", "exit 1\n",
        "kill -9 $$\n"};
    static const char *const expects[] = {"w /a", "", ""};
    char *folder = folder_create();
    const char *path = getenv("PATH");
    char *before = strdup(path ? path : "");

    (void)state;
    assert_int_equal(setenv("PATH", folder, 1), 0);
    for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
        char text[256];
        struct unit u;
        (void)snprintf(text, sizeof(text), "#!/bin/sh\n%s", answers[i]);
        folder_put(folder, "systemctl", text);
        assert_int_equal(chmod(folder_path(folder, "systemctl"), 0755), 0);
        unit_read(&u);
        assert_string_equal(describe(&u), expects[i]);
        unit_fini(&u);
    }
    assert_string_equal(folder_get(folder, "systemctl.asked"),
                        "show --property=ReadOnlyPaths,ReadWritePaths "
                        "transcoded.service\n");
    assert_int_equal(setenv("PATH", "/no/where", 1), 0);
    struct unit u;
    unit_read(&u); // there is none
    assert_int_equal(u.count, 0);
    unit_fini(&u);
    assert_int_equal(setenv("PATH", before, 1), 0);
    free(before);
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unit_parse__texts__become_paths),
        cmocka_unit_test(unit_read__service_manager__is_asked),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
