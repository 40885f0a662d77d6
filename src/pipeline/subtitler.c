#include "pipeline/subtitler.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libavformat/avformat.h>

#include "base/error.h"
#include "base/memory.h"
#include "media/averror.h"
#include "media/plan.h"
#include "media/source.h"
#include "pipeline/item.h"
#include "pipeline/stage.h"

/* The longest text of one event; libav's encoders take no more either. */
#define TEXT_MOST    (64 << 10)

#define MILLISECONDS ((AVRational){1, 1000})

struct subtitler {
    struct stage stage;
    struct subtitler_config config;
    AVCodecContext *decoder; // owned
    AVCodecContext *encoder; // owned
};

static int open_decoder(struct subtitler *t, struct error *e)
{
    int r = avcodec_open2(t->decoder, t->decoder->codec, NULL);

    return r < 0 ? averror_set(e, r, "cannot open decoder '%s'",
                               t->decoder->codec->name)
                 : 0;
}

/* Styles travel in the header, which the encoder gets from the decoder. */
static int open_encoder(struct subtitler *t, struct error *e)
{
    const AVCodec *codec =
        avcodec_find_encoder_by_name(t->config.track->encoder);
    size_t size = (size_t)t->decoder->subtitle_header_size;

    t->encoder = avcodec_alloc_context3(codec);
    if (!t->encoder)
        return error_set(e, -ENOMEM, "out of memory");
    if (size) {
        t->encoder->subtitle_header = av_mallocz(size + 1);
        if (!t->encoder->subtitle_header)
            return error_set(e, -ENOMEM, "out of memory");
        memcpy(t->encoder->subtitle_header, t->decoder->subtitle_header, size);
        t->encoder->subtitle_header_size = (int)size;
    }
    t->encoder->time_base = MILLISECONDS;
    int r = avcodec_open2(t->encoder, codec, NULL);
    return r < 0 ? averror_set(e, r, "cannot open encoder '%s'", codec->name)
                 : 0;
}

static int send_format(struct subtitler *t, struct error *e)
{
    AVCodecParameters *parameters = avcodec_parameters_alloc();

    if (!parameters ||
        avcodec_parameters_from_context(parameters, t->encoder) < 0) {
        avcodec_parameters_free(&parameters);
        return error_set(e, -ENOMEM, "out of memory");
    }
    struct item *item =
        item_format(parameters, MILLISECONDS, (AVRational){0, 1});
    item->track = t->config.number;
    return stage_send(&t->stage, 0, item);
}

static int open_subtitler(struct stage *s, struct error *e)
{
    struct subtitler *t = (struct subtitler *)s;

    int r = open_decoder(t, e);
    if (r == 0)
        r = open_encoder(t, e);
    return r < 0 ? r : send_format(t, e);
}

/* The event's place: when the packet begins, and how long its text is shown. */
static void place(AVPacket *out, const AVPacket *in, AVRational time_base,
                  const AVSubtitle *text)
{
    int64_t begin = av_rescale_q(in->pts, time_base, MILLISECONDS);
    int64_t length = av_rescale_q(in->duration, time_base, MILLISECONDS);

    if (text->end_display_time && text->end_display_time != UINT32_MAX)
        length = text->end_display_time - text->start_display_time;
    out->pts = out->dts = begin + text->start_display_time;
    out->duration = length;
}

static int encode(struct subtitler *t, const AVPacket *in, AVRational time_base,
                  AVSubtitle *text, struct error *e)
{
    AVPacket *out = av_packet_alloc();

    if (!out || av_new_packet(out, TEXT_MOST) < 0) {
        av_packet_free(&out);
        return error_set(e, -ENOMEM, "out of memory");
    }
    place(out, in, time_base, text);
    text->pts = in->pts;
    text->end_display_time -= text->start_display_time;
    text->start_display_time = 0; // it is in the packet's time
    int size = avcodec_encode_subtitle(t->encoder, out->data, out->size, text);
    if (size <= 0) {
        av_packet_free(&out); // an event without text, or one that is too long
        return 0;
    }
    av_shrink_packet(out, size);
    struct item *item = item_packet(out, MILLISECONDS);
    item->track = t->config.number;
    return stage_send(&t->stage, 0, item);
}

static int convert(struct subtitler *t, AVPacket *packet, AVRational time_base,
                   struct error *e)
{
    AVSubtitle text = {0};
    int got = 0;

    int r = avcodec_decode_subtitle2(t->decoder, &text, &got, packet);
    if (r < 0 || !got || packet->pts == AV_NOPTS_VALUE)
        r = 0; // as the ffmpeg program: the others may be better
    else
        r = text.num_rects ? encode(t, packet, time_base, &text, e) : 0;
    if (got)
        avsubtitle_free(&text);
    return r;
}

static int process(struct stage *s, struct item *item, struct error *e)
{
    struct subtitler *t = (struct subtitler *)s;

    if (!item)
        return 0;
    AVRational time_base = item->time_base;
    AVPacket *packet = item_take_packet(item);
    int r = convert(t, packet, time_base, e);
    av_packet_free(&packet);
    return r < 0 ? r : 1;
}

static void destroy(struct stage *s)
{
    struct subtitler *t = (struct subtitler *)s;

    avcodec_free_context(&t->decoder);
    avcodec_free_context(&t->encoder);
    stage_fini(s);
    free(t);
}

static const struct stage_ops ops = {
    .kind = "subtitler",
    .blame = OUTCOME_BAD_INPUT,
    .open = open_subtitler,
    .process = process,
    .destroy = destroy,
};

static int create_decoder(struct subtitler *t, const AVStream *st,
                          struct error *e)
{
    const AVCodec *codec = avcodec_find_decoder(st->codecpar->codec_id);

    t->decoder = avcodec_alloc_context3(codec);
    if (!t->decoder)
        return error_set(e, -ENOMEM, "out of memory");
    t->decoder->pkt_timebase = st->time_base;
    int r = avcodec_parameters_to_context(t->decoder, st->codecpar);
    return r < 0 ? averror_set(e, r, "cannot take over stream parameters") : 0;
}

int subtitler_create(struct stage **ret, const struct subtitler_config *config,
                     struct error *e)
{
    struct subtitler *t = xcalloc(1, sizeof(*t));
    size_t stream = config->track->stream;

    stage_init(&t->stage, &ops, "stream %zu", stream);
    t->config = *config;
    int r =
        create_decoder(t, source_format(config->source)->streams[stream], e);
    if (r < 0) {
        destroy(&t->stage);
        return r;
    }
    *ret = &t->stage;
    return 0;
}
