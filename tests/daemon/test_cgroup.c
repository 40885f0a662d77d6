#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cgroup.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/folder.h"

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

/* What the kernel puts into the group of a worker, as far as we write there. */
static const char *const kernels[] = {"memory.max", "pids.max", "cgroup.procs",
                                      "cpu.weight", "cgroup.kill"};
#define KERNELS (sizeof(kernels) / sizeof(kernels[0]))

struct tree {
    char *folder;
    struct cgroup *group;
};

/* A folder in the place of the one that is delegated, with a group in it. */
static struct tree grow(const char *leaf, const struct cgroup_limits *limits)
{
    struct tree t = {.folder = folder_create()};
    char name[64];

    assert_int_equal(mkdir(folder_path(t.folder, leaf), 0755), 0);
    for (size_t i = 0; i < KERNELS; i++) {
        (void)snprintf(name, sizeof(name), "%s/%s", leaf, kernels[i]);
        folder_put(t.folder, name, "");
    }
    t.group = cgroup_create(open(t.folder, O_DIRECTORY | O_CLOEXEC), limits);
    return t;
}

/* What was written there: "memory.max=1 pids.max=2 ". */
static const char *written(const struct tree *t, const char *leaf)
{
    static char text[256];
    char name[64];

    text[0] = '\0';
    for (size_t i = 0; i < KERNELS; i++) {
        (void)snprintf(name, sizeof(name), "%s/%s", leaf, kernels[i]);
        const char *value = folder_get(t->folder, name);
        size_t used = strlen(text);
        if (value[0])
            (void)snprintf(text + used, sizeof(text) - used, "%s=%s ",
                           kernels[i], value);
    }
    return text;
}

static void fell(struct tree *t)
{
    cgroup_close(t->group);
    folder_remove(t->folder);
}

static void adopt__worker__is_in_a_group_with_limits(void **state)
{
    static const struct {
        struct cgroup_limits limits;
        const char *expect;
    } cases[] = {
        {{.memory = 1 << 30, .tasks = 77},
         "memory.max=1073741824 pids.max=77 cgroup.procs=4711 "},
        {{.memory = 0, .tasks = 0},
         "memory.max=max pids.max=max cgroup.procs=4711 "},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tree t = grow("worker-4711", &cases[i].limits);
        struct cgroup_leaf l;

        print_message("%s\n", cases[i].expect);
        cgroup_adopt(t.group, 4711, &l);
        assert_string_equal(l.name, "worker-4711");
        assert_string_equal(written(&t, l.name), cases[i].expect);
        fell(&t);
    }
}

static void adopt__after_configure__has_the_new_limits(void **state)
{
    const struct cgroup_limits before = {.memory = 1, .tasks = 1};
    const struct cgroup_limits after = {.memory = 2, .tasks = 3};
    struct tree t = grow("worker-1", &before);
    struct cgroup_leaf l;

    (void)state;
    cgroup_configure(t.group, &after);
    cgroup_adopt(t.group, 1, &l);
    assert_string_equal(written(&t, l.name),
                        "memory.max=2 pids.max=3 cgroup.procs=1 ");
    fell(&t);
}

static void leaf__what_is_asked__is_written_there(void **state)
{
    const struct cgroup_limits none = {0};
    struct tree t = grow("worker-1", &none);
    struct cgroup_leaf l = {.group = t.group, .name = "worker-1"};

    (void)state;
    cgroup_stand_back(&l);
    assert_string_equal(written(&t, l.name), "cpu.weight=10 ");
    cgroup_kill(&l);
    assert_string_equal(written(&t, l.name), "cpu.weight=10 cgroup.kill=1 ");
    fell(&t);
}

static void adopt__groups_of_the_dead__are_swept_away(void **state)
{
    const struct cgroup_limits none = {0};
    struct tree t = grow("worker-1", &none);
    struct cgroup_leaf l;

    (void)state;
    assert_int_equal(mkdir(folder_path(t.folder, "worker-2"), 0755), 0);
    assert_int_equal(mkdir(folder_path(t.folder, "daemon"), 0755), 0);
    cgroup_adopt(t.group, 3, &l);
    assert_string_equal(folder_list(t.folder), "daemon worker-1 worker-3");
    cgroup_release(&l);
    assert_null(l.group);
    assert_string_equal(folder_list(t.folder), "daemon worker-1");
    fell(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(find_path__takes_the_group_of_version_2),
        cmocka_unit_test(without_delegation__everything_does_nothing),
        cmocka_unit_test(adopt__worker__is_in_a_group_with_limits),
        cmocka_unit_test(adopt__after_configure__has_the_new_limits),
        cmocka_unit_test(leaf__what_is_asked__is_written_there),
        cmocka_unit_test(adopt__groups_of_the_dead__are_swept_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
