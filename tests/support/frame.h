/*
 * frame: pictures and sound made by hand. All of these assert.
 */
#ifndef SUPPORT_FRAME_H
#define SUPPORT_FRAME_H

#include <libavutil/frame.h>

/* One shade of grey, which @pts decides. The caller owns it. */
AVFrame *frame_picture(int width, int height, enum AVPixelFormat format,
                       int64_t pts);

/* Silence, in the usual layout of so many channels. The caller owns it. */
AVFrame *frame_sound(int sample_rate, int channels, enum AVSampleFormat format,
                     int samples, int64_t pts);

#endif
