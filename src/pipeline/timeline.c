#include "pipeline/timeline.h"

#include <stdlib.h>

#include <libavutil/avutil.h>

#include "base/clock.h"
#include "base/memory.h"

/* A distance from the expected time that is no mere gap. */
#define JUMP (10 * SECOND)
/* What a packet may lie behind its stream, for rounding's sake. */
#define BEHIND (SECOND / 10)

struct track {
    int64_t next; // expected decoding time, on the continuous clock
};

struct timeline {
    bool may_jump;
    int64_t offset;
    int64_t last;         // decoding time of the last packet of any stream
    struct track *tracks; // owned
};

struct timeline *timeline_create(size_t streams, bool may_jump, int64_t offset)
{
    struct timeline *t = xcalloc(1, sizeof(*t));

    t->may_jump = may_jump;
    t->offset = offset;
    t->last = AV_NOPTS_VALUE;
    t->tracks = xcalloc(streams + 1, sizeof(*t->tracks));
    for (size_t i = 0; i < streams; i++)
        t->tracks[i].next = AV_NOPTS_VALUE;
    return t;
}

void timeline_destroy(struct timeline *t)
{
    if (!t)
        return;
    free(t->tracks);
    free(t);
}

static bool is_jump(const struct timeline *t, int64_t next, int64_t time)
{
    if (next != AV_NOPTS_VALUE)
        return time < next - JUMP || time > next + JUMP || time + BEHIND < next;
    // a stream's first packet has only its neighbours to be compared with
    return t->last != AV_NOPTS_VALUE &&
           (time < t->last - JUMP || time > t->last + JUMP);
}

int64_t timeline_shift(struct timeline *t, size_t stream, bool guides,
                       int64_t dts, int64_t pts, int64_t duration)
{
    struct track *track = &t->tracks[stream];
    int64_t own = dts != AV_NOPTS_VALUE ? dts : pts;

    if (!guides || own == AV_NOPTS_VALUE)
        return t->offset;

    int64_t time = own + t->offset;
    if (t->may_jump && dts != AV_NOPTS_VALUE && is_jump(t, track->next, time)) {
        int64_t expected =
            track->next != AV_NOPTS_VALUE ? track->next : t->last;
        t->offset += expected - time;
        time = expected;
    }
    track->next = time + (duration > 0 ? duration : 0);
    t->last = time;
    return t->offset;
}
