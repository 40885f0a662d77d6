#include "hush.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/event.h"

// one report may still be of frames that were on their way
#define REPORTS_ENOUGH 2

void hush_keep(struct hush *h, const struct event *ev)
{
    h->went_on = 0;
    if (h->count == HUSH_MOST)
        return;
    h->lines[h->count++] = (struct hush_line){
        .level = ev->log.level,
        .text = xstrdup(ev->log.text),
    };
}

bool hush_progress(struct hush *h, const struct event *ev)
{
    if (ev->progress.frame > h->frame)
        h->went_on++;
    h->frame = ev->progress.frame;
    return h->count > 0 && h->went_on >= REPORTS_ENOUGH;
}

bool hush_take(struct hush *h, struct event *ret)
{
    if (h->count == 0)
        return false;
    *ret = (struct event){.kind = EVENT_LOG};
    ret->log.level = h->lines[0].level;
    ret->log.text = h->lines[0].text; // taken over
    h->count--;
    memmove(&h->lines[0], &h->lines[1], h->count * sizeof(h->lines[0]));
    return true;
}

void hush_fini(struct hush *h)
{
    for (size_t i = 0; i < h->count; i++)
        free(h->lines[i].text);
    *h = (struct hush){0};
}
