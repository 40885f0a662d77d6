#include "pipeline/queue.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/memory.h"

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t not_full;
    pthread_cond_t not_empty;
    pthread_cond_t settled;
    void **items; // owned; a ring of @depth
    size_t depth;
    size_t first;
    size_t count;
    size_t senders; // that have not finished
    bool failed;    // a sender has, or the pipeline was cancelled
    bool cancelled;
    bool abandoned;
    bool asking; // the receiver waits, and has nothing in its hands
    void (*destroy)(void *item);
};

struct queue *queue_create(size_t depth, size_t senders,
                           void (*destroy)(void *item))
{
    struct queue *q = xcalloc(1, sizeof(*q));

    assert(depth > 0 && senders > 0);
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->not_full, NULL);
    pthread_cond_init(&q->not_empty, NULL);
    pthread_cond_init(&q->settled, NULL);
    q->items = xcalloc(depth, sizeof(*q->items));
    q->depth = depth;
    q->senders = senders;
    q->destroy = destroy;
    return q;
}

static void *take_first(struct queue *q)
{
    void *item = q->items[q->first];

    q->first = (q->first + 1) % q->depth;
    q->count--;
    return item;
}

static void drop_all(struct queue *q)
{
    while (q->count)
        q->destroy(take_first(q));
}

void queue_destroy(struct queue *q)
{
    if (!q)
        return;
    drop_all(q);
    pthread_cond_destroy(&q->settled);
    pthread_cond_destroy(&q->not_empty);
    pthread_cond_destroy(&q->not_full);
    pthread_mutex_destroy(&q->lock);
    free(q->items);
    free(q);
}

int queue_send(struct queue *q, void *item)
{
    int r = 0;

    pthread_mutex_lock(&q->lock);
    while (q->count == q->depth && !q->abandoned && !q->cancelled)
        pthread_cond_wait(&q->not_full, &q->lock);
    if (q->cancelled) {
        r = -ECANCELED;
    } else if (q->abandoned) {
        r = -EPIPE;
    } else {
        q->items[(q->first + q->count++) % q->depth] = item;
        pthread_cond_signal(&q->not_empty);
    }
    pthread_mutex_unlock(&q->lock);

    if (r < 0)
        q->destroy(item);
    return r;
}

int queue_receive(struct queue *q, void **ret_item)
{
    int r = 0;

    pthread_mutex_lock(&q->lock);
    q->asking = true;
    pthread_cond_broadcast(&q->settled);
    while (!q->count && q->senders && !q->failed)
        pthread_cond_wait(&q->not_empty, &q->lock);
    q->asking = false;
    if (q->failed) {
        r = -ECANCELED;
    } else if (q->count) {
        *ret_item = take_first(q);
        // senders sleep until half of it is empty: fewer turns, each longer
        if (q->count <= q->depth / 2)
            pthread_cond_broadcast(&q->not_full);
        r = 1;
    }
    pthread_mutex_unlock(&q->lock);
    return r;
}

int queue_settle(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    while ((q->count || !q->asking) && !q->abandoned && !q->cancelled)
        pthread_cond_wait(&q->settled, &q->lock);
    int r = q->cancelled ? -ECANCELED : 0;
    pthread_mutex_unlock(&q->lock);
    return r;
}

void queue_finish(struct queue *q, int result)
{
    pthread_mutex_lock(&q->lock);
    assert(q->senders > 0);
    q->senders--;
    q->failed |= result < 0;
    pthread_cond_signal(&q->not_empty);
    pthread_mutex_unlock(&q->lock);
}

void queue_abandon(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->abandoned = true;
    drop_all(q);
    pthread_cond_broadcast(&q->not_full);
    pthread_cond_broadcast(&q->settled);
    pthread_mutex_unlock(&q->lock);
}

void queue_cancel(struct queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->cancelled = true;
    q->failed = true;
    pthread_cond_broadcast(&q->not_full);
    pthread_cond_broadcast(&q->not_empty);
    pthread_cond_broadcast(&q->settled);
    pthread_mutex_unlock(&q->lock);
}
