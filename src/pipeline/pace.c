#include "pipeline/pace.h"

#include <math.h>

#include <libavutil/avutil.h>
#include <libavutil/mathematics.h>

#include "base/clock.h"

/* How far from its number a frame may be, in frames: more is a gap, or a frame
 * too many. */
#define TOLERANCE 0.6

void pace_init(struct pace *p, AVRational frame_rate, AVRational time_base,
               int64_t keyframe_interval)
{
    *p = (struct pace){
        .even = frame_rate.num > 0,
        .time_base = frame_rate.num > 0 ? av_inv_q(frame_rate) : time_base,
        .interval = keyframe_interval,
    };
}

/* The frame behind a gap is as late for its number as the one before was, or
 * else all that follow would be one off; but no later than the tolerance. */
static int64_t place_behind_gap(const struct pace *p, double place)
{
    int64_t number = llrint(place - p->phase);

    return fabs(place - (double)number) > TOLERANCE ? llrint(place) : number;
}

static int64_t place_even(struct pace *p, int64_t pts, AVRational from)
{
    double place = (double)pts * av_q2d(from) / av_q2d(p->time_base);
    double off = place - (double)p->next;

    if (off < -TOLERANCE)
        return -1;
    int64_t number = off > TOLERANCE ? place_behind_gap(p, place) : p->next;
    p->phase = place - (double)number;
    return number;
}

int64_t pace_place(struct pace *p, int64_t pts, AVRational time_base)
{
    int64_t place = p->even ? place_even(p, pts, time_base)
                            : av_rescale_q(pts, time_base, p->time_base);

    if (place < p->next)
        return -1;
    p->next = place + 1;
    return place;
}

bool pace_wants_key(struct pace *p, int64_t pts)
{
    if (!p->interval)
        return false;
    int64_t time = av_rescale_q(pts, p->time_base, AV_TIME_BASE_Q);
    if (time < p->forced * p->interval)
        return false;
    p->forced = time / p->interval + 1;
    return true;
}
