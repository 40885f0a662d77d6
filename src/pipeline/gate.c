#include "pipeline/gate.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/memory.h"

struct gate {
    pthread_mutex_t lock;
    pthread_cond_t opened;
    bool closed;
};

struct gate *gate_create(void)
{
    struct gate *g = xcalloc(1, sizeof(*g));

    pthread_mutex_init(&g->lock, NULL);
    pthread_cond_init(&g->opened, NULL);
    return g;
}

void gate_destroy(struct gate *g)
{
    if (!g)
        return;
    pthread_cond_destroy(&g->opened);
    pthread_mutex_destroy(&g->lock);
    free(g);
}

static void set_closed(struct gate *g, bool closed)
{
    pthread_mutex_lock(&g->lock);
    g->closed = closed;
    pthread_cond_broadcast(&g->opened);
    pthread_mutex_unlock(&g->lock);
}

void gate_close(struct gate *g)
{
    set_closed(g, true);
}

void gate_open(struct gate *g)
{
    set_closed(g, false);
}

void gate_pass(struct gate *g)
{
    pthread_mutex_lock(&g->lock);
    while (g->closed)
        pthread_cond_wait(&g->opened, &g->lock);
    pthread_mutex_unlock(&g->lock);
}
