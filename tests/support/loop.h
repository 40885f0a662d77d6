/*
 * loop: libuv's loop, turned until something is so. What takes for ever fails
 * the test.
 */
#ifndef SUPPORT_LOOP_H
#define SUPPORT_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/clock.h"

/* µs after which nothing will come any more. */
#define LOOP_PATIENCE (20 * SECOND)

struct loop {
    uv_loop_t uv;
    uv_timer_t tick; // so that it turns where nothing happens
};

void loop_init(struct loop *l);
/* Closes what is closing; nothing else may be left. */
void loop_fini(struct loop *l);

/* Turn it until @is_so says so of @scene, which it is asked before each turn. */
void loop_run_until(struct loop *l, bool (*is_so)(const void *scene),
                    const void *scene);

/* Does it wait for nothing? */
bool loop_is_idle(const struct loop *l);

/* When the last of its timers is due, by uv_now(), in ms; 0: there is none. */
uint64_t loop_due(struct loop *l);

#endif
