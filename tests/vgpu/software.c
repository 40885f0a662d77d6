#include "software.h"

#include <stdlib.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavutil/pixdesc.h>

#define QUIET 100 // added to the level of what it logs

struct software {
    AVCodecContext *codec;
    AVFrame *unused; // what is put out
    AVPacket *packet;
    AVFrame *taken; // the buffer of the packet that is being decoded
    enum software_pick pick;
};

static int take_buffer(AVCodecContext *codec, AVFrame *frame, int flags)
{
    struct software *s = codec->opaque;
    int r = avcodec_default_get_buffer2(codec, frame, flags);

    if (r < 0)
        return r;
    if (s->pick == SOFTWARE_LAST)
        av_frame_unref(s->taken);
    if (!s->taken->buf[0])
        r = av_frame_ref(s->taken, frame);
    return r;
}

/* Or it might find the very driver that it is part of. */
static enum AVPixelFormat no_hardware(AVCodecContext *codec,
                                      const enum AVPixelFormat *offered)
{
    (void)codec;
    for (; *offered != AV_PIX_FMT_NONE; offered++) {
        const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(*offered);
        if (d && !(d->flags & AV_PIX_FMT_FLAG_HWACCEL))
            return *offered;
    }
    return AV_PIX_FMT_NONE;
}

struct software *software_create(const char *name, enum software_pick pick)
{
    const AVCodec *codec = avcodec_find_decoder_by_name(name);
    struct software *s = calloc(1, sizeof(*s));

    if (!s)
        abort();
    s->pick = pick;
    s->unused = av_frame_alloc();
    s->taken = av_frame_alloc();
    s->packet = av_packet_alloc();
    s->codec = codec ? avcodec_alloc_context3(codec) : NULL;
    if (!s->unused || !s->taken || !s->packet || !s->codec)
        goto fail;
    s->codec->opaque = s;
    s->codec->get_buffer2 = take_buffer;
    s->codec->get_format = no_hardware;
    s->codec->thread_count = 1;
    s->codec->log_level_offset = QUIET;
    s->codec->flags |= AV_CODEC_FLAG_OUTPUT_CORRUPT;
    s->codec->flags2 |= AV_CODEC_FLAG2_SHOW_ALL;
    if (avcodec_open2(s->codec, codec, NULL) < 0)
        goto fail;
    return s;

fail:
    software_destroy(s);
    return NULL;
}

void software_destroy(struct software *s)
{
    if (!s)
        return;
    avcodec_free_context(&s->codec);
    av_frame_free(&s->unused);
    av_frame_free(&s->taken);
    av_packet_free(&s->packet);
    free(s);
}

int software_decode(struct software *s, const struct bytes *packet,
                    AVFrame *picture)
{
    int r = av_new_packet(s->packet, (int)packet->size);

    if (r < 0)
        return r;
    memcpy(s->packet->data, packet->data, packet->size);
    av_frame_unref(s->taken);
    r = avcodec_send_packet(s->codec, s->packet);
    av_packet_unref(s->packet);
    while (avcodec_receive_frame(s->codec, s->unused) >= 0)
        av_frame_unref(s->unused);

    if (s->taken->buf[0]) {
        av_frame_unref(picture);
        av_frame_move_ref(picture, s->taken);
    }
    return r;
}
