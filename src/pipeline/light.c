#include "pipeline/light.h"

#include <errno.h>
#include <string.h>

#include <libavutil/frame.h>

#include "media/compat.h"

static const struct {
    enum AVFrameSideDataType of_frame;
    enum AVPacketSideDataType of_stream; // the same bytes
} kinds[] = {
    {AV_FRAME_DATA_MASTERING_DISPLAY_METADATA,
     AV_PKT_DATA_MASTERING_DISPLAY_METADATA},
    {AV_FRAME_DATA_CONTENT_LIGHT_LEVEL, AV_PKT_DATA_CONTENT_LIGHT_LEVEL},
};

#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

AVFrame *light_take(const AVFrame *frame)
{
    AVFrame *light = NULL;

    for (size_t i = 0; i < KINDS; i++) {
        const AVFrameSideData *from =
            av_frame_get_side_data(frame, kinds[i].of_frame);
        if (!from)
            continue;
        light = light ? light : av_frame_alloc();
        AVFrameSideData *to =
            light ? av_frame_new_side_data(light, from->type, from->size)
                  : NULL;
        if (to)
            memcpy(to->data, from->data, from->size);
    }
    return light;
}

int light_give(AVStream *st, const AVFrame *light)
{
    for (size_t i = 0; light && i < KINDS; i++) {
        const AVFrameSideData *from =
            av_frame_get_side_data(light, kinds[i].of_frame);
        if (!from)
            continue;
        uint8_t *to =
            compat_stream_new_side_data(st, kinds[i].of_stream, from->size);
        if (!to)
            return -ENOMEM;
        memcpy(to, from->data, from->size);
    }
    return 0;
}
