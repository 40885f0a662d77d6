#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/system.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/folder.h"

static void path__root_of_a_test__is_put_before(void **state)
{
    (void)state;
    char *path = system_path("/proc/modules");
    assert_string_equal(path, "/proc/modules");
    free(path);
    setenv("TRANSCODED_SYSTEM_ROOT", "/elsewhere", 1);
    path = system_path("/proc/modules");
    assert_string_equal(path, "/elsewhere/proc/modules");
    free(path);
    unsetenv("TRANSCODED_SYSTEM_ROOT");
}

static void collect(void *user, const char *name)
{
    char *names = user;

    (void)strcat(strcat(names, name), " ");
}

static void files__are_read_below_the_root(void **state)
{
    char *folder = folder_create();
    char line[8];
    char names[64] = "";

    (void)state;
    setenv("TRANSCODED_SYSTEM_ROOT", folder, 1);
    folder_put(folder, "b", "0x10de\nmore\n");
    folder_put(folder, "a", "much longer than that\n");
    assert_int_equal(
        symlink("../../drivers/nvidia", folder_path(folder, "link")), 0);

    assert_int_equal(system_read_line("/b", line, sizeof(line)), 0);
    assert_string_equal(line, "0x10de");
    assert_int_equal(system_read_line("/a", line, sizeof(line)), 0);
    assert_string_equal(line, "much lo");
    assert_int_equal(system_read_line("/c", line, sizeof(line)), -ENOENT);
    assert_int_equal(system_read_link("/link", line, sizeof(line)), 0);
    assert_string_equal(line, "nvidia");
    assert_int_equal(system_read_link("/b", line, sizeof(line)), -EINVAL);
    assert_true(system_exists("/a"));
    assert_false(system_exists("/c"));
    system_each("/", collect, names);
    assert_string_equal(names, "a b link ");
    system_each("/nowhere", collect, names);
    assert_string_equal(names, "a b link ");

    unsetenv("TRANSCODED_SYSTEM_ROOT");
    folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(path__root_of_a_test__is_put_before),
        cmocka_unit_test(files__are_read_below_the_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
