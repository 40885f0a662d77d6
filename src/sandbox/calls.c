#include "calls.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <stdint.h>
#include <sys/prctl.h>

#include "sanitized.h"

// clang-format off
/* Tests of argument @n. */
#define IS(n, value)    {(n), SCMP_CMP_EQ, (value), 0}
#define NOT(n, value)   {(n), SCMP_CMP_NE, (value), 0}
#define LESS(n, value)  {(n), SCMP_CMP_LT, (value), 0}
#define MORE(n, value)  {(n), SCMP_CMP_GT, (value), 0}
#define HAS(n, bit)     {(n), SCMP_CMP_MASKED_EQ, (bit), (bit)}
#define HAS_NOT(n, bit) {(n), SCMP_CMP_MASKED_EQ, (bit), 0}

#define WHEN(...) .has_test = true, .test = __VA_ARGS__
#define ALLOW(list) .names = (list)
#define REFUSE(e, list) .names = (list), .error = (e)

const struct calls_row calls[] = {
    // memory
    {ALLOW("brk mmap munmap mremap mprotect madvise msync mincore mlock "
           "munlock membarrier memfd_create get_mempolicy set_mempolicy "
           "mbind mseal map_shadow_stack")},
    // threads, and no processes
#if !SANITIZED
    {ALLOW("clone"), WHEN(HAS(0, CLONE_THREAD))},
    {REFUSE(EPERM, "clone"), WHEN(HAS_NOT(0, CLONE_THREAD))},
#endif
    {REFUSE(ENOSYS, "clone3")}, // its flags lie where no filter can look
    {REFUSE(EPERM, "fork vfork")},
    {ALLOW("futex futex_waitv futex_wait futex_wake futex_requeue "
           "set_robust_list get_robust_list rseq set_tid_address exit "
           "exit_group restart_syscall arch_prctl")},
    // codecs tie threads to cores by their ids, which no row can know
    {ALLOW("sched_yield sched_getaffinity sched_setaffinity sched_getparam "
           "sched_getscheduler sched_getattr sched_get_priority_max "
           "sched_get_priority_min sched_rr_get_interval getpriority "
           "ioprio_get")},
    {REFUSE(EPERM, "sched_setscheduler sched_setparam sched_setattr "
                   "setpriority ioprio_set")},
    // about itself
    {ALLOW("getpid gettid getppid getuid geteuid getgid getegid getgroups "
           "getresuid getresgid getpgid getpgrp getsid getcpu getrusage "
           "times capget umask uname sysinfo getrandom getrlimit "
           "setrlimit")},
    {ALLOW("prlimit64"), WHEN(IS(0, 0))},
    {REFUSE(EPERM, "prlimit64"), WHEN(NOT(0, 0))},
#if !SANITIZED
    {ALLOW("prctl"), WHEN(IS(0, PR_SET_NAME))},
    {ALLOW("prctl"), WHEN(IS(0, PR_GET_NAME))}, // the next number
    {REFUSE(EPERM, "prctl"), WHEN(LESS(0, PR_SET_NAME))},
    {REFUSE(EPERM, "prctl"), WHEN(MORE(0, PR_GET_NAME))},
    {REFUSE(ECHILD, "wait4 waitid")},
#endif
    {REFUSE(EPERM, "capset personality setsid setpgid setgroups "
                   "migrate_pages move_pages syslog pidfd_open pidfd_getfd "
                   "userfaultfd")},
    // time
    {ALLOW("clock_gettime clock_getres clock_nanosleep nanosleep "
           "gettimeofday time timer_create timer_settime timer_gettime "
           "timer_getoverrun timer_delete timerfd_create timerfd_settime "
           "timerfd_gettime getitimer setitimer alarm")},
    // signals, to itself
    {ALLOW("rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending "
           "rt_sigsuspend rt_sigtimedwait sigaltstack signalfd4 pause")},
#if !SANITIZED
    {ALLOW("kill tgkill"), WHEN(IS(0, CALLS_SELF))},
    {REFUSE(EPERM, "kill tgkill"), WHEN(NOT(0, CALLS_SELF))},
    {REFUSE(EPERM, "tkill")},
#endif
    // descriptors, wherever they came from
    {ALLOW("read write readv writev pread64 pwrite64 preadv pwritev preadv2 "
           "pwritev2 lseek close close_range dup dup2 dup3 pipe pipe2 "
           "eventfd eventfd2 fsync fdatasync sync_file_range ftruncate "
           "fallocate fadvise64 readahead flock fstat fstatfs getdents "
           "getdents64 poll ppoll select pselect6 epoll_create "
           "epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2")},
    // not who shall get its signals
    {ALLOW("fcntl"), WHEN(IS(1, F_DUPFD))},
    {ALLOW("fcntl"), WHEN(IS(1, F_DUPFD_CLOEXEC))},
    {ALLOW("fcntl"), WHEN(IS(1, F_GETFD))},
    {ALLOW("fcntl"), WHEN(IS(1, F_SETFD))},
    {ALLOW("fcntl"), WHEN(IS(1, F_GETFL))},
    {ALLOW("fcntl"), WHEN(IS(1, F_SETFL))},
    {ALLOW("fcntl"), WHEN(IS(1, F_GETLK))},
    {ALLOW("fcntl"), WHEN(IS(1, F_SETLK))},
    {ALLOW("fcntl"), WHEN(IS(1, F_SETLKW))},
    {ALLOW("fcntl"), WHEN(IS(1, F_OFD_GETLK))},
    {ALLOW("fcntl"), WHEN(IS(1, F_OFD_SETLK))},
    {ALLOW("fcntl"), WHEN(IS(1, F_OFD_SETLKW))},
    {ALLOW("fcntl"), WHEN(IS(1, F_ADD_SEALS))},
    {ALLOW("fcntl"), WHEN(IS(1, F_GET_SEALS))},
    {REFUSE(ENOSYS, "copy_file_range splice sendfile")},
    // sockets that it has, and no others
    {ALLOW("sendto sendmsg recvfrom recvmsg shutdown getsockname getpeername "
           "getsockopt")},
    {REFUSE(EACCES, "socket socketpair connect bind listen accept accept4 "
                    "setsockopt")},
    // names: Landlock says which may be opened
    {ALLOW("open openat stat lstat newfstatat statx statfs access faccessat "
           "faccessat2 readlink readlinkat getcwd")},
    {REFUSE(ENOSYS, "openat2")},
    {REFUSE(EACCES, "creat truncate mkdir mkdirat rmdir unlink unlinkat "
                    "rename renameat renameat2 link linkat symlink symlinkat "
                    "mknod mknodat chdir fchdir")},
    {REFUSE(EPERM, "chmod fchmod fchmodat fchmodat2 chown fchown lchown "
                   "fchownat utime utimes futimesat utimensat setxattr "
                   "lsetxattr fsetxattr removexattr lremovexattr "
                   "fremovexattr")},
    {REFUSE(ENOTSUP, "getxattr lgetxattr fgetxattr listxattr llistxattr "
                     "flistxattr")},
    {REFUSE(ENOSYS, "inotify_init inotify_init1")},
    // a driver's language; without one nothing here is a terminal
    {ALLOW("ioctl"), .worker = CALLS_WITH_GPU},
    {REFUSE(ENOTTY, "ioctl"), .worker = CALLS_WITHOUT_GPU},
    // to seal itself once more
    {ALLOW("seccomp"), .worker = CALLS_WITH_GPU},
    // what others share with it
    {REFUSE(ENOSYS, "shmget shmat shmctl shmdt semget semop semctl msgget "
                    "msgsnd msgrcv msgctl mq_open io_uring_setup")},
#if SANITIZED
    {ALLOW("clone prctl wait4 waitid kill tgkill tkill ptrace")},
#endif
};
// clang-format on

const size_t calls_count = sizeof(calls) / sizeof(calls[0]);
