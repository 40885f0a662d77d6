/*
 * fault: what goes wrong on demand, and the one way to say that a client did
 * something wrong.
 */
#ifndef VGPU_FAULT_H
#define VGPU_FAULT_H

#include <stdbool.h>

enum fault {
    FAULT_CREATE,
    FAULT_DECODE,
    FAULT_MAP,
    FAULT_LAUNCH,
    FAULT_ALLOC,
    FAULT_ENCODE,
    FAULT_LOCK,
    FAULT_HANG,
    FAULT_CRASH,
    FAULT_COUNT
};

/*
 * Count one call of this kind: true when it is the one that shall fail. A
 * sticky fault loses the device from then on.
 */
bool fault_fires(enum fault f);

/* For ever, however the process is asked to stop. */
void fault_hang(void) __attribute__((noreturn));

/* As a driver's own bug would. */
void fault_crash(void) __attribute__((noreturn));

/* Say on standard error what a real driver has, and the stand-in has not. */
void fault_lack(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Count, and say on standard error, what a real driver need not forgive. */
void fault_misuse(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

#endif
