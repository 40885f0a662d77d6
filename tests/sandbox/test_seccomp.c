#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "sandbox/seccomp.h"
#include "sanitized.h"

#define KILLED 255 // by SIGSYS

/* Made before the filter. */
static int pair[2];

static int outcome(long r)
{
    return r < 0 ? errno : 0;
}

static int make_socket(void)
{
    return outcome(socket(AF_UNIX, SOCK_STREAM, 0));
}

static int make_pair(void)
{
    int ends[2];
    return outcome(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
}

static int make_process(void)
{
    return outcome(fork());
}

static int make_process_by_clone3(void)
{
    char arguments[64] = {0};
    return outcome(syscall(SYS_clone3, arguments, sizeof(arguments)));
}

static int run_a_program(void)
{
    return outcome(execl("/bin/true", "true", (char *)NULL));
}

static int trace(void)
{
    return outcome(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

static int read_memory(void)
{
    char byte;
    struct iovec to = {&byte, 1};
    struct iovec from = {&pair, 1};
    return outcome(process_vm_readv(getppid(), &to, 1, &from, 1, 0));
}

static int signal_parent(void)
{
    return outcome(kill(getppid(), 0));
}

static int signal_itself(void)
{
    (void)signal(SIGUSR1, SIG_IGN);
    return raise(SIGUSR1) == 0 ? 0 : errno;
}

static int outlive_parent(void)
{
    return outcome(prctl(PR_SET_PDEATHSIG, 0));
}

static int name_itself(void)
{
    return outcome(prctl(PR_SET_NAME, "decoder"));
}

static int limit_parent(void)
{
    const struct rlimit none = {0, 0};
    return outcome(prlimit(getppid(), RLIMIT_NOFILE, &none, NULL));
}

static int ask_limit(void)
{
    struct rlimit now;
    return outcome(getrlimit(RLIMIT_STACK, &now));
}

static int change_mode(void)
{
    return outcome(fchmod(STDIN_FILENO, 0777));
}

static int hand_signals_over(void)
{
    return outcome(fcntl(pair[0], F_SETOWN, getppid()));
}

static int send_a_descriptor(void)
{
    char byte = 'x';
    int fd = STDIN_FILENO;
    size_t count = 0;

    if (fd_send(pair[0], &byte, 1, &fd, 1) != 1 ||
        fd_receive(pair[1], &byte, 1, &fd, 1, &count) != 1)
        return EIO;
    return count == 1 ? outcome(lseek(fd, 0, SEEK_CUR)) : EIO;
}

static int map_memory(void)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return p == MAP_FAILED ? errno : outcome(mprotect(p, 4096, PROT_READ));
}

static int change_root(void)
{
    return outcome(chroot("/"));
}

static int watch_performance(void)
{
    return outcome(syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0));
}

static int make_ring(void)
{
    return outcome(syscall(SYS_io_uring_setup, 1, NULL));
}

static int make_keys(void)
{
    return outcome(syscall(SYS_keyctl, 0, 0, 0, 0, 0));
}

static int call_what_is_not(void)
{
    return outcome(syscall(4095));
}

static void *do_nothing(void *argument)
{
    return argument;
}

static int make_thread(void)
{
    pthread_t thread;
    int r = pthread_create(&thread, NULL, do_nothing, NULL);
    return r ? r : pthread_join(thread, NULL);
}

/* In a child with the filter on: an errno, or KILLED. */
static int confined(int (*act)(void), enum sandbox_device device,
                    enum seccomp_verdict verdict)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        struct error e = {0};
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
            seccomp_confine(device, verdict, &e) < 0) {
            (void)fprintf(stderr, "%s\n", e.text);
            _exit(254);
        }
        _exit(act());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status)) {
        assert_int_equal(WTERMSIG(status), SIGSYS);
        return KILLED;
    }
    return WEXITSTATUS(status);
}

static int make_pair_before(void **state)
{
    (void)state;
    return fd_socketpair(SOCK_STREAM, pair);
}

static int close_pair(void **state)
{
    (void)state;
    fd_close(&pair[0]);
    fd_close(&pair[1]);
    return 0;
}

