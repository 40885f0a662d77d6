#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "pipeline/gate.h"

#define WALKERS 4
#define ROUNDS  200

struct walker {
    pthread_t thread;
    struct gate *gate;
    atomic_int passed;
};

static void *walk(void *opaque)
{
    struct walker *w = opaque;

    gate_pass(w->gate);
    atomic_fetch_add(&w->passed, 1);
    return NULL;
}

static void start(struct walker *w, struct gate *gate)
{
    w->gate = gate;
    assert_int_equal(pthread_create(&w->thread, NULL, walk, w), 0);
}

/* Is it still at the gate after a while? */
static int waits(struct walker *w)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 30000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    return pthread_timedjoin_np(w->thread, NULL, &until) == ETIMEDOUT;
}

static void gate_pass__new__is_open(void **state)
{
    struct gate *gate = gate_create();

    (void)state;
    gate_pass(gate);
    gate_pass(gate);
    gate_open(gate); // once more harms nobody
    gate_pass(gate);
    gate_destroy(gate);
}

static void gate_pass__closed__waits_until_it_opens(void **state)
{
    struct gate *gate = gate_create();
    struct walker w = {0};

    (void)state;
    gate_close(gate);
    gate_close(gate); // is not counted
    start(&w, gate);
    assert_true(waits(&w));
    assert_int_equal(atomic_load(&w.passed), 0);
    gate_open(gate);
    pthread_join(w.thread, NULL);
    assert_int_equal(atomic_load(&w.passed), 1);
    gate_destroy(gate);
}

static void gate_open__many_wait__all_pass(void **state)
{
    struct gate *gate = gate_create();
    struct walker walkers[WALKERS] = {0};

    (void)state;
    gate_close(gate);
    for (int i = 0; i < WALKERS; i++)
        start(&walkers[i], gate);
    assert_true(waits(&walkers[WALKERS - 1]));
    gate_open(gate);
    for (int i = 0; i < WALKERS; i++) {
        pthread_join(walkers[i].thread, NULL);
        assert_int_equal(atomic_load(&walkers[i].passed), 1);
    }
    gate_destroy(gate);
}

static void gate_close__again__holds_the_next(void **state)
{
    struct gate *gate = gate_create();
    struct walker w = {0};

    (void)state;
    gate_close(gate);
    gate_open(gate);
    gate_pass(gate);
    gate_close(gate);
    start(&w, gate);
    assert_true(waits(&w));
    gate_open(gate);
    pthread_join(w.thread, NULL);
    gate_destroy(gate);
}

static void *walk_often(void *opaque)
{
    for (int i = 0; i < ROUNDS; i++)
        walk(opaque);
    return NULL;
}

/* Nobody is forgotten at the gate, whenever it is opened. */
static void gate__opened_and_closed_all_the_time__lets_all_pass(void **state)
{
    struct gate *gate = gate_create();
    struct walker w = {.gate = gate};

    (void)state;
    assert_int_equal(pthread_create(&w.thread, NULL, walk_often, &w), 0);
    while (atomic_load(&w.passed) < ROUNDS) {
        gate_close(gate);
        gate_open(gate);
    }
    pthread_join(w.thread, NULL);
    gate_destroy(gate);
}

static void gate_destroy__null__is_allowed(void **state)
{
    (void)state;
    gate_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gate_pass__new__is_open),
        cmocka_unit_test(gate_pass__closed__waits_until_it_opens),
        cmocka_unit_test(gate_open__many_wait__all_pass),
        cmocka_unit_test(gate_close__again__holds_the_next),
        cmocka_unit_test(gate__opened_and_closed_all_the_time__lets_all_pass),
        cmocka_unit_test(gate_destroy__null__is_allowed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
