#include "support/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define TICK 5 // ms

void loop_init(struct loop *l)
{
    assert_int_equal(uv_loop_init(&l->uv), 0);
    assert_int_equal(uv_timer_init(&l->uv, &l->tick), 0);
}

void loop_fini(struct loop *l)
{
    uv_close((uv_handle_t *)&l->tick, NULL);
    (void)uv_run(&l->uv, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&l->uv), 0);
}

static void on_tick(uv_timer_t *tick)
{
    (void)tick;
}

void loop_run_until(struct loop *l, bool (*is_so)(const void *scene),
                    const void *scene)
{
    int64_t end = clock_now() + LOOP_PATIENCE;

    (void)uv_timer_start(&l->tick, on_tick, TICK, TICK);
    while (!is_so(scene)) {
        assert_true(clock_now() < end);
        (void)uv_run(&l->uv, UV_RUN_ONCE);
    }
    (void)uv_timer_stop(&l->tick);
}

static void count_active(uv_handle_t *handle, void *count)
{
    if (uv_is_active(handle) && uv_has_ref(handle))
        ++*(size_t *)count;
}

bool loop_is_idle(const struct loop *l)
{
    size_t count = 0;

    uv_walk((uv_loop_t *)&l->uv, count_active, &count);
    return count == (size_t)uv_is_active((const uv_handle_t *)&l->tick);
}

struct due {
    const struct loop *loop;
    uint64_t time;
};

static void look_at(uv_handle_t *handle, void *due)
{
    const uv_timer_t *timer = (const uv_timer_t *)handle;
    struct due *d = due;

    if (handle->type != UV_TIMER || !uv_is_active(handle) ||
        timer == &d->loop->tick)
        return;
    uint64_t time = uv_now(handle->loop) + uv_timer_get_due_in(timer);
    if (time > d->time)
        d->time = time;
}

uint64_t loop_due(struct loop *l)
{
    struct due due = {.loop = l};

    uv_walk(&l->uv, look_at, &due);
    return due.time;
}
