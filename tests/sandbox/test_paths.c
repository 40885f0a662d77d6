#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <sched.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/landlock.h"
#include "sandbox/paths.h"

#define NONE    (-1)
#define SKIPPED 77

/* The access that @path has, NONE: it is in no rule. */
static int access_of(const struct paths *p, const char *path)
{
    size_t count;
    const struct landlock_rule *rules = paths_rules(p, &count);

    for (size_t i = 0; i < count; i++) {
        if (strcmp(rules[i].path, path) == 0)
            return (int)rules[i].access;
    }
    return NONE;
}

static void paths_create__device__decides_on_the_drivers_files(void **state)
{
    static const struct {
        const char *path;
        int cpu;
        int gpu;
    } cases[] = {
        {"/usr/lib", LANDLOCK_READ, LANDLOCK_READ},
        {"/proc/self", LANDLOCK_READ, LANDLOCK_READ},
        {"/proc/cpuinfo", LANDLOCK_READ, LANDLOCK_READ},
        {"/dev/null", LANDLOCK_DEVICE, LANDLOCK_DEVICE},
        {"/etc/ld.so.cache", LANDLOCK_READ, LANDLOCK_READ},
        {"/libraries/a", LANDLOCK_READ, LANDLOCK_READ},
        {"libraries/b", LANDLOCK_READ, LANDLOCK_READ},
        {"/proc/devices", NONE, LANDLOCK_READ},
        {"/cache/cuda", NONE, LANDLOCK_READ},
        {"/home/somebody/.nv", NONE, LANDLOCK_READ},
        {"/home/somebody", NONE, NONE},
        {"/driver/state", LANDLOCK_WRITE, LANDLOCK_WRITE},
        {"", NONE, NONE},
        {"/", NONE, NONE},
        {"/etc", NONE, NONE},
        {"/dev", NONE, NONE},
        {"/proc", NONE, NONE},
        {"/usr", NONE, NONE},
    };
    static const char *const writable[] = {"/driver/state"};

    (void)state;
    setenv("LD_LIBRARY_PATH", ":/libraries/a::libraries/b:", 1);
    setenv("CUDA_CACHE_PATH", "/cache/cuda", 1);
    setenv("HOME", "/home/somebody", 1);
    struct paths *cpu = paths_create(SANDBOX_CPU, writable, 1);
    struct paths *gpu = paths_create(SANDBOX_GPU, writable, 1);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("'%s'\n", cases[i].path);
        assert_int_equal(access_of(cpu, cases[i].path), cases[i].cpu);
        assert_int_equal(access_of(gpu, cases[i].path), cases[i].gpu);
    }
    paths_destroy(cpu);
    paths_destroy(gpu);
}

static void paths_create__nothing_in_the_environment__is_no_rule(void **state)
{
    (void)state;
    unsetenv("LD_LIBRARY_PATH");
    unsetenv("CUDA_CACHE_PATH");
    unsetenv("HOME");
    struct paths *p = paths_create(SANDBOX_GPU, NULL, 0);
    assert_int_equal(access_of(p, "/.nv"), NONE);
    assert_int_equal(access_of(p, "/usr/lib"), LANDLOCK_READ);
    paths_destroy(p);
    paths_destroy(NULL);
}

/* In a child with another /dev: 0, or which worker has what it should not. */
static int look_at_nodes(void)
{
    static const char *const nodes[] = {"/dev/nvidia0", "/dev/nvidiactl"};

    if (unshare(CLONE_NEWNS) < 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("none", "/dev", "tmpfs", 0, NULL) < 0)
        return SKIPPED;
    for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
        close(open(nodes[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    struct paths *cpu = paths_create(SANDBOX_CPU, NULL, 0);
    struct paths *gpu = paths_create(SANDBOX_GPU, NULL, 0);
    int wrong = 0;
    for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
        if (access_of(cpu, nodes[i]) != NONE)
            wrong = 1;
        if (access_of(gpu, nodes[i]) != LANDLOCK_DEVICE)
            wrong = 2;
    }
    paths_destroy(cpu);
    paths_destroy(gpu);
    return wrong;
}

static void paths_create__nodes_of_the_driver__are_for_gpus_alone(void **state)
{
    int status = 0;
    pid_t child = fork();

    (void)state;
    if (child == 0)
        _exit(look_at_nodes());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == SKIPPED)
        skip(); // no mounts of one's own here
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_create__device__decides_on_the_drivers_files),
        cmocka_unit_test(paths_create__nodes_of_the_driver__are_for_gpus_alone),
        cmocka_unit_test(paths_create__nothing_in_the_environment__is_no_rule),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
