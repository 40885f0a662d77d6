#include "pipeline/stage.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/memory.h"
#include "pipeline/item.h"
#include "pipeline/queue.h"

void stage_init(struct stage *s, const struct stage_ops *ops,
                const char *format, ...)
{
    va_list ap;

    s->ops = ops;
    s->blame = ops->blame;
    va_start(ap, format);
    (void)vsnprintf(s->name, sizeof(s->name), format, ap);
    va_end(ap);
}

void stage_fini(struct stage *s)
{
    free(s->out);
}

void stage_destroy(struct stage *s)
{
    if (s)
        s->ops->destroy(s);
}

size_t stage_connect(struct stage *s, struct queue *queue)
{
    s->out = xrealloc(s->out, s->out_count + 1, sizeof(*s->out));
    s->out[s->out_count] = (struct stage_out){.queue = queue};
    return s->out_count++;
}

void stage_connect_track(struct stage *s, struct queue *queue, size_t track)
{
    size_t output = stage_connect(s, queue);

    s->out[output].track = track;
}

/* Receive one item and give it to the ops. > 0: go on. */
static int step(struct stage *s, struct error *e)
{
    void *item = NULL;

    if (!s->in)
        return s->ops->process(s, NULL, e);

    int r = queue_receive(s->in, &item);
    if (r < 0)
        return r;
    if (r == 0) {
        r = s->ops->process(s, NULL, e);
        return r < 0 ? r : 0;
    }
    return s->ops->process(s, item, e);
}

int stage_run(struct stage *s, struct error *e)
{
    int r = s->ops->open ? s->ops->open(s, e) : 0;

    if (r == 0) {
        do {
            r = step(s, e);
            atomic_fetch_add(&s->steps, 1);
        } while (r > 0);
    }
    if (r == -EPIPE)
        r = 0; // those behind have all they want
    else if (r < 0 && r != -ECANCELED)
        error_wrap(e, "%s", s->name);

    if (r < 0 && s->ops->rescue)
        s->ops->rescue(s);
    if (s->in)
        queue_abandon(s->in);
    for (size_t i = 0; i < s->out_count; i++)
        queue_finish(s->out[i].queue, r);
    return r;
}

static bool all_closed(const struct stage *s)
{
    for (size_t i = 0; i < s->out_count; i++) {
        if (!s->out[i].closed)
            return false;
    }
    return true;
}

int stage_send(struct stage *s, size_t output, struct item *item)
{
    struct stage_out *out = &s->out[output];

    if (out->closed) {
        item_destroy(item);
        return all_closed(s) ? -EPIPE : 0;
    }
    int r = queue_send(out->queue, item);
    if (r == -EPIPE) {
        out->closed = true;
        r = all_closed(s) ? -EPIPE : 0;
    }
    return r;
}

int stage_send_all(struct stage *s, struct item *item)
{
    for (size_t i = 0; i + 1 < s->out_count; i++) {
        if (s->out[i].closed)
            continue;
        struct item *copy = item_clone(item);
        if (copy)
            copy->track = s->out[i].track;
        int r = copy ? stage_send(s, i, copy) : -ENOMEM;
        if (r < 0) {
            item_destroy(item);
            return r;
        }
    }
    item->track = s->out[s->out_count - 1].track;
    return stage_send(s, s->out_count - 1, item);
}

int stage_settle(struct stage *s)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < s->out_count; i++) {
        if (!s->out[i].closed)
            r = queue_settle(s->out[i].queue);
    }
    return r;
}
