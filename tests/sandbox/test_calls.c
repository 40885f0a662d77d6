#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "calls.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "sanitized.h"

#define NAMES_MOST 512

/* One name of one row. */
struct entry {
    char name[32];
    const struct calls_row *row;
};

static struct entry entries[NAMES_MOST];
static size_t entry_count;

static int read_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < calls_count; i++) {
        char *names = xstrdup(calls[i].names);
        char *rest = names;
        for (char *name; (name = strsep(&rest, " "));) {
            assert_in_range(strlen(name), 1, sizeof(entries[0].name) - 1);
            assert_true(entry_count < NAMES_MOST);
            (void)strcpy(entries[entry_count].name, name);
            entries[entry_count++].row = &calls[i];
        }
        free(names);
    }
    return 0;
}

/* A name that libseccomp does not know has no rule: a slip of the pen would be
 * seen only when a worker is killed for it. */
static void names__all__are_system_calls(void **state)
{
    // of kernels that are newer than some libseccomp
    static const char *const recent[] = {
        "map_shadow_stack", "mseal",         "futex_wait",
        "futex_wake",       "futex_requeue", "fchmodat2",
    };

    (void)state;
    for (size_t i = 0; i < entry_count; i++) {
        bool known =
            seccomp_syscall_resolve_name(entries[i].name) != __NR_SCMP_ERROR;
        for (size_t k = 0; k < sizeof(recent) / sizeof(recent[0]); k++)
            known |= strcmp(recent[k], entries[i].name) == 0;
        if (!known)
            print_message("%s\n", entries[i].name);
        assert_true(known);
    }
}

static bool holds(const struct scmp_arg_cmp *test, uint64_t value)
{
    switch (test->op) {
    case SCMP_CMP_EQ:
        return value == test->datum_a;
    case SCMP_CMP_NE:
        return value != test->datum_a;
    case SCMP_CMP_LT:
        return value < test->datum_a;
    case SCMP_CMP_GT:
        return value > test->datum_a;
    case SCMP_CMP_MASKED_EQ:
        return (value & test->datum_a) == test->datum_b;
    default:
        fail_msg("a test of kind %d", (int)test->op);
        return false;
    }
}

/* May one worker have both? */
static bool can_meet(const struct calls_row *a, const struct calls_row *b)
{
    return a->worker == CALLS_ALL || b->worker == CALLS_ALL ||
           a->worker == b->worker;
}

/* Is there an argument that both speak of? Their own are where they differ. */
static bool overlap(const struct calls_row *a, const struct calls_row *b)
{
    const uint64_t values[] = {
        0,
        a->test.datum_a,
        a->test.datum_a - 1,
        a->test.datum_a + 1,
        b->test.datum_a,
        b->test.datum_a - 1,
        b->test.datum_a + 1,
        a->test.datum_a | b->test.datum_a,
    };

    if (!a->has_test || !b->has_test || a->test.arg != b->test.arg)
        return true;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        if (holds(&a->test, values[i]) && holds(&b->test, values[i]))
            return true;
    }
    return false;
}

static void rows__of_the_same_call__do_not_overlap(void **state)
{
    (void)state;
    for (size_t i = 0; i < entry_count; i++) {
        for (size_t k = i + 1; k < entry_count; k++) {
            const struct entry *a = &entries[i];
            const struct entry *b = &entries[k];
            if (strcmp(a->name, b->name) != 0 || !can_meet(a->row, b->row))
                continue;
            if (overlap(a->row, b->row))
                print_message("%s\n", a->name);
            assert_false(overlap(a->row, b->row));
        }
    }
}

/* Refusals are errors that callers know what to do about. */
static void rows__that_refuse__do_it_politely(void **state)
{
    static const int errors[] = {0,      EPERM,   EACCES, ENOSYS,
                                 ENOTTY, ENOTSUP, ECHILD};

    (void)state;
    for (size_t i = 0; i < calls_count; i++) {
        bool known = false;
        for (size_t k = 0; k < sizeof(errors) / sizeof(errors[0]); k++)
            known |= calls[i].error == errors[k];
        print_message("%s\n", calls[i].names);
        assert_true(known);
    }
}

/* What the table says of @name for a worker of @kind with @value as argument
 * @arg: 0 allowed, an error, or -1: it is killed. */
static int verdict(const char *name, enum calls_worker kind, uint64_t value)
{
    for (size_t i = 0; i < entry_count; i++) {
        const struct calls_row *row = entries[i].row;
        if (strcmp(entries[i].name, name) == 0 &&
            (row->worker == CALLS_ALL || row->worker == kind) &&
            (!row->has_test || holds(&row->test, value)))
            return row->error;
    }
    return -1;
}

