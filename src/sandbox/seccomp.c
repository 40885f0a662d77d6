#include "sandbox/seccomp.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "calls.h"

#define NAME_MOST 32

static const struct {
    enum scmp_filter_attr attribute;
    uint32_t value;
} attributes[] = {
    {SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS},
    {SCMP_FLTATR_CTL_NNP, 0}, // was done before, and may be refused by now
    {SCMP_FLTATR_CTL_TSYNC, 1},
    // older kernels slow a filtered process down, to keep threads of one
    // address space from guessing each other's secrets: here is one secret, the
    // media, and all threads know it
    {SCMP_FLTATR_CTL_SSB, 1},
    {SCMP_FLTATR_API_SYSRAWRC, 1},
};

static bool concerns(const struct calls_row *row, enum sandbox_device device)
{
    switch (row->worker) {
    case CALLS_ALL:
        return true;
    case CALLS_WITH_GPU:
        return device == SANDBOX_GPU;
    case CALLS_WITHOUT_GPU:
        return device == SANDBOX_CPU;
    }
    return false;
}

static int add_call(scmp_filter_ctx filter, const struct calls_row *row,
                    const char *name, struct error *e)
{
    struct scmp_arg_cmp test = row->test;
    int number = seccomp_syscall_resolve_name(name);

    if (number < 0)
        return 0; // not here, or only by another name
    if (test.datum_a == CALLS_SELF)
        test.datum_a = (uint64_t)getpid();
    uint32_t action =
        row->error ? SCMP_ACT_ERRNO((uint32_t)row->error) : SCMP_ACT_ALLOW;
    int r =
        seccomp_rule_add_array(filter, action, number, row->has_test, &test);
    return r < 0 ? error_set_errno(e, r, "no rule for '%s'", name) : 0;
}

static int add_row(scmp_filter_ctx filter, const struct calls_row *row,
                   struct error *e)
{
    const char *at = row->names;

    while (*at) {
        char name[NAME_MOST] = "";
        size_t length = strcspn(at, " ");
        memcpy(name, at, length < NAME_MOST ? length : NAME_MOST - 1);
        int r = add_call(filter, row, name, e);
        if (r < 0)
            return r;
        at += length + (at[length] == ' ');
    }
    return 0;
}

static int fill(scmp_filter_ctx filter, enum sandbox_device device,
                struct error *e)
{
    for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
        int r = seccomp_attr_set(filter, attributes[i].attribute,
                                 attributes[i].value);
        if (r < 0)
            return error_set_errno(e, r, "cannot set up a filter");
    }
    for (size_t i = 0; i < calls_count; i++) {
        if (!concerns(&calls[i], device))
            continue;
        int r = add_row(filter, &calls[i], e);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Memory is asked for here, and memory is not what a call was refused for. */
static void on_bad_call(int number, siginfo_t *info, void *context)
{
    char line[96];
    char *name =
        seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, info->si_syscall);

    (void)context;
    int n = snprintf(line, sizeof(line),
                     "sandbox: no row allows the system call '%s' (%d)\n",
                     name ? name : "?", info->si_syscall);
    (void)!write(STDERR_FILENO, line, (size_t)n);
    (void)signal(number, SIG_DFL);
    (void)raise(number);
    _exit(128 + number); // not reached: it was raised at ourselves
}

static int name_bad_calls(struct error *e)
{
    struct sigaction action = {.sa_sigaction = on_bad_call,
                               .sa_flags = SA_SIGINFO | SA_NODEFER};

    if (sigaction(SIGSYS, &action, NULL) < 0)
        return error_set_errno(e, -errno, "cannot name bad calls");
    return 0;
}

int seccomp_confine(enum sandbox_device device, enum seccomp_verdict verdict,
                    struct error *e)
{
    bool naming = verdict == SECCOMP_NAME_AND_KILL;
    scmp_filter_ctx filter =
        seccomp_init(naming ? SCMP_ACT_TRAP : SCMP_ACT_KILL_PROCESS);

    if (!filter)
        return error_set(e, -ENOMEM, "cannot make a filter");
    int r = fill(filter, device, e);
    if (r == 0 && naming)
        r = name_bad_calls(e);
    if (r == 0) {
        r = seccomp_load(filter);
        if (r < 0)
            error_set_errno(e, r, "the kernel takes no filter");
    }
    seccomp_release(filter);
    return r;
}
