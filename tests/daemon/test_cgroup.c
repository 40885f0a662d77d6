#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cgroup.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Where they are delegated is tested under a systemd (tests/system). */

static void find_path__takes_the_group_of_version_2(void **state)
{
    static const struct {
        const char *text;
        const char *expect;
    } cases[] = {
        {"0::/\n", "/"},
        {"0::/system.slice/transcoded.service\n",
         "/system.slice/transcoded.service"},
        {"12:pids:/a\n1:name=systemd:/b\n0::/c d\n", "/c d"},
        {"0::/without an end", "/without an end"},
        {"10::/no\n0::/yes\n", "/yes"},
        {"12:pids:/a\n", ""},
        {"", ""},
        {"0::", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *path = "";
        char found[64];

        size_t length = cgroup_find_path(cases[i].text, &path);
        (void)snprintf(found, sizeof(found), "%.*s", (int)length, path);
        print_message("%s -> '%s'\n", cases[i].text, found);
        assert_string_equal(found, cases[i].expect);
    }
}

static void without_delegation__everything_does_nothing(void **state)
{
    const struct cgroup_limits limits = {.memory = 1, .tasks = 1};
    struct cgroup *g = cgroup_open(&limits);
    struct cgroup_leaf l;

    (void)state;
    cgroup_configure(g, &limits);
    cgroup_adopt(g, getpid(), &l); // it would kill us
    assert_null(l.group);
    cgroup_stand_back(&l);
    cgroup_kill(&l);
    cgroup_release(&l);
    cgroup_adopt(NULL, getpid(), &l);
    assert_null(l.group);
    cgroup_close(g);
    cgroup_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(find_path__takes_the_group_of_version_2),
        cmocka_unit_test(without_delegation__everything_does_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
