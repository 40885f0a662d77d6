/*
 * item: what travels between the stages, tagged.
 *
 * A timestamp never travels without its time base: it is in the item.
 */
#ifndef PIPELINE_ITEM_H
#define PIPELINE_ITEM_H

#include <stddef.h>

#include <libavcodec/avcodec.h>

enum item_kind {
    ITEM_NONE,
    ITEM_PACKET,
    ITEM_FRAME,
    ITEM_FORMAT, // what the packets of a track will be; before the first one
};

struct item {
    enum item_kind kind;
    size_t track; // of the output, for a muxer; 0 else
    AVRational time_base;
    union {
        AVPacket *packet; // owned
        AVFrame *frame;   // owned
        struct {
            AVCodecParameters *parameters; // owned
            AVRational frame_rate;         // 0/1: unknown or variable
            AVFrame *light;                // owned; of pictures, or NULL
        } format;
    };
};

/* Each consumes what it is given. Never NULL. */
struct item *item_packet(AVPacket *packet, AVRational time_base);
struct item *item_frame(AVFrame *frame, AVRational time_base);
struct item *item_format(AVCodecParameters *parameters, AVRational time_base,
                         AVRational frame_rate);

/* Another one with references to the same data, or NULL without memory. Only
 * of packets and frames. */
struct item *item_clone(const struct item *item);

/* Takes void * because queues do. NULL is allowed. */
void item_destroy(void *item);

/* The packet or frame out of @item, which is destroyed. */
AVPacket *item_take_packet(struct item *item);
AVFrame *item_take_frame(struct item *item);

#endif
