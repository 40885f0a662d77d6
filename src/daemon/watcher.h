/*
 * watcher: keeps `transcoded-worker --watch` running, and puts the samples that
 * it sends into the inventory. As long as there is a GPU, and only then.
 *
 * That process calls NVIDIA's driver: it may say anything, fall silent or die.
 * Then it is started again, after pauses that grow.
 */
#ifndef DAEMON_WATCHER_H
#define DAEMON_WATCHER_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

struct cgroup;
struct inventory;
struct inventory_device;
struct watcher;

struct watcher_config {
    const char *program; // transcoded-worker
    size_t log_lines;
    const struct cgroup *group; // not owned
    int64_t silence;            // µs without a sample after which it is killed
    int64_t pause_first;        // µs before it is started again,
    int64_t pause_most;         // and what that grows to
};

/* What suits a program that speaks each second. */
#define WATCHER_SILENCE     (30 * SECOND)
#define WATCHER_PAUSE_FIRST SECOND
#define WATCHER_PAUSE_MOST  (300 * SECOND)

/* Nothing is started before watcher_wake(). @sampled is called behind each
 * sample that the inventory has taken. */
struct watcher *watcher_create(uv_loop_t *loop, struct inventory *inventory,
                               const struct watcher_config *config,
                               void (*sampled)(void *user,
                                               struct inventory_device *device),
                               void *user);
void watcher_destroy(struct watcher *w); // NULL is allowed

/* From the next start on. */
void watcher_configure(struct watcher *w, const struct watcher_config *config);

/* The inventory has changed: is there anything to watch? */
void watcher_wake(struct watcher *w);

#endif
