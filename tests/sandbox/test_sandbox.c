#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "sandbox/landlock.h"
#include "sandbox/sandbox.h"
#include "sanitized.h"
#include "support/folder.h"

#define MIB (INT64_C(1) << 20)

/* Confined by @config, in a child: is what @check looks for so? */
static bool holds(const struct sandbox_config *config,
                  bool (*check)(struct sandbox *s, const char *folder),
                  const char *folder)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        struct sandbox s;
        (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        sandbox_enter(&s, config);
        sandbox_seal(&s, config->device);
        _exit(check(&s, folder) ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* "LAYER: STATE, WHY" */
static bool describes(const struct sandbox *s, enum sandbox_layer layer,
                      const char *expected)
{
    char text[256];

    (void)snprintf(text, sizeof(text), "%s: %s, %s", sandbox_layer_names[layer],
                   sandbox_state_names[s->layers[layer].state],
                   s->layers[layer].words);
    if (strncmp(text, expected, strlen(expected)) == 0)
        return true;
    (void)fprintf(stderr, "'%s' instead of '%s'\n", text, expected);
    return false;
}

static bool may_do_nothing(struct sandbox *s, const char *folder)
{
    struct error e = {0};

    (void)folder;
    return open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES &&
           socket(AF_UNIX, SOCK_STREAM, 0) < 0 && errno == EACCES &&
           describes(s, SANDBOX_FILES, "landlock: on, version ") &&
           describes(s, SANDBOX_CALLS, "seccomp: on") &&
           describes(s, SANDBOX_MEMORY, "memory: on") &&
           sandbox_missing(s, &e) == 0;
}

static bool may_do_all(struct sandbox *s, const char *folder)
{
    struct error e = {0};

    (void)folder;
    return open("/etc/passwd", O_RDONLY) >= 0 &&
           socket(AF_UNIX, SOCK_STREAM, 0) >= 0 &&
           describes(s, SANDBOX_FILES, "landlock: off, by the configuration") &&
           describes(s, SANDBOX_CALLS, "seccomp: off, by the configuration") &&
           describes(s, SANDBOX_MEMORY, "memory: off, by the configuration") &&
           sandbox_missing(s, &e) == 0;
}

static void sandbox_seal__mode__decides(void **state)
{
    const struct sandbox_config automatic = {.memory = 256 * MIB};
    const struct sandbox_config required = {.mode = SANDBOX_REQUIRED,
                                            .memory = 256 * MIB};
    const struct sandbox_config off = {.mode = SANDBOX_OFF, .memory = MIB};

    (void)state;
    if (landlock_version() < 0)
        skip(); // the kernel has no Landlock
    assert_true(holds(&automatic, may_do_nothing, NULL));
    assert_true(holds(&required, may_do_nothing, NULL));
    assert_true(holds(&off, may_do_all, NULL));
}

static bool has(int64_t bytes)
{
    void *p = mmap(NULL, (size_t)bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (p == MAP_FAILED)
        return false;
    munmap(p, (size_t)bytes);
    return true;
}

static bool has_little_memory(struct sandbox *s, const char *folder)
{
    (void)s;
    (void)folder;
    return has(16 * MIB) && !has(512 * MIB);
}

static bool has_much_memory(struct sandbox *s, const char *folder)
{
    (void)folder;
    return has(512 * MIB) &&
           (s->layers[SANDBOX_MEMORY].state == SANDBOX_SWITCHED_OFF ||
            describes(s, SANDBOX_MEMORY, "memory: not applicable, a GPU's "));
}

static bool loses_memory_with_the_gpu(struct sandbox *s, const char *folder)
{
    if (!has_much_memory(s, folder))
        return false;
    sandbox_seal(s, SANDBOX_CPU);
    return has_little_memory(s, folder) &&
           describes(s, SANDBOX_MEMORY, "memory: on");
}

static void sandbox_seal__memory__is_bounded_without_a_gpu(void **state)
{
    const struct sandbox_config cpu = {.memory = 256 * MIB};
    const struct sandbox_config endless = {.memory = 0};
    const struct sandbox_config gpu = {.memory = 256 * MIB,
                                       .device = SANDBOX_GPU};

    (void)state;
    if (SANITIZED)
        skip(); // its runtime needs all addresses
    assert_true(holds(&cpu, has_little_memory, NULL));
    assert_true(holds(&endless, has_much_memory, NULL));
    assert_true(holds(&gpu, has_much_memory, NULL));
    assert_true(holds(&gpu, loses_memory_with_the_gpu, NULL));
}

static bool opens(const char *folder, const char *name, int flags)
{
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    return open(path, flags | O_CLOEXEC, 0600) >= 0;
}

static bool only_reads_the_cache(struct sandbox *s, const char *folder)
{
    (void)s;
    return opens(folder, ".nv/compiled", O_RDONLY) &&
           !opens(folder, ".nv/compiled", O_RDWR) &&
           !opens(folder, ".nv/new", O_WRONLY | O_CREAT) &&
           !opens(folder, "secret", O_RDONLY);
}

static bool sees_no_cache(struct sandbox *s, const char *folder)
{
    (void)s;
    return !opens(folder, ".nv/compiled", O_RDONLY);
}

static bool writes_there(struct sandbox *s, const char *folder)
{
    (void)s;
    return opens(folder, ".nv/compiled", O_RDWR) &&
           opens(folder, ".nv/new", O_WRONLY | O_CREAT);
}

static void sandbox_enter__cache_of_the_driver__is_not_written(void **state)
{
    char *folder = folder_create();
    const char *const paths[] = {folder};
    const struct sandbox_config cpu = {.device = SANDBOX_CPU};
    const struct sandbox_config gpu = {.device = SANDBOX_GPU};
    const struct sandbox_config odd = {
        .device = SANDBOX_GPU, .paths = paths, .path_count = 1};

    (void)state;
    assert_int_equal(mkdir(folder_path(folder, ".nv"), 0700), 0);
    folder_put(folder, ".nv/compiled", "code");
    folder_put(folder, "secret", "key");
    setenv("HOME", folder, 1);
    if (landlock_version() >= 0) {
        assert_true(holds(&cpu, sees_no_cache, folder));
        assert_true(holds(&gpu, only_reads_the_cache, folder));
        assert_true(holds(&odd, writes_there, folder));
    }
    folder_remove(folder);
}

static void sandbox_missing__layer__is_named(void **state)
{
    static const struct {
        enum sandbox_state states[SANDBOX_LAYER_COUNT];
        const char *expected; // NULL: nothing is missing
    } cases[] = {
        {{SANDBOX_ON, SANDBOX_ON, SANDBOX_ON}, NULL},
        {{SANDBOX_ON, SANDBOX_ON, SANDBOX_SWITCHED_OFF}, NULL},
        {{SANDBOX_ON, SANDBOX_ON, SANDBOX_INAPPLICABLE}, NULL},
        {{SANDBOX_UNAVAILABLE, SANDBOX_ON, SANDBOX_ON},
         "the sandbox's layer 'landlock' is not available: why"},
        {{SANDBOX_ON, SANDBOX_UNAVAILABLE, SANDBOX_ON},
         "the sandbox's layer 'seccomp' is not available: why"},
        {{SANDBOX_ON, SANDBOX_NOT_YET, SANDBOX_ON},
         "the sandbox's layer 'seccomp' is not yet on: why"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct sandbox s = {0};
        struct error e = {0};
        for (int l = 0; l < SANDBOX_LAYER_COUNT; l++) {
            s.layers[l].state = cases[i].states[l];
            (void)snprintf(s.layers[l].words, sizeof(s.layers[l].words), "why");
        }
        int r = sandbox_missing(&s, &e);
        assert_int_equal(r, cases[i].expected ? -ENOTSUP : 0);
        if (cases[i].expected)
            assert_string_equal(e.text, cases[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sandbox_seal__mode__decides),
        cmocka_unit_test(sandbox_seal__memory__is_bounded_without_a_gpu),
        cmocka_unit_test(sandbox_enter__cache_of_the_driver__is_not_written),
        cmocka_unit_test(sandbox_missing__layer__is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
