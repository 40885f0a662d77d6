/*
 * compat: every difference between FFmpeg 5.1 and 8 that this program meets.
 *
 * Nowhere else is a version asked for. Each entry is spelled as the newest
 * version does it where that can be, so that old spellings fall away when an
 * old version does.
 */
#ifndef MEDIA_COMPAT_H
#define MEDIA_COMPAT_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavfilter/buffersrc.h>
#include <libavformat/avformat.h>
#include <libavutil/frame.h>

/* avio_alloc_context()'s write callback got a const buffer in lavf 61. */
#if LIBAVFORMAT_VERSION_MAJOR >= 61
typedef const uint8_t compat_write_byte;
#else
typedef uint8_t compat_write_byte;
#endif

/* Side data of a stream lives in its parameters since 6.1. */
#define COMPAT_SIDE_DATA_IN_PARAMETERS \
    (LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(60, 30, 100))

static inline const uint8_t *
compat_stream_side_data(const AVStream *st, enum AVPacketSideDataType type,
                        size_t *ret_size)
{
#if COMPAT_SIDE_DATA_IN_PARAMETERS
    const AVPacketSideData *sd = av_packet_side_data_get(
        st->codecpar->coded_side_data, st->codecpar->nb_coded_side_data, type);
    if (ret_size)
        *ret_size = sd ? sd->size : 0;
    return sd ? sd->data : NULL;
#else
    return av_stream_get_side_data(st, type, ret_size);
#endif
}

/* Room for @size bytes of it, which the stream owns; NULL without memory. */
static inline uint8_t *
compat_stream_new_side_data(AVStream *st, enum AVPacketSideDataType type,
                            size_t size)
{
#if COMPAT_SIDE_DATA_IN_PARAMETERS
    AVPacketSideData *sd = av_packet_side_data_new(
        &st->codecpar->coded_side_data, &st->codecpar->nb_coded_side_data, type,
        size, 0);
    return sd ? sd->data : NULL;
#else
    return av_stream_new_side_data(st, type, size);
#endif
}

/* Give a stream that is copied the side data of its original; false without
 * memory. Where it lives in the parameters it came with them. */
static inline bool compat_stream_copy_side_data(AVStream *out,
                                                const AVStream *in)
{
#if COMPAT_SIDE_DATA_IN_PARAMETERS
    (void)out;
    (void)in;
#else
    for (int i = 0; i < in->nb_side_data; i++) {
        const AVPacketSideData *from = &in->side_data[i];
        uint8_t *to = compat_stream_new_side_data(out, from->type, from->size);
        if (!to)
            return false;
        memcpy(to, from->data, from->size);
    }
#endif
    return true;
}

/* AVFrame.duration was pkt_duration before 6.0. */
static inline int64_t compat_frame_duration(const AVFrame *f)
{
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(57, 30, 100)
    return f->duration;
#else
    return f->pkt_duration;
#endif
}

static inline void compat_frame_set_duration(AVFrame *f, int64_t duration)
{
#if LIBAVUTIL_VERSION_INT >= AV_VERSION_INT(57, 30, 100)
    f->duration = duration;
#else
    f->pkt_duration = duration;
#endif
}

/* The lists of an encoder became a function in 7.1 and leave the struct. */
static inline const int *compat_encoder_rates(const AVCodec *codec)
{
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(61, 13, 100)
    const void *list = NULL;
    if (avcodec_get_supported_config(NULL, codec, AV_CODEC_CONFIG_SAMPLE_RATE,
                                     0, &list, NULL) < 0)
        return NULL;
    return list;
#else
    return codec->supported_samplerates;
#endif
}

static inline const enum AVSampleFormat *
compat_encoder_sample_formats(const AVCodec *codec)
{
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(61, 13, 100)
    const void *list = NULL;
    if (avcodec_get_supported_config(NULL, codec, AV_CODEC_CONFIG_SAMPLE_FORMAT,
                                     0, &list, NULL) < 0)
        return NULL;
    return list;
#else
    return codec->sample_fmts;
#endif
}

/* Ended by a layout of no channels; NULL where any will do. */
static inline const AVChannelLayout *
compat_encoder_layouts(const AVCodec *codec)
{
#if LIBAVCODEC_VERSION_INT >= AV_VERSION_INT(61, 13, 100)
    const void *list = NULL;
    if (avcodec_get_supported_config(
            NULL, codec, AV_CODEC_CONFIG_CHANNEL_LAYOUT, 0, &list, NULL) < 0)
        return NULL;
    return list;
#else
    return codec->ch_layouts;
#endif
}

/* A decoder on a device hands out its own surfaces, instead of copies of them.
 * 5.1 knows nothing else; later ones want to be told that the pool is sized for
 * it. */
#ifdef AV_HWACCEL_FLAG_UNSAFE_OUTPUT
#define COMPAT_HWACCEL_UNSAFE_OUTPUT AV_HWACCEL_FLAG_UNSAFE_OUTPUT
#else
#define COMPAT_HWACCEL_UNSAFE_OUTPUT 0
#endif

/* Since 7.0 a graph negotiates colour, so its source has to say it. */
static inline void compat_source_set_colour(AVBufferSrcParameters *p,
                                            const AVFrame *f)
{
#if LIBAVFILTER_VERSION_MAJOR >= 10
    p->color_space = f->colorspace;
    p->color_range = f->color_range;
#else
    (void)p;
    (void)f;
#endif
}

#endif
