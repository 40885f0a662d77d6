#include "pipeline/encoder.h"

#include <errno.h>
#include <stdlib.h>

#include <libavcodec/avcodec.h>
#include <libavutil/channel_layout.h>

#include "base/error.h"
#include "base/memory.h"
#include "media/averror.h"
#include "media/avlog.h"
#include "media/compat.h"
#include "media/hwdevice.h"
#include "media/plan.h"
#include "pipeline/blame.h"
#include "pipeline/item.h"
#include "pipeline/light.h"
#include "pipeline/pace.h"
#include "pipeline/pool.h"
#include "pipeline/regroup.h"
#include "pipeline/reorder.h"
#include "pipeline/sei.h"
#include "pipeline/stage.h"

/* Frames a second, where nothing says how many. */
#define USUAL_RATE 25

struct encoder {
    struct stage stage;
    struct encoder_config config;
    AVCodecContext *codec;   // owned; NULL before the first frame
    struct regroup *regroup; // owned; of sound in frames of one length
    AVRational frame_rate;   // 0/1: unknown, or sound
    struct pace pace;        // of pictures
    struct reorder reorder;  // likewise; of a device's encoder
    AVFrame *light;          // owned; what is said in the stream, or NULL
};

/* What a frame would have been, for a stream in which none came. */
static AVFrame *planned_frame(const struct encoder *c)
{
    const struct plan_track *track = c->config.track;
    AVFrame *frame = av_frame_alloc();

    if (!frame)
        return NULL;
    if (track->kind == MEDIA_VIDEO) {
        frame->width = track->video.width;
        frame->height = track->video.height;
        frame->format = track->video.format;
        return frame;
    }
    const AVCodec *codec = avcodec_find_encoder_by_name(track->encoder);
    frame->sample_rate = track->audio.sample_rate ? track->audio.sample_rate
                                                  : c->config.source_rate;
    frame->format = compat_encoder_sample_formats(codec)[0];
    av_channel_layout_default(&frame->ch_layout,
                              track->audio.channels < 2 ? 1 : 2);
    return frame;
}

/* The pool that its pictures will come from, or the device where none came. */
static int lend_device(struct encoder *c, const AVFrame *like)
{
    AVCodecContext *codec = c->codec;

    if (!c->config.device)
        return 0;
    if (!like->hw_frames_ctx) {
        codec->hw_device_ctx = av_buffer_ref(hwdevice_ref(c->config.device));
        return codec->hw_device_ctx ? 0 : -ENOMEM;
    }
    codec->sw_pix_fmt = c->config.track->video.format;
    codec->hw_frames_ctx = av_buffer_ref(like->hw_frames_ctx);
    return codec->hw_frames_ctx ? 0 : -ENOMEM;
}

static int describe_video(struct encoder *c, const AVFrame *like,
                          AVRational time_base)
{
    const struct plan_video *v = &c->config.track->video;
    AVCodecContext *codec = c->codec;

    pace_init(&c->pace, v->frame_rate, time_base, v->keyframe_interval);
    codec->width = like->width;
    codec->height = like->height;
    codec->pix_fmt = (enum AVPixelFormat)like->format;
    codec->sample_aspect_ratio = like->sample_aspect_ratio;
    codec->color_range = like->color_range;
    codec->color_primaries = like->color_primaries;
    codec->color_trc = like->color_trc;
    codec->colorspace = like->colorspace;
    codec->chroma_sample_location = like->chroma_location;
    codec->time_base = c->pace.time_base;
    codec->framerate = c->frame_rate = v->average_rate;
    // NVENC would take each tick of the time base for a frame, and find no
    // level that allows so many
    if (c->config.device && codec->framerate.num <= 0)
        codec->framerate = (AVRational){USUAL_RATE, 1};
    return lend_device(c, like);
}

static int describe_audio(struct encoder *c, const AVFrame *like)
{
    AVCodecContext *codec = c->codec;

    codec->sample_rate = like->sample_rate;
    codec->sample_fmt = (enum AVSampleFormat)like->format;
    codec->time_base = (AVRational){1, like->sample_rate};
    return av_channel_layout_copy(&codec->ch_layout, &like->ch_layout);
}

enum bitrate { BITRATE_PLANNED, BITRATE_OWN };

static int collect_options(const struct encoder *c, enum bitrate bitrate,
                           AVDictionary **ret)
{
    const struct plan_options *options = &c->config.track->options;
    int r = 0;

    for (size_t i = 0; r >= 0 && i < options->count; i++)
        r = av_dict_set(ret, options->list[i].name, options->list[i].value, 0);
    if (r >= 0 && bitrate == BITRATE_OWN)
        r = av_dict_set(ret, "b", NULL, 0);
    return r;
}

