#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/memory.h"
#include "pipeline/queue.h"

#define ITEMS 2000

static int *number(int n)
{
    return xmemdup(&n, sizeof(n));
}

struct sender {
    pthread_t thread;
    struct queue *queue;
    int items;
    int finish; // what it finishes with
    int result; // of the last send
};

static void *send_all(void *opaque)
{
    struct sender *s = opaque;

    for (int i = 0; i < s->items && s->result == 0; i++)
        s->result = queue_send(s->queue, number(i));
    queue_finish(s->queue, s->finish);
    return NULL;
}

static void start(struct sender *s)
{
    assert_int_equal(pthread_create(&s->thread, NULL, send_all, s), 0);
}

static int receive_number(struct queue *q, int *ret)
{
    void *item = NULL;
    int r = queue_receive(q, &item);

    if (r > 0)
        *ret = *(int *)item;
    free(item);
    return r;
}

static void queue__one_sender__keeps_the_order_and_ends(void **state)
{
    struct sender s = {.queue = queue_create(3, 1, free), .items = ITEMS};
    int n = -1;

    (void)state;
    start(&s);
    for (int i = 0; i < ITEMS; i++) {
        assert_int_equal(receive_number(s.queue, &n), 1);
        assert_int_equal(n, i);
    }
    assert_int_equal(receive_number(s.queue, &n), 0);
    pthread_join(s.thread, NULL);
    queue_destroy(s.queue);
}

static void queue__several_senders__ends_with_the_last(void **state)
{
    struct queue *q = queue_create(2, 3, free);
    struct sender s[3];
    int n = 0;
    int count = 0;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        s[i] = (struct sender){.queue = q, .items = ITEMS};
        start(&s[i]);
    }
    while (receive_number(q, &n) > 0)
        count++;
    assert_int_equal(count, 3 * ITEMS);
    for (size_t i = 0; i < 3; i++)
        pthread_join(s[i].thread, NULL);
    queue_destroy(q);
}

static void queue__sender_fails__receiver_gets_no_more(void **state)
{
    struct queue *q = queue_create(8, 2, free);
    int n = 0;

    (void)state;
    assert_int_equal(queue_send(q, number(1)), 0);
    queue_finish(q, -EIO);
    assert_int_equal(receive_number(q, &n), -ECANCELED);
    queue_finish(q, 0);
    assert_int_equal(receive_number(q, &n), -ECANCELED);
    queue_destroy(q);
}

static void queue__abandoned__releases_a_sender_that_waits(void **state)
{
    struct sender s = {.queue = queue_create(1, 1, free), .items = ITEMS};
    int n = 0;

    (void)state;
    start(&s);
    assert_int_equal(receive_number(s.queue, &n), 1);
    queue_abandon(s.queue);
    pthread_join(s.thread, NULL);
    assert_int_equal(s.result, -EPIPE);
    queue_destroy(s.queue);
}

static void *cancel(void *q)
{
    queue_cancel(q);
    return NULL;
}

static void queue__cancelled__releases_both_sides(void **state)
{
    struct sender s = {.queue = queue_create(1, 1, free), .items = ITEMS};
    pthread_t thread;
    int n = 0;

    (void)state;
    start(&s);
    assert_int_equal(pthread_create(&thread, NULL, cancel, s.queue), 0);
    while (receive_number(s.queue, &n) > 0)
        continue;
    assert_int_equal(receive_number(s.queue, &n), -ECANCELED);
    pthread_join(s.thread, NULL);
    pthread_join(thread, NULL);
    assert_int_equal(s.result, -ECANCELED);
    queue_destroy(s.queue);
}

struct settling {
    struct queue *queue;
    atomic_int done; // items that the receiver was done with when it settled
    int result;
};

static void *settle(void *opaque)
{
    struct settling *s = opaque;

    s->result = queue_send(s->queue, number(1));
    if (s->result == 0)
        s->result = queue_settle(s->queue);
    // the receiver has asked for more: it has nothing in its hands
    assert_int_equal(atomic_load(&s->done), 1);
    queue_finish(s->queue, 0);
    return NULL;
}

static void queue_settle__item_in_hand__waits_until_it_is_done(void **state)
{
    struct settling s = {.queue = queue_create(2, 1, free)};
    pthread_t thread;
    int n = 0;

    (void)state;
    assert_int_equal(pthread_create(&thread, NULL, settle, &s), 0);
    assert_int_equal(receive_number(s.queue, &n), 1);
    atomic_store(&s.done, 1); // the work
    assert_int_equal(receive_number(s.queue, &n), 0);
    pthread_join(thread, NULL);
    assert_int_equal(s.result, 0);
    queue_destroy(s.queue);
}

static void queue_settle__nobody_receives__returns(void **state)
{
    struct queue *q = queue_create(2, 1, free);

    (void)state;
    assert_int_equal(queue_send(q, number(1)), 0);
    queue_abandon(q);
    assert_int_equal(queue_settle(q), 0);
    queue_cancel(q);
    assert_int_equal(queue_settle(q), -ECANCELED);
    queue_destroy(q);
}

static void queue_destroy__not_empty__releases_the_items(void **state)
{
    struct queue *q = queue_create(4, 1, free);

    (void)state;
    assert_int_equal(queue_send(q, number(1)), 0);
    assert_int_equal(queue_send(q, number(2)), 0);
    queue_destroy(q); // LeakSanitizer looks
    queue_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(queue__one_sender__keeps_the_order_and_ends),
        cmocka_unit_test(queue__several_senders__ends_with_the_last),
        cmocka_unit_test(queue__sender_fails__receiver_gets_no_more),
        cmocka_unit_test(queue__abandoned__releases_a_sender_that_waits),
        cmocka_unit_test(queue__cancelled__releases_both_sides),
        cmocka_unit_test(queue_settle__item_in_hand__waits_until_it_is_done),
        cmocka_unit_test(queue_settle__nobody_receives__returns),
        cmocka_unit_test(queue_destroy__not_empty__releases_the_items),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
