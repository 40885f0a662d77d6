/*
 * info: what an input is, as plain data: what planning reads.
 *
 * Filled by media/inspect.h from an opened input, or by a test.
 */
#ifndef MEDIA_INFO_H
#define MEDIA_INFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <libavcodec/codec_id.h>
#include <libavutil/pixfmt.h>
#include <libavutil/rational.h>

enum media_kind {
    MEDIA_OTHER, // data, attachments
    MEDIA_VIDEO,
    MEDIA_AUDIO,
    MEDIA_SUBTITLE,
    MEDIA_KIND_COUNT
};

/* How a picture has to be turned to stand upright. */
enum media_turn {
    MEDIA_UPRIGHT,
    MEDIA_CLOCK,
    MEDIA_CLOCK_FLIP,
    MEDIA_HALF,
    MEDIA_COUNTER,
    MEDIA_COUNTER_FLIP,
    MEDIA_HFLIP,
    MEDIA_VFLIP,
    MEDIA_TURN_COUNT
};

struct media_stream {
    enum media_kind kind;
    enum AVCodecID codec;
    bool decodable; // there is a decoder
    bool text;      // of a subtitle: no pictures
    bool picture;   // an attached one: no video
    bool preferred; // disposition "default"
    bool encrypted;
    int width; // pixels as coded, 0 unknown
    int height;
    AVRational aspect;         // of one pixel, 0/1 unknown
    AVRational frame_rate;     // 0/1 unknown or variable
    AVRational average_rate;   // 0/1 unknown
    enum AVPixelFormat format; // AV_PIX_FMT_NONE: not known before decoding
    int depth;                 // bits a sample
    enum media_turn turn;
    int channels;
    int sample_rate; // Hz
};

struct media_info {
    char format[48];              // libav's name: "mov,mp4,m4a,3gp,3g2,mj2"
    bool image;                   // one still picture
    bool passes;                  // a pipe: what was read of it is gone
    int64_t start;                // µs, of the earliest stream
    int64_t duration;             // µs, -1 unknown
    struct media_stream *streams; // owned
    size_t stream_count;
};

void media_info_fini(struct media_info *info);

/* "video", "audio", "subtitle", "data". */
const char *media_kind_name(enum media_kind kind);

/* Does it change places of width and height? */
bool media_turn_swaps(enum media_turn turn);

#endif
