#include "support/frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <libavutil/channel_layout.h>
#include <libavutil/pixdesc.h>
#include <libavutil/samplefmt.h>

AVFrame *frame_picture(int width, int height, enum AVPixelFormat format,
                       int64_t pts)
{
    AVFrame *frame = av_frame_alloc();

    assert_non_null(frame);
    frame->width = width;
    frame->height = height;
    frame->format = format;
    frame->pts = pts;
    assert_int_equal(av_frame_get_buffer(frame, 0), 0);
    for (int i = 0; i < AV_NUM_DATA_POINTERS && frame->buf[i]; i++)
        memset(frame->buf[i]->data, (int)(pts & 0x7f), frame->buf[i]->size);
    return frame;
}

AVFrame *frame_sound(int sample_rate, int channels, enum AVSampleFormat format,
                     int samples, int64_t pts)
{
    AVFrame *frame = av_frame_alloc();

    assert_non_null(frame);
    frame->sample_rate = sample_rate;
    frame->format = format;
    frame->nb_samples = samples;
    frame->pts = pts;
    av_channel_layout_default(&frame->ch_layout, channels);
    assert_int_equal(av_frame_get_buffer(frame, 0), 0);
    av_samples_set_silence(frame->extended_data, 0, samples, channels, format);
    return frame;
}
