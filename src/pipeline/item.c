#include "pipeline/item.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#include "base/memory.h"
#include "pipeline/light.h"

static struct item *create(enum item_kind kind, AVRational time_base)
{
    struct item *item = xcalloc(1, sizeof(*item));

    item->kind = kind;
    item->time_base = time_base;
    return item;
}

struct item *item_packet(AVPacket *packet, AVRational time_base)
{
    struct item *item = create(ITEM_PACKET, time_base);

    item->packet = packet;
    return item;
}

struct item *item_frame(AVFrame *frame, AVRational time_base)
{
    struct item *item = create(ITEM_FRAME, time_base);

    item->frame = frame;
    return item;
}

struct item *item_format(AVCodecParameters *parameters, AVRational time_base,
                         AVRational frame_rate)
{
    struct item *item = create(ITEM_FORMAT, time_base);

    item->format.parameters = parameters;
    item->format.frame_rate = frame_rate;
    return item;
}

static AVCodecParameters *clone_parameters(const AVCodecParameters *from)
{
    AVCodecParameters *copy = avcodec_parameters_alloc();

    if (copy && avcodec_parameters_copy(copy, from) < 0)
        avcodec_parameters_free(&copy);
    return copy;
}

static int copy_content(struct item *copy, const struct item *item)
{
    switch (item->kind) {
    case ITEM_NONE:
        break;
    case ITEM_PACKET:
        copy->packet = av_packet_clone(item->packet);
        return copy->packet ? 0 : -ENOMEM;
    case ITEM_FRAME:
        copy->frame = av_frame_clone(item->frame);
        return copy->frame ? 0 : -ENOMEM;
    case ITEM_FORMAT:
        copy->format.frame_rate = item->format.frame_rate;
        copy->format.parameters = clone_parameters(item->format.parameters);
        if (item->format.light)
            copy->format.light = light_take(item->format.light);
        return copy->format.parameters ? 0 : -ENOMEM;
    }
    return -EINVAL;
}

struct item *item_clone(const struct item *item)
{
    struct item *copy = create(item->kind, item->time_base);

    if (copy_content(copy, item) == 0)
        return copy;
    item_destroy(copy);
    return NULL;
}

void item_destroy(void *p)
{
    struct item *item = p;

    if (!item)
        return;
    switch (item->kind) {
    case ITEM_PACKET:
        av_packet_free(&item->packet);
        break;
    case ITEM_FRAME:
        av_frame_free(&item->frame);
        break;
    case ITEM_FORMAT:
        avcodec_parameters_free(&item->format.parameters);
        av_frame_free(&item->format.light);
        break;
    case ITEM_NONE:
        break;
    }
    free(item);
}

AVPacket *item_take_packet(struct item *item)
{
    AVPacket *packet = item->packet;

    assert(item->kind == ITEM_PACKET);
    free(item);
    return packet;
}

AVFrame *item_take_frame(struct item *item)
{
    AVFrame *frame = item->frame;

    assert(item->kind == ITEM_FRAME);
    free(item);
    return frame;
}
