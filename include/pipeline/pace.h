/*
 * pace: the timestamps that an encoder of pictures is given. Pure.
 *
 * Where frames come at an even rate, each gets a number: what jitter the
 * container put on its time goes, a frame that comes twice in one place is
 * dropped, and a gap stays a gap. Where they do not, times stay as they are,
 * and only must grow.
 */
#ifndef PIPELINE_PACE_H
#define PIPELINE_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include <libavutil/rational.h>

struct pace {
    bool even;
    AVRational time_base; // of the encoder
    int64_t next;         // the least timestamp that is free
    double phase;         // of the last frame: how much later than its number
    int64_t interval;     // µs between forced key frames, 0: none
    int64_t forced;       // how many intervals have begun with one
};

/* @frame_rate 0/1: uneven; then times count in @time_base. */
void pace_init(struct pace *p, AVRational frame_rate, AVRational time_base,
               int64_t keyframe_interval);

/* The frame's timestamp for the encoder, or -1 when it has to be dropped. */
int64_t pace_place(struct pace *p, int64_t pts, AVRational time_base);

/* Does the frame placed at @pts have to be a key frame? Asked once a frame. */
bool pace_wants_key(struct pace *p, int64_t pts);

#endif
