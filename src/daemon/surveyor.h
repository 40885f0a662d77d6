/*
 * surveyor: has `transcoded-worker --survey` look at the GPUs, in a process
 * with a time limit, and puts what it says into the inventory. At the start,
 * and again when somebody doubts a device.
 *
 * Drivers hang and crash: a survey that does leaves the inventory as it was,
 * with words. It, one that others kept from trying all, and one that found no
 * card (its driver may be loaded later) is taken again after growing pauses.
 * Nothing here waits.
 */
#ifndef DAEMON_SURVEYOR_H
#define DAEMON_SURVEYOR_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct cgroup;
struct inventory;
struct surveyor;

struct surveyor_config {
    const char *program; // transcoded-worker
    int64_t timeout;     // µs
    int64_t again;       // µs, the first pause before one that is taken again
    size_t log_lines;
    const struct cgroup *group; // not owned
};

struct surveyor_ops {
    /* One is under way: it takes a session of each card, for moments. */
    void (*begins)(void *user);
    /* It has ended, and the inventory is up to date. */
    void (*surveyed)(void *user);
};

/* Begins the first survey. @cache is the file in which surveys keep what they
 * found. */
struct surveyor *surveyor_create(uv_loop_t *loop, struct inventory *inventory,
                                 const char *cache,
                                 const struct surveyor_config *config,
                                 const struct surveyor_ops *ops, void *user);
void surveyor_destroy(struct surveyor *s); // NULL is allowed

/* From the next survey on. */
void surveyor_configure(struct surveyor *s,
                        const struct surveyor_config *config);

/* Survey once more; what the device @uuid can is tried and not remembered,
 * NULL: of every device. If a survey is under way another one follows it. */
void surveyor_again(struct surveyor *s, const char *uuid);

#endif
