#include "pipeline/reorder.h"

#include <string.h>

void reorder_init(struct reorder *r, int delay)
{
    *r = (struct reorder){
        .delay = delay < REORDER_MOST ? delay : REORDER_MOST,
    };
}

static void insert(struct reorder *r, int64_t pts)
{
    int i = r->count++;

    for (; i > 0 && r->waiting[i - 1] > pts; i--)
        r->waiting[i] = r->waiting[i - 1];
    r->waiting[i] = pts;
}

static int64_t take_smallest(struct reorder *r)
{
    int64_t smallest = r->waiting[0];

    r->count--;
    memmove(r->waiting, r->waiting + 1,
            (size_t)r->count * sizeof(r->waiting[0]));
    return smallest;
}

int64_t reorder_next(struct reorder *r, int64_t pts, int64_t duration)
{
    if (!r->count)
        r->first = pts;
    insert(r, pts);
    if (r->count > r->delay)
        return take_smallest(r);

    // as many frames before the first as are held back behind it
    int64_t dts = r->first - (r->delay - r->count + 1) * duration;
    return dts < pts ? dts : pts;
}
