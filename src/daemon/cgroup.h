/*
 * cgroup: a control group for each worker, below the one that the service
 * manager has delegated to the service (Delegate=): what a worker may have of
 * memory and processes, and a way to kill all of it at once.
 *
 * Without delegation, or without control groups at all, everything here does
 * nothing, which is said once.
 */
#ifndef DAEMON_CGROUP_H
#define DAEMON_CGROUP_H

#include <stddef.h>
#include <stdint.h>

struct cgroup;

/* Of each worker; 0: as much as there is. */
struct cgroup_limits {
    int64_t memory; // bytes, swap not included
    int64_t tasks;  // threads and processes
};

/* A worker's own group. Zeroed: it has none. */
struct cgroup_leaf {
    const struct cgroup *group; // not owned
    char name[24];
};

/* Moves this process into a group of its own beside the workers', for where
 * processes are no limits can be handed down. Never returns NULL. */
struct cgroup *cgroup_open(const struct cgroup_limits *limits);

/* The same with the workers' groups below @folder, which it owns from now on;
 * -1: there are none. */
struct cgroup *cgroup_create(int folder, const struct cgroup_limits *limits);

/* For workers that come from now on. */
void cgroup_configure(struct cgroup *g, const struct cgroup_limits *limits);

/* NULL is allowed. */
void cgroup_close(struct cgroup *g);

/* Put @pid, which has just been started, into a group of its own. @g may be
 * NULL. */
void cgroup_adopt(const struct cgroup *g, int pid, struct cgroup_leaf *ret);

/* Let it stand back for the others on the CPU, as nice(1) does within one
 * group. */
void cgroup_stand_back(const struct cgroup_leaf *l);

/* SIGKILL to all that is in it. */
void cgroup_kill(const struct cgroup_leaf *l);

/* Its process has exited: nothing of it stays. */
void cgroup_release(struct cgroup_leaf *l);

/* The path in @text, which is /proc/PID/cgroup, of the one group of version 2:
 * its length, with its beginning in *@ret, or 0. */
size_t cgroup_find_path(const char *text, const char **ret);

#endif
