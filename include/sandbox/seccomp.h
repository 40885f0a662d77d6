/*
 * seccomp: which system calls a process may still make.
 *
 * The table is in calls.c. A call is allowed; or it is refused with an errno,
 * because honest libraries try it, too; or, in no row, it ends the process with
 * SIGSYS.
 */
#ifndef SANDBOX_SECCOMP_H
#define SANDBOX_SECCOMP_H

#include "sandbox/sandbox.h"

struct error;

enum seccomp_verdict {
    SECCOMP_KILL,
    SECCOMP_NAME_AND_KILL, // a line on standard error names the call
};

/*
 * For all threads of the process and those to come. May be called again: a
 * call must pass all filters. No new privileges must have been asked for
 * before. 0 or -errno; -ENOSYS, -EINVAL where the kernel has none.
 */
int seccomp_confine(enum sandbox_device device, enum seccomp_verdict verdict,
                    struct error *e);

#endif