static int open_codec(struct encoder *c, const AVCodec *codec,
                      enum bitrate bitrate, struct error *e)
{
    AVDictionary *dictionary = NULL;

    int r = collect_options(c, bitrate, &dictionary);
    if (r >= 0)
        r = avcodec_open2(c->codec, codec, &dictionary);
    const AVDictionaryEntry *left =
        av_dict_get(dictionary, "", NULL, AV_DICT_IGNORE_SUFFIX);
    if (r < 0)
        r = averror_set(e, r, "encoder '%s' does not take these settings",
                        codec->name);
    else if (left)
        r = error_set(e, -EINVAL, "encoder '%s' has no option '%s'",
                      codec->name, left->key);
    av_dict_free(&dictionary);
    return r;
}

static int send_format(struct encoder *c, const AVFrame *like, struct error *e)
{
    AVCodecParameters *parameters = avcodec_parameters_alloc();

    if (!parameters ||
        avcodec_parameters_from_context(parameters, c->codec) < 0) {
        avcodec_parameters_free(&parameters);
        return error_set(e, -ENOMEM, "out of memory");
    }
    struct item *item =
        item_format(parameters, c->codec->time_base, c->frame_rate);
    item->format.light = light_take(like);
    if (c->codec->codec_id == AV_CODEC_ID_HEVC)
        c->light = light_take(like);
    return stage_send_all(&c->stage, item);
}

/* A fresh context for frames like @like, opened. */
static int try_codec(struct encoder *c, const AVCodec *codec,
                     enum bitrate bitrate, const AVFrame *like,
                     AVRational time_base, struct error *e)
{
    avcodec_free_context(&c->codec);
    c->codec = avcodec_alloc_context3(codec);
    if (!c->codec)
        return error_set(e, -ENOMEM, "out of memory");
    int r = c->config.track->kind == MEDIA_VIDEO
                ? describe_video(c, like, time_base)
                : describe_audio(c, like);
    if (r < 0)
        return error_set(e, -ENOMEM, "out of memory");
    if (c->config.global_header)
        c->codec->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    return open_codec(c, codec, bitrate, e);
}

static int open_encoder(struct encoder *c, const AVFrame *like,
                        AVRational time_base, struct error *e)
{
    const AVCodec *codec =
        avcodec_find_encoder_by_name(c->config.track->encoder);

    int r = try_codec(c, codec, BITRATE_PLANNED, like, time_base, e);
    if (r == -EINVAL && codec->type == AVMEDIA_TYPE_AUDIO) {
        // Vorbis has a range of bitrates for each rate and number of channels
        r = try_codec(c, codec, BITRATE_OWN, like, time_base, e);
        if (r == 0)
            av_log(c->codec, AV_LOG_WARNING,
                   "no such bitrate at %d Hz with %d channels: its own\n",
                   like->sample_rate, like->ch_layout.nb_channels);
    }
    if (r < 0)
        return r;
    reorder_init(&c->reorder, c->codec->has_b_frames);
    if (c->codec->codec_type == AVMEDIA_TYPE_AUDIO &&
        !(codec->capabilities & AV_CODEC_CAP_VARIABLE_FRAME_SIZE)) {
        c->regroup = regroup_create(like, c->codec->frame_size);
        if (!c->regroup)
            return error_set(e, -ENOMEM, "out of memory");
    }
    return send_format(c, like, e);
}

/* About how long a picture is shown, in the codec's time base. */
static int64_t length_of_picture(const struct encoder *c)
{
    return av_rescale_q(1, av_inv_q(c->codec->framerate), c->codec->time_base);
}

static int send_packet(struct encoder *c, AVPacket *packet, struct error *e)
{
    if (packet->flags & AV_PKT_FLAG_KEY && sei_insert(packet, c->light) < 0) {
        av_packet_free(&packet);
        return error_set(e, -ENOMEM, "out of memory");
    }
    // libav's NVENC makes decoding times by counting ticks of the time base as
    // if each were a frame, in most of its versions
    if (c->config.device)
        packet->dts =
            reorder_next(&c->reorder, packet->pts, length_of_picture(c));
    struct item *item = item_packet(packet, c->codec->time_base);

    // one that does not say how long it lasts lasts one frame
    if (!packet->duration && c->pace.even)
        packet->duration = 1;
    return stage_send_all(&c->stage, item);
}

