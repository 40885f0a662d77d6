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
