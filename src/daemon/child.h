/*
 * child: a process of ours that is watched: a worker with its control socket,
 * or an opener. Its standard error is read and its last lines are kept.
 *
 * Exit and hang-up are two events. All that it said before it died has been
 * delivered when `exited` is called.
 */
#ifndef DAEMON_CHILD_H
#define DAEMON_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/log.h"
#include "task.h"

struct cgroup;
struct child;
struct error;
struct json_t;

struct child_ops {
    /* One document from the control socket. */
    void (*said)(void *user, const char *text, size_t size);
    /* The control socket ended before the process did. */
    void (*hung_up)(void *user, const struct error *e);
    /* The last call. The owner destroys. */
    void (*exited)(void *user, struct task_exit exit);
};

/* What becomes standard output where no descriptor does. */
#define CHILD_LOG     (-1)
#define CHILD_CONTROL (-2) // the control socket, for programs that only speak

struct child_config {
    const char *program;
    const char *const *arguments; // after argv[0], ended by NULL; may be NULL
    int input;                    // becomes 0; -1: /dev/null
    int output;                   // becomes 1; or CHILD_LOG, CHILD_CONTROL
    int channel;                  // becomes 3; -1: a control socket does
    size_t log_lines;             // of its standard error that are kept
    const struct cgroup *group;   // it gets one below; NULL: it stays in ours
};

/* The descriptors in @config stay the caller's. */
int child_spawn(struct child **ret, uv_loop_t *loop,
                const struct child_config *config, const struct log *parent,
                struct error *e);

/* From now on @user hears of it. */
void child_attach(struct child *c, const struct child_ops *ops, void *user);
/* Its log's lines are part of what @parent is about, which outlives it. */
void child_name(struct child *c, const struct log *parent);

/* SIGKILL if it lives; nobody hears of it any more. NULL is allowed. */
void child_destroy(struct child *c);

/* Borrows @document. @fds stay the caller's. 0 or -errno. */
int child_send(struct child *c, const struct json_t *document, const int *fds,
               size_t fd_count);

/* The ladder, from the lowest rung: ask, SIGTERM, SIGKILL, which the last rung
 * sends to its whole control group. */
void child_press(struct child *c);
void child_kill(struct child *c);

/* It was sent SIGKILL. */
bool child_is_killed(const struct child *c);

/* It does not die: nobody waits for it any more. */
void child_give_up(struct child *c);

/* Let it stand back for the others on the CPU and on disks. */
void child_lower_priority(struct child *c);

int child_pid(const struct child *c);

/* Its last lines, oldest first: a JSON array, a new reference. */
struct json_t *child_log_to_json(const struct child *c);

#endif
