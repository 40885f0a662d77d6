/*
 * level: what the levels of H.264 and HEVC allow, as tables. Pure.
 *
 * A CPU's encoder takes a level as a label; NVENC refuses one that does not
 * fit.
 */
#ifndef MEDIA_LEVEL_H
#define MEDIA_LEVEL_H

#include <stdint.h>

#include <libavcodec/codec_id.h>
#include <libavutil/rational.h>

struct level {
    const char *name;
    int number;       // 10 × "4.1", for clamps
    int64_t picture;  // H.264: macroblocks; HEVC: luma samples
    int64_t rate;     // of them a second
    int64_t bit_rate; // bit/s
};

/* By name, "4" and "4.0" are the same; NULL: there is none. */
const struct level *level_find(enum AVCodecID codec, const char *name);

/* The least that allows it; the highest where none does; NULL: the codec has
 * no levels. @frame_rate 0/1: unknown. */
const struct level *level_least(enum AVCodecID codec, int width, int height,
                                AVRational frame_rate);

/* The highest whose number is at most @number, 0: of all. NULL: the codec has
 * no levels. */
const struct level *level_highest(enum AVCodecID codec, int number);

#endif