static void seccomp_confine__calls__end_as_their_rows_say(void **state)
{
    static const struct {
        const char *what;
        int (*act)(void);
        int expected;
        bool is_sanitizers; // theirs, in their builds
    } cases[] = {
        {"a thread", make_thread, 0, false},
        {"memory", map_memory, 0, false},
        {"a descriptor over a socket", send_a_descriptor, 0, false},
        {"a signal to itself", signal_itself, 0, false},
        {"its thread's name", name_itself, 0, false},
        {"its own limits", ask_limit, 0, false},
        {"a socket", make_socket, EACCES, false},
        {"a pair of sockets", make_pair, EACCES, false},
        {"a process", make_process, EPERM, true},
        {"a process by clone3", make_process_by_clone3, ENOSYS, false},
        {"a signal to another", signal_parent, EPERM, true},
        {"to outlive its parent", outlive_parent, EPERM, true},
        {"another's limits", limit_parent, EPERM, false},
        {"a file's mode", change_mode, EPERM, false},
        {"a ring", make_ring, ENOSYS, false},
        {"another program", run_a_program, KILLED, false},
        {"to trace another", trace, KILLED, true},
        {"another's memory", read_memory, KILLED, false},
        {"another to get its signals", hand_signals_over, KILLED, false},
        {"another root", change_root, KILLED, false},
        {"performance counters", watch_performance, KILLED, false},
        {"keys", make_keys, KILLED, false},
        {"what no kernel has", call_what_is_not, KILLED, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%s\n", cases[i].what);
        if (SANITIZED && cases[i].is_sanitizers)
            continue;
        assert_int_equal(confined(cases[i].act, SANDBOX_CPU, SECCOMP_KILL),
                         cases[i].expected);
        assert_int_equal(confined(cases[i].act, SANDBOX_GPU, SECCOMP_KILL),
                         cases[i].expected);
    }
}

/* Calls by their numbers, for functions of the C library take other ways. What
 * the kernel would say of such arguments is something else than expected. */
struct raw {
    const char *what;
    long number;
    long first;
    long second;
    int expected;
    bool is_sanitizers;
};

static const struct raw *raw; // that is made next

static int call_raw(void)
{
    return outcome(syscall(raw->number, raw->first, raw->second, 0, 0, 0));
}

static void seccomp_confine__raw_calls__end_as_their_rows_say(void **state)
{
    static const struct raw cases[] = {
#ifdef SYS_fork
        {"fork", SYS_fork, 0, 0, EPERM, false},
#endif
        {"connect", SYS_connect, -1, 0, EACCES, false},
        {"setsockopt", SYS_setsockopt, -1, 0, EACCES, false},
        {"openat2", SYS_openat2, -1, 0, ENOSYS, false},
        {"truncate", SYS_truncate, 0, 0, EACCES, false},
        {"unlinkat", SYS_unlinkat, -1, 0, EACCES, false},
        {"renameat2", SYS_renameat2, -1, 0, EACCES, false},
        {"linkat", SYS_linkat, -1, 0, EACCES, false},
        {"mkdirat", SYS_mkdirat, -1, 0, EACCES, false},
        {"fchownat", SYS_fchownat, -1, 0, EPERM, false},
        {"pidfd_open", SYS_pidfd_open, -1, 0, EPERM, false},
        {"pidfd_getfd", SYS_pidfd_getfd, -1, 0, EPERM, false},
        {"tkill", SYS_tkill, 0, 0, EPERM, true},
        {"prctl", SYS_prctl, PR_GET_TIMERSLACK, 0, EPERM, true},
        {"sched_setscheduler", SYS_sched_setscheduler, -1, 0, EPERM, false},
        {"shmget", SYS_shmget, 0, 0, ENOSYS, false},
        {"fcntl", SYS_fcntl, 0, F_SETSIG, KILLED, false},
        {"pidfd_send_signal", SYS_pidfd_send_signal, -1, 0, KILLED, false},
        {"rt_sigqueueinfo", SYS_rt_sigqueueinfo, 0, 0, KILLED, false},
        {"rt_tgsigqueueinfo", SYS_rt_tgsigqueueinfo, 0, 0, KILLED, false},
        {"execveat", SYS_execveat, -1, 0, KILLED, false},
        {"process_vm_writev", SYS_process_vm_writev, 0, 0, KILLED, false},
        {"process_madvise", SYS_process_madvise, -1, 0, KILLED, false},
        {"mount", SYS_mount, 0, 0, KILLED, false},
        {"unshare", SYS_unshare, 0, 0, KILLED, false},
        {"setns", SYS_setns, -1, 0, KILLED, false},
        {"bpf", SYS_bpf, -1, 0, KILLED, false},
        {"open_by_handle_at", SYS_open_by_handle_at, -1, 0, KILLED, false},
        {"fanotify_init", SYS_fanotify_init, -1, 0, KILLED, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        raw = &cases[i];
        print_message("%s\n", raw->what);
        if (!SANITIZED || !raw->is_sanitizers)
            assert_int_equal(confined(call_raw, SANDBOX_GPU, SECCOMP_KILL),
                             raw->expected);
    }
}

#ifdef __x86_64__
/* getpid() as a program of 32 bits asks for it: 0, or KILLED. */
static int call_by_another_door(void)
{
    long result;

    __asm__ volatile("int $0x80" : "=a"(result) : "a"(20L) : "memory");
    return result > 0 ? 0 : KILLED;
}

static void seccomp_confine__calls_of_32_bits__are_none_at_all(void **state)
{
    int status = 0;
    pid_t child = fork();

    (void)state;
    if (child == 0)
        _exit(call_by_another_door());
    assert_int_equal(waitpid(child, &status, 0), child);
    if (status != 0)
        skip(); // this kernel has none
    assert_int_equal(confined(call_by_another_door, SANDBOX_CPU, SECCOMP_KILL),
                     KILLED);
}
#endif

static int ask_for_what_waits(void)
{
    int waiting;

    return outcome(ioctl(pair[0], FIONREAD, &waiting));
}

static void seccomp_confine__ioctl__is_for_a_gpus_worker(void **state)
{
    (void)state;
    assert_int_equal(confined(ask_for_what_waits, SANDBOX_CPU, SECCOMP_KILL),
                     ENOTTY);
    assert_int_equal(confined(ask_for_what_waits, SANDBOX_GPU, SECCOMP_KILL),
                     0);
}

static int let_go_of_the_gpu(void)
{
    struct error e = {0};

    if (ask_for_what_waits() != 0 ||
        seccomp_confine(SANDBOX_CPU, SECCOMP_KILL, &e) < 0)
        return EIO;
    return ask_for_what_waits() == ENOTTY && make_thread() == 0 ? 0 : EIO;
}

static void seccomp_confine__twice__takes_more_away(void **state)
{
    (void)state;
    assert_int_equal(confined(let_go_of_the_gpu, SANDBOX_GPU, SECCOMP_KILL), 0);
}

static pthread_barrier_t barrier;

static void *try_a_socket(void *result)
{
    (void)pthread_barrier_wait(&barrier); // older than the filter
    (void)pthread_barrier_wait(&barrier);
    *(int *)result = make_socket();
    return NULL;
}

static void seccomp_confine__older_thread__is_confined_too(void **state)
{
    int status = 0;
    pid_t child = fork();

    (void)state;
    if (child == 0) {
        struct error e = {0};
        pthread_t thread;
        int result = 0;
        (void)pthread_barrier_init(&barrier, NULL, 2);
        (void)pthread_create(&thread, NULL, try_a_socket, &result);
        (void)pthread_barrier_wait(&barrier);
        (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        int r = seccomp_confine(SANDBOX_CPU, SECCOMP_KILL, &e);
        (void)pthread_barrier_wait(&barrier);
        (void)pthread_join(thread, NULL);
        _exit(r == 0 && result == EACCES ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void seccomp_confine__to_name_calls__names_the_last(void **state)
{
    int kept = dup(STDERR_FILENO);
    char line[256] = "";
    int ends[2];

    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    int r = confined(run_a_program, SANDBOX_CPU, SECCOMP_NAME_AND_KILL);
    (void)dup2(kept, STDERR_FILENO);
    close(kept);
    close(ends[1]);
    ssize_t n = read(ends[0], line, sizeof(line) - 1);
    close(ends[0]);
    assert_int_equal(r, KILLED);
    assert_true(n > 0);
    assert_non_null(strstr(line, "'execve'"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seccomp_confine__calls__end_as_their_rows_say),
        cmocka_unit_test(seccomp_confine__raw_calls__end_as_their_rows_say),
#ifdef __x86_64__
        cmocka_unit_test(seccomp_confine__calls_of_32_bits__are_none_at_all),
#endif
        cmocka_unit_test(seccomp_confine__ioctl__is_for_a_gpus_worker),
        cmocka_unit_test(seccomp_confine__twice__takes_more_away),
        cmocka_unit_test(seccomp_confine__older_thread__is_confined_too),
        cmocka_unit_test(seccomp_confine__to_name_calls__names_the_last),
    };

    return cmocka_run_group_tests(tests, make_pair_before, close_pair);
}
