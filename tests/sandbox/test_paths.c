#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/landlock.h"
#include "sandbox/paths.h"

#define NONE (-1)

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_create__device__decides_on_the_drivers_files),
        cmocka_unit_test(paths_create__nothing_in_the_environment__is_no_rule),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
