/*
 * account: what lending keeps books of. For lending.c and census.c, which share
 * them.
 */
#ifndef DAEMON_ACCOUNT_H
#define DAEMON_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "capacity.h"
#include "lending.h"
#include "model/gpu_settings.h"
#include "quarantine.h"

/* What is lent of one device, and what is known of it. */
struct account {
    struct list link; // lending.accounts
    char id[16];
    char uuid[64];
    struct capacity capacity;
    struct quarantine quarantine;
    int32_t foreign;      // sessions, by the last sample
    int64_t foreign_vram; // bytes, likewise
    int64_t idle_vram;    // likewise, of our workers without a grant
    int64_t warm_vram;    // likewise, of the warm one
    struct loan warm;     // its pid; never granted anything
};

#define GONE_MOST 64

/* A worker that has ended a moment ago. */
struct gone {
    int pid;
    int64_t when; // monotonic µs
};

struct lending {
    struct inventory *inventory; // not owned
    struct list accounts;        // owned
    struct list loans;           // of loan, not owned
    struct gone gone[GONE_MOST];
    size_t next_gone;
    bool is_surveying;
    struct gpu_settings settings;
    const struct device_profiles *profiles; // not owned
    const struct lending_ops *ops;
    void *user;
};

#endif
