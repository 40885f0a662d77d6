#include "heart.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include "attempt.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "daemon.h"
#include "dispatcher.h"
#include "inventory.h"
#include "lending.h"
#include "methods.h"
#include "notify.h"
#include "store/store.h"
#include "watchdog.h"
#include "work.h"

#define BEAT_MOST   (10 * SECOND)
#define PRUNE_EVERY (600 * SECOND)

struct heart {
    struct daemon *daemon; // not owned
    uv_timer_t timer;
    int64_t beat;    // µs
    bool is_watched; // by the service manager
    bool has_complained;
    int64_t pruned; // monotonic µs, 0: never
};

/* When the first of the silent workers was to be pressed; 0: none is. */
static int64_t first_due(const struct dispatcher *j)
{
    int64_t first = planning_due(j);

    list_foreach (link, next, &j->works) {
        const struct work *w = list_entry(link, struct work, link);
        int64_t due = w->attempt ? attempt_due(w->attempt) : 0;
        if (due && (!first || due < first))
            first = due;
    }
    return first;
}

static void feed_watchdog(struct heart *h)
{
    const struct watchdog_signs signs = {
        .now = clock_now(),
        .store = store_busy_since(h->daemon->store),
        .due = first_due(h->daemon->dispatcher),
    };
    const char *complaint = watchdog_complaint(&signs, 2 * h->beat);

    if (!complaint)
        notify_alive(h->daemon->notify);
    else if (!h->has_complained)
        log_error(NULL, "the watchdog is not told that all is well: %s",
                  complaint);
    h->has_complained = complaint;
}

/* "; cuda:0 has 1 of 3 sessions", as far as that is known. Its length. */
static int describe_sessions(const struct daemon *d, const char *device,
                             char *ret, size_t size)
{
    struct lending_state state;
    char most[16] = "";

    if (!lending_state(d->lending, device, &state))
        return 0;
    if (state.limit != CAPACITY_UNKNOWN)
        (void)snprintf(most, sizeof(most), " of %" PRId32, state.limit);
    return snprintf(ret, size, "; %s has %" PRId32 "%s sessions", device,
                    state.own, most);
}

static void describe(const struct daemon *d, char *ret, size_t size)
{
    int64_t counts[STATE_COUNT];

    store_counts(d->store, counts);
    int used =
        snprintf(ret, size,
                 "%" PRId64 " running, %" PRId64 " paused, %" PRId64 " waiting",
                 counts[STATE_STARTING] + counts[STATE_RUNNING],
                 counts[STATE_PAUSED], counts[STATE_QUEUED]);
    for (const struct inventory_device *i = inventory_each(d->inventory, NULL);
         i && used > 0 && (size_t)used < size;
         i = inventory_each(d->inventory, i))
        used +=
            describe_sessions(d, i->survey.id, ret + used, size - (size_t)used);
}

static void prune(struct heart *h)
{
    const struct limits *l = &h->daemon->configuration.limits;
    int64_t now = clock_now();

    if (h->pruned && now - h->pruned < PRUNE_EVERY)
        return;
    h->pruned = now;
    store_prune(h->daemon->store, l->history_age, l->history_count, NULL, NULL);
}

static void on_beat(uv_timer_t *timer)
{
    struct heart *h = timer->data;
    const struct daemon *d = h->daemon;

    if (h->is_watched)
        feed_watchdog(h);
    if (d->phase == DAEMON_SERVING) {
        char status[256];
        describe(d, status, sizeof(status));
        notify_status(d->notify, status);
    }
    notify_flush(d->notify);
    prune(h);
    dispatcher_wake(d->dispatcher); // batch jobs age
}

struct heart *heart_start(struct daemon *d)
{
    struct heart *h = xcalloc(1, sizeof(*h));
    int64_t watchdog = notify_watchdog();

    h->daemon = d;
    h->is_watched = watchdog > 0;
    h->beat =
        h->is_watched && watchdog / 2 < BEAT_MOST ? watchdog / 2 : BEAT_MOST;
    h->timer.data = h;
    (void)uv_timer_init(&d->loop, &h->timer);
    (void)uv_timer_start(&h->timer, on_beat, (uint64_t)(h->beat / MILLISECOND),
                         (uint64_t)(h->beat / MILLISECOND));
    on_beat(&h->timer); // whoever hears that we are ready knows the rest, too
    return h;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void heart_stop(struct heart *h)
{
    if (h)
        uv_close((uv_handle_t *)&h->timer, on_closed);
}