static void calls__that_reach_others__are_in_no_worker(void **state)
{
    static const char *const never[] = {
        // other programs, other processes
        "execve",
        "execveat",
        "fork",
        "vfork",
        "clone3",
        "setns",
        "unshare",
        "process_vm_readv",
        "process_vm_writev",
        "process_madvise",
        "kcmp",
        "pidfd_send_signal",
        "pidfd_open",
        "pidfd_getfd",
        "rt_sigqueueinfo",
        "rt_tgsigqueueinfo",
        // new ways to the outside
        "socket",
        "socketpair",
        "connect",
        "bind",
        "listen",
        "accept4",
        "io_uring_setup",
        "io_uring_enter",
        "mq_open",
        "shmget",
        "vmsplice",
        // the machine
        "mount",
        "umount2",
        "pivot_root",
        "chroot",
        "reboot",
        "swapon",
        "init_module",
        "finit_module",
        "delete_module",
        "kexec_load",
        "bpf",
        "perf_event_open",
        "add_key",
        "request_key",
        "keyctl",
        "iopl",
        "ioperm",
        "settimeofday",
        "clock_settime",
        "sethostname",
        "acct",
        "open_by_handle_at",
        "name_to_handle_at",
        "fanotify_init",
        // who it is
        "setuid",
        "setgid",
        "setreuid",
        "setresuid",
        "setresgid",
        "setgroups",
        "capset",
        "personality",
        // names
        "rename",
        "renameat2",
        "unlink",
        "unlinkat",
        "link",
        "linkat",
        "symlink",
        "mkdir",
        "rmdir",
        "truncate",
        "chmod",
        "fchmod",
        "chown",
        "mknod",
        "openat2",
        "landlock_restrict_self",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
        print_message("%s\n", never[i]);
        assert_int_not_equal(verdict(never[i], CALLS_WITH_GPU, 0), 0);
        assert_int_not_equal(verdict(never[i], CALLS_WITHOUT_GPU, 0), 0);
    }
}

static void calls__that_work_needs__are_allowed(void **state)
{
    static const char *const always[] = {
        "read",     "write",         "pread64",      "pwrite64", "lseek",
        "close",    "mmap",          "munmap",       "mprotect", "brk",
        "futex",    "clock_gettime", "exit_group",   "recvmsg",  "sendmsg",
        "fsync",    "ftruncate",     "rt_sigreturn", "openat",   "fstat",
        "getrandom"};

    (void)state;
    for (size_t i = 0; i < sizeof(always) / sizeof(always[0]); i++) {
        print_message("%s\n", always[i]);
        assert_int_equal(verdict(always[i], CALLS_WITH_GPU, 0), 0);
        assert_int_equal(verdict(always[i], CALLS_WITHOUT_GPU, 0), 0);
    }
}

static void ioctl__drivers_language__is_for_gpu_workers(void **state)
{
    (void)state;
    assert_int_equal(verdict("ioctl", CALLS_WITH_GPU, 0), 0);
    assert_int_equal(verdict("ioctl", CALLS_WITHOUT_GPU, 0), ENOTTY);
}

/* Each argument has its row: no gap in which a worker would be killed. */
static void tested_calls__any_argument__is_answered(void **state)
{
    static const char *const names[] = {"clone", "prctl", "kill", "tgkill",
                                        "prlimit64"};
    static const uint64_t values[] = {0,  1,  2,     14,         15,
                                      16, 17, 65536, 0x003d0f00, UINT64_MAX};

    (void)state;
    if (SANITIZED)
        skip(); // they are all allowed there
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        for (size_t k = 0; k < sizeof(values) / sizeof(values[0]); k++) {
            print_message("%s %llx\n", names[i], (unsigned long long)values[k]);
            assert_in_range(verdict(names[i], CALLS_WITH_GPU, values[k]), 0,
                            ERANGE);
        }
    }
    assert_int_equal(verdict("kill", CALLS_WITH_GPU, CALLS_SELF), 0);
    assert_int_equal(verdict("kill", CALLS_WITH_GPU, 1), EPERM);
    assert_int_equal(verdict("prlimit64", CALLS_WITH_GPU, 1), EPERM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names__all__are_system_calls),
        cmocka_unit_test(rows__of_the_same_call__do_not_overlap),
        cmocka_unit_test(rows__that_refuse__do_it_politely),
        cmocka_unit_test(calls__that_reach_others__are_in_no_worker),
        cmocka_unit_test(calls__that_work_needs__are_allowed),
        cmocka_unit_test(ioctl__drivers_language__is_for_gpu_workers),
        cmocka_unit_test(tested_calls__any_argument__is_answered),
    };

    return cmocka_run_group_tests(tests, read_table, NULL);
}
