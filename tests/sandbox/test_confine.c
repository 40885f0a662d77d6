#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "sandbox/confine.h"
#include "sanitized.h"

/* Confining is for ever: each check runs in a child, which exits 0 when what it
 * looks for is so. */
static bool holds_in_child(bool (*check)(void))
{
    pid_t child = fork();
    int status = 0;

    assert_true(child >= 0);
    if (child == 0) {
        struct error e = {0};
        if (open("/dev/null", O_RDONLY) < 0 || dup2(0, 20) < 0 ||
            confine_process(3, &e) < 0)
            _exit(2);
        _exit(check() ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool dies_with_parent(void)
{
    int number = 0;

    return prctl(PR_GET_PDEATHSIG, &number) == 0 && number == SIGKILL;
}

static bool has_no_descriptors(void)
{
    for (int fd = 4; fd < 64; fd++) {
        if (fcntl(fd, F_GETFD) >= 0)
            return false;
    }
    return true;
}

static bool writes_no_core(void)
{
    struct rlimit core;

    return getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_max == 0;
}

static bool has_all_addresses(void)
{
    struct rlimit space;

    return getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur == RLIM_INFINITY;
}

static bool gains_nothing(void)
{
    return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1;
}

static bool survives_broken_pipes(void)
{
    int ends[2];

    if (pipe(ends) < 0)
        return false;
    close(ends[0]);
    return write(ends[1], "x", 1) < 0;
}

static bool has_an_end_of_threads(void)
{
    struct rlimit threads;

    return getrlimit(RLIMIT_NPROC, &threads) == 0 && threads.rlim_max <= 4096;
}

static bool has_few_descriptors_and_no_queues(void)
{
    struct rlimit files;
    struct rlimit queues;

    return getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_max <= 256 &&
           getrlimit(RLIMIT_MSGQUEUE, &queues) == 0 && queues.rlim_max == 0;
}

static bool has_as_much_memory_as_said(void)
{
    struct rlimit data;
    struct error e = {0};

    if (SANITIZED) // its runtime needs more
        return confine_memory(64 << 20, &e) == 0;
    return confine_memory(0, &e) == 0 && getrlimit(RLIMIT_DATA, &data) == 0 &&
           data.rlim_max > 64 << 20 && confine_memory(64 << 20, &e) == 0 &&
           confine_memory(INT64_C(1) << 40, &e) == 0 &&
           getrlimit(RLIMIT_DATA, &data) == 0 && data.rlim_cur == 64 << 20 &&
           data.rlim_max == 64 << 20;
}

static void confine_process__layers__hold(void **state)
{
    static const struct {
        const char *what;
        bool (*check)(void);
    } cases[] = {
        {"dies with its parent", dies_with_parent},
        {"keeps no descriptors", has_no_descriptors},
        {"writes no core", writes_no_core},
        {"has all its addresses", has_all_addresses},
        {"has an end of threads", has_an_end_of_threads},
        {"has few descriptors and no queues",
         has_few_descriptors_and_no_queues},
        {"has as much memory as said", has_as_much_memory_as_said},
        {"gains no privileges", gains_nothing},
        {"survives broken pipes", survives_broken_pipes},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%s\n", cases[i].what);
        assert_true(holds_in_child(cases[i].check));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(confine_process__layers__hold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
