/*
 * stamps: the times of an output track's packets, on the clock of its container
 * and in an order that containers take. Pure but for the packet.
 */
#ifndef PIPELINE_STAMPS_H
#define PIPELINE_STAMPS_H

#include <stdbool.h>
#include <stdint.h>

#include <libavcodec/avcodec.h>

struct stamps {
    bool is_copied;   // the packets are the input's own
    bool is_strict;   // the container wants each decoding time to grow
    int64_t last_dts; // on the container's clock
    int64_t samples;  // state of av_rescale_delta(), of copied sound
};

void stamps_init(struct stamps *s);

/*
 * Put @packet of a stream of @par (which is only read), whose times are in @from, @shift µs later
 * and on the clock @to. One that does not fit behind the one before it is moved
 * as little as possible. Unknown times (AV_NOPTS_VALUE) stay unknown.
 */
void stamps_place(struct stamps *s, AVPacket *packet, AVCodecParameters *par,
                  AVRational from, AVRational to, int64_t shift);

#endif
