/*
 * calls: the system calls of a worker, as a table. What is in no row ends it.
 */
#ifndef SANDBOX_CALLS_H
#define SANDBOX_CALLS_H

#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* In a test: the process's own id. */
#define CALLS_SELF UINT64_MAX

enum calls_worker { CALLS_ALL, CALLS_WITH_GPU, CALLS_WITHOUT_GPU };

struct calls_row {
    const char *names; // with blanks between; unknown ones are left out
    int error;         // to refuse with, 0: allowed
    enum calls_worker worker;
    // for some arguments only; rows of the same call must not overlap
    bool has_test;
    struct scmp_arg_cmp test;
};

extern const struct calls_row calls[];
extern const size_t calls_count;

#endif