/* Send what is ready. */
static int drain(struct encoder *c, struct error *e)
{
    for (;;) {
        AVPacket *packet = av_packet_alloc();
        if (!packet)
            return error_set(e, -ENOMEM, "out of memory");
        int r = avcodec_receive_packet(c->codec, packet);
        if (r == AVERROR(EAGAIN) || r == AVERROR_EOF) {
            av_packet_free(&packet);
            return 0;
        }
        if (r < 0) {
            av_packet_free(&packet);
            return averror_set(e, r, "cannot encode");
        }
        r = send_packet(c, packet, e); // consumes
        if (r < 0)
            return r;
    }
}

static int encode(struct encoder *c, const AVFrame *frame, struct error *e)
{
    int r = avcodec_send_frame(c->codec, frame);

    if (r < 0 && r != AVERROR_EOF)
        return averror_set(e, r, "cannot encode");
    return drain(c, e);
}

static int encode_picture(struct encoder *c, AVFrame *frame,
                          AVRational time_base, struct error *e)
{
    frame->pts = pace_place(&c->pace, frame->pts, time_base);
    if (frame->pts < 0)
        return 0; // two in one place
    if (frame->hw_frames_ctx) {
        int r = pool_adopt(c->codec->hw_frames_ctx, frame, e);
        if (r < 0)
            return r;
    }
    frame->pict_type = pace_wants_key(&c->pace, frame->pts)
                           ? AV_PICTURE_TYPE_I
                           : AV_PICTURE_TYPE_NONE;
    return encode(c, frame, e);
}

static int encode_groups(struct encoder *c, enum regroup_rest rest,
                         struct error *e)
{
    AVFrame *frame = NULL;
    int r;

    while ((r = regroup_pull(c->regroup, rest, &frame)) > 0) {
        r = encode(c, frame, e);
        av_frame_free(&frame);
        if (r < 0)
            return r;
    }
    return r < 0 ? error_set(e, r, "out of memory") : 0;
}

static int encode_sound(struct encoder *c, AVFrame *frame, AVRational time_base,
                        struct error *e)
{
    frame->pts = av_rescale_q(frame->pts, time_base, c->codec->time_base);
    if (!c->regroup)
        return encode(c, frame, e);
    if (regroup_push(c->regroup, frame) < 0)
        return error_set(e, -ENOMEM, "out of memory");
    return encode_groups(c, REGROUP_KEEP, e);
}

static int finish(struct encoder *c, struct error *e)
{
    int r = 0;

    if (!c->codec) {
        AVFrame *like = planned_frame(c);
        r = like ? open_encoder(c, like, AV_TIME_BASE_Q, e)
                 : error_set(e, -ENOMEM, "out of memory");
        av_frame_free(&like);
    }
    if (r == 0 && c->regroup)
        r = encode_groups(c, REGROUP_GIVE, e);
    return r < 0 ? r : encode(c, NULL, e);
}

static int encode_frame(struct encoder *c, AVFrame *frame, AVRational time_base,
                        struct error *e)
{
    if (!c->codec) {
        int r = open_encoder(c, frame, time_base, e);
        if (r < 0)
            return r;
    }
    return c->codec->codec_type == AVMEDIA_TYPE_VIDEO
               ? encode_picture(c, frame, time_base, e)
               : encode_sound(c, frame, time_base, e);
}

static int work(struct encoder *c, struct item *item, struct error *e)
{
    if (!item)
        return finish(c, e);
    AVRational time_base = item->time_base;
    AVFrame *frame = item_take_frame(item);
    int r = encode_frame(c, frame, time_base, e);
    av_frame_free(&frame);
    return r < 0 ? r : 1;
}

static int process(struct stage *s, struct item *item, struct error *e)
{
    struct encoder *c = (struct encoder *)s;

    avlog_forget_errors();
    int r = work(c, item, e);
    if (r < 0 && c->config.device)
        return blame_device(s, c->config.device, OUTCOME_PART_ENCODE, r, e);
    return r;
}

static void destroy(struct stage *s)
{
    struct encoder *c = (struct encoder *)s;

    regroup_destroy(c->regroup);
    av_frame_free(&c->light);
    avcodec_free_context(&c->codec);
    stage_fini(s);
    free(c);
}

static const struct stage_ops ops = {
    .kind = "encoder",
    .blame = OUTCOME_BAD_REQUEST,
    .process = process,
    .destroy = destroy,
};

struct stage *encoder_create(const struct encoder_config *config)
{
    struct encoder *c = xcalloc(1, sizeof(*c));

    stage_init(&c->stage, &ops, "%s", config->track->encoder);
    c->config = *config;
    c->frame_rate = (AVRational){0, 1};
    return &c->stage;
}
