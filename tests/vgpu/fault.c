#include "fault.h"

#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "machine.h"
#include "settings.h"

// clang-format off
static const struct {
    const char *name;
    size_t setting; // the number of the call that shall fail
} faults[FAULT_COUNT] = {
    [FAULT_CREATE] = {"create", offsetof(struct settings, fail_create)},
    [FAULT_DECODE] = {"decode", offsetof(struct settings, fail_decode)},
    [FAULT_MAP]    = {"map",    offsetof(struct settings, fail_map)},
    [FAULT_LAUNCH] = {"launch", offsetof(struct settings, fail_launch)},
    [FAULT_ALLOC]  = {"alloc",  offsetof(struct settings, fail_alloc)},
    [FAULT_ENCODE] = {"encode", offsetof(struct settings, fail_encode)},
    [FAULT_LOCK]   = {"lock",   offsetof(struct settings, fail_lock)},
    [FAULT_HANG]   = {"hang",   offsetof(struct settings, hang_encode)},
    [FAULT_CRASH]  = {"crash",  offsetof(struct settings, crash_encode)},
};
// clang-format on

static atomic_llong calls[FAULT_COUNT];

bool fault_fires(enum fault f)
{
    const char *base = (const char *)settings();
    int64_t wanted = *(const int64_t *)(const void *)(base + faults[f].setting);
    int64_t number = ++calls[f];

    if (!wanted || number != wanted)
        return false;
    machine_count(COUNTER_FAULTS, 1);
    if (settings()->verbose > 1)
        fprintf(stderr, "vgpu: fault: %s %lld\n", faults[f].name,
                (long long)number);
    if (settings()->sticky)
        machine_lose();
    return true;
}

void fault_hang(void)
{
    sigset_t all;

    // A thread stuck in the kernel's part of the driver sees no signal either.
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    for (;;)
        pause();
}

void fault_crash(void)
{
    signal(SIGSEGV, SIG_DFL);
    raise(SIGSEGV);
    abort();
}

static void say(const char *format, va_list args)
{
    if (!settings()->verbose)
        return;
    fputs("vgpu: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

void fault_lack(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(format, args);
    va_end(args);
}

void fault_misuse(const char *format, ...)
{
    va_list args;

    machine_count(COUNTER_MISUSE, 1);
    va_start(args, format);
    say(format, args);
    va_end(args);
}
