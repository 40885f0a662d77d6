/*
 * daemon: the root of everything that transcoded owns. Its parts know it and
 * find each other through it; they are created in the order of the fields and
 * destroyed in the contrary one.
 */
#ifndef DAEMON_DAEMON_H
#define DAEMON_DAEMON_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "access.h"
#include "model/configuration.h"
#include "places.h"

struct cgroup;
struct device_profiles;
struct error;
struct followers;
struct gauges;
struct heart;
struct diagnosing;
struct crew;
struct dispatcher;
struct inventory;
struct lending;
struct notify;
struct profiles;
struct server;
struct store;
struct surveyor;
struct watcher;

enum daemon_phase {
    DAEMON_SERVING,
    DAEMON_DRAINING, // SIGTERM has come: what can end in time may
    DAEMON_CLOSING,  // all jobs are settled
};

struct daemon {
    uv_loop_t loop;
    struct places places;
    struct configuration configuration;
    struct access_rules rules;     // borrows from the configuration
    gid_t output_group;            // ACCESS_NO_GROUP: the folder's
    struct profiles *profiles;     // owned
    struct device_profiles *cards; // owned; what is known of kinds of cards
    struct store *store;           // owned
    struct cgroup *groups;         // owned; of the workers
    struct followers *followers;   // owned
    struct inventory *inventory;   // owned
    struct lending *lending;       // owned
    struct crew *crew;             // owned
    struct surveyor *surveyor;     // owned
    struct watcher *watcher;       // owned
    struct gauges *gauges;         // owned
    struct dispatcher *dispatcher; // owned
    struct server *server;         // owned
    struct heart *heart;           // owned
    struct notify *notify;         // owned
    struct diagnosing *diagnosing; // owned; NULL: nobody asks

    uv_poll_t store_poll;
    uv_signal_t signals[4]; // TERM, INT, HUP, PIPE
    uv_timer_t stop_timer;  // the drain's end
    enum daemon_phase phase;
    int64_t started; // monotonic µs
};

/* Recovers the store, listens, says READY. 0 or -errno; daemon_close() in any
 * case. Consumes @places and @configuration. */
int daemon_open(struct daemon *ret, struct places *places,
                struct configuration *configuration, struct error *e);

/* Until a signal has ended it. */
void daemon_run(struct daemon *d);
void daemon_close(struct daemon *d);

/* The last job is settled: called by dispatcher while the daemon drains. */
void daemon_settled(struct daemon *d);

#endif
