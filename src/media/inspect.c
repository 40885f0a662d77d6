#include "media/inspect.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <libavutil/display.h>
#include <libavutil/pixdesc.h>

#include "base/error.h"
#include "base/memory.h"
#include "media/compat.h"
#include "media/sps.h"
#include "model/limits.h"

// clang-format off
/* Where decoders' configuration records say how deep samples are. */
static const struct {
    enum AVCodecID codec;
    int offset;
    uint8_t mask;
    uint8_t value; // of the masked byte
    int depth;     // bits
} records[] = {
    {AV_CODEC_ID_H264,  1, 0xff,   66,  8}, // avcC: the profile
    {AV_CODEC_ID_H264,  1, 0xff,   77,  8},
    {AV_CODEC_ID_H264,  1, 0xff,   88,  8},
    {AV_CODEC_ID_H264,  1, 0xff,  100,  8},
    {AV_CODEC_ID_H264,  1, 0xff,  110, 10},
    {AV_CODEC_ID_HEVC, 17, 0x07,    0,  8}, // hvcC: luma depth - 8
    {AV_CODEC_ID_HEVC, 17, 0x07,    2, 10},
    {AV_CODEC_ID_HEVC, 17, 0x07,    4, 12},
    {AV_CODEC_ID_AV1,   2, 0x60, 0x00,  8}, // av1C: high_bitdepth, twelve_bit
    {AV_CODEC_ID_AV1,   2, 0x60, 0x40, 10},
    {AV_CODEC_ID_AV1,   2, 0x60, 0x60, 12},
    {AV_CODEC_ID_VP9,   6, 0xf0, 0x80,  8}, // vpcC: bit depth
    {AV_CODEC_ID_VP9,   6, 0xf0, 0xa0, 10},
    {AV_CODEC_ID_VP9,   6, 0xf0, 0xc0, 12},
};
// clang-format on

/* Codecs that have no other. */
static const enum AVCodecID eight_bits[] = {
    AV_CODEC_ID_MPEG1VIDEO, AV_CODEC_ID_MPEG2VIDEO, AV_CODEC_ID_MPEG4,
    AV_CODEC_ID_H263,       AV_CODEC_ID_VP8,        AV_CODEC_ID_THEORA,
};

/* How deep samples are by what the header says, 0: it does not. */
static int depth_from_header(const AVCodecParameters *par)
{
    for (size_t i = 0; i < sizeof(eight_bits) / sizeof(eight_bits[0]); i++) {
        if (eight_bits[i] == par->codec_id)
            return 8;
    }
    for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
        if (records[i].codec == par->codec_id &&
            records[i].offset < par->extradata_size &&
            (par->extradata[records[i].offset] & records[i].mask) ==
                records[i].value)
            return records[i].depth;
    }
    return 0;
}

static int depth_of(const AVCodecParameters *par)
{
    const AVPixFmtDescriptor *d =
        av_pix_fmt_desc_get((enum AVPixelFormat)par->format);

    if (d)
        return d->comp[0].depth;
    int depth = depth_from_header(par);
    return depth ? depth : 8;
}

/* The same decisions as the ffmpeg program's, so that both show the same side
 * up. */
static enum media_turn turn_from_matrix(const int32_t *m)
{
    double angle = -round(av_display_rotation_get(m));

    angle -= 360 * floor(angle / 360 + 0.9 / 360);
    if (fabs(angle - 90) < 1)
        return m[3] > 0 ? MEDIA_COUNTER_FLIP : MEDIA_CLOCK;
    if (fabs(angle - 270) < 1)
        return m[3] < 0 ? MEDIA_CLOCK_FLIP : MEDIA_COUNTER;
    if (fabs(angle - 180) < 1) {
        if (m[0] < 0 && m[4] < 0)
            return MEDIA_HALF;
        return m[0] < 0 ? MEDIA_HFLIP : MEDIA_VFLIP;
    }
    return fabs(angle) < 1 && m[4] < 0 ? MEDIA_VFLIP : MEDIA_UPRIGHT;
}

static enum media_turn turn_of(const AVStream *st)
{
    size_t size = 0;
    const uint8_t *data =
        compat_stream_side_data(st, AV_PKT_DATA_DISPLAYMATRIX, &size);
    int32_t matrix[9];

    if (!data || size < sizeof(matrix))
        return MEDIA_UPRIGHT;
    memcpy(matrix, data, sizeof(matrix));
    return turn_from_matrix(matrix);
}

static enum media_kind kind_of(const AVCodecParameters *par)
{
    switch (par->codec_type) {
    case AVMEDIA_TYPE_VIDEO:
        return MEDIA_VIDEO;
    case AVMEDIA_TYPE_AUDIO:
        return MEDIA_AUDIO;
    case AVMEDIA_TYPE_SUBTITLE:
        return MEDIA_SUBTITLE;
    default:
        return MEDIA_OTHER;
    }
}

static bool is_encrypted(const AVStream *st)
{
    uint32_t tag = st->codecpar->codec_tag;

    return tag == MKTAG('e', 'n', 'c', 'v') ||
           tag == MKTAG('e', 'n', 'c', 'a') ||
           compat_stream_side_data(st, AV_PKT_DATA_ENCRYPTION_INIT_INFO,
                                   NULL) ||
           av_dict_get(st->metadata, "enc_key_id", NULL, 0); // Matroska's
}

static bool is_text(enum AVCodecID codec)
{
    const AVCodecDescriptor *d = avcodec_descriptor_get(codec);

    return d && (d->props & AV_CODEC_PROP_TEXT_SUB);
}

static void describe(struct media_stream *ret, const AVStream *st)
{
    const AVCodecParameters *par = st->codecpar;
    AVRational rate = st->avg_frame_rate;

    ret->kind = kind_of(par);
    ret->codec = par->codec_id;
    ret->decodable = avcodec_find_decoder(par->codec_id) != NULL;
    ret->text = ret->kind == MEDIA_SUBTITLE && is_text(par->codec_id);
    ret->picture = st->disposition & AV_DISPOSITION_ATTACHED_PIC;
    ret->preferred = st->disposition & AV_DISPOSITION_DEFAULT;
    ret->encrypted = is_encrypted(st);
    ret->width = par->width;
    ret->height = par->height;
    ret->aspect = st->sample_aspect_ratio.num ? st->sample_aspect_ratio
                                              : par->sample_aspect_ratio;
    ret->format = ret->kind == MEDIA_VIDEO ? (enum AVPixelFormat)par->format
                                           : AV_PIX_FMT_NONE;
    ret->depth = depth_of(par);
    ret->turn = turn_of(st);
    ret->channels = par->ch_layout.nb_channels;
    ret->sample_rate = par->sample_rate;
    ret->average_rate = (AVRational){0, 1};
    ret->frame_rate = (AVRational){0, 1};
    if (rate.num <= 0 || rate.den <= 0)
        return;
    ret->average_rate = rate;
    // the two differ where frames come at uneven times
    if (!st->r_frame_rate.num || av_cmp_q(rate, st->r_frame_rate) == 0)
        ret->frame_rate = rate;
}

static bool is_image(const char *format)
{
    size_t length = strlen(format);

    return strcmp(format, "image2") == 0 ||
           (length > 5 && strcmp(format + length - 5, "_pipe") == 0);
}

/* What the header says, or the longest stream: not all demuxers of all versions
 * say it of the whole before packets are looked at. */
static int64_t duration_of(const AVFormatContext *format)
{
    int64_t longest = -1;

    if (format->duration != AV_NOPTS_VALUE && format->duration > 0)
        return format->duration;
    for (unsigned i = 0; i < format->nb_streams; i++) {
        const AVStream *st = format->streams[i];
        if (st->duration == AV_NOPTS_VALUE || st->duration <= 0)
            continue;
        int64_t own = av_rescale_q(st->duration, st->time_base, AV_TIME_BASE_Q);
        longest = own > longest ? own : longest;
    }
    return longest;
}

void inspect_format(struct media_info *ret, const AVFormatContext *format)
{
    struct media_info info = {.duration = duration_of(format)};

    (void)snprintf(info.format, sizeof(info.format), "%s",
                   format->iformat->name);
    info.image = is_image(info.format);
    info.stream_count = format->nb_streams;
    info.streams = xcalloc(info.stream_count + 1, sizeof(*info.streams));
    for (size_t i = 0; i < info.stream_count; i++)
        describe(&info.streams[i], format->streams[i]);
    *ret = info;
}

static int check_pixels(int width, int height, size_t index, struct error *e)
{
    if ((int64_t)width * height > LIMITS_PIXELS)
        return error_set(e, -EBADMSG,
                         "video stream %zu is too large: %dx%d pixels", index,
                         width, height);
    return 0;
}

int inspect_check_header(const AVFormatContext *format, struct error *e)
{
    for (unsigned i = 0; i < format->nb_streams; i++) {
        const AVCodecParameters *par = format->streams[i]->codecpar;
        int r = check_pixels(par->width, par->height, i, e);
        if (r < 0)
            return r;
    }
    return 0;
}

static int check_size(const struct media_stream *st, size_t index,
                      struct error *e)
{
    if (st->width <= 0 || st->height <= 0)
        return error_set(e, -EBADMSG, "video stream %zu has no size", index);
    return check_pixels(st->width, st->height, index, e);
}

int inspect_check(const struct media_info *info, struct error *e)
{
    bool any = false;

    if (info->image)
        return error_set(e, -EBADMSG, "the input is a still image");
    for (size_t i = 0; i < info->stream_count; i++) {
        const struct media_stream *st = &info->streams[i];
        if (st->encrypted)
            return error_set(e, -EBADMSG, INSPECT_ENCRYPTED);
        int r =
            st->kind == MEDIA_VIDEO && !st->picture ? check_size(st, i, e) : 0;
        if (r < 0)
            return r;
        any |= st->kind != MEDIA_OTHER && !st->picture;
    }
    if (!any)
        return error_set(e, -EBADMSG,
                         "the input has no video, audio or subtitles");
    return 0;
}

bool inspect_is_timed(const AVStream *st)
{
    enum media_kind kind = kind_of(st->codecpar);

    return (kind == MEDIA_VIDEO || kind == MEDIA_AUDIO) &&
           !(st->disposition & AV_DISPOSITION_ATTACHED_PIC);
}

/* HEVC's decoder knows it as soon as it has read the record. */
static int delay_of_decoder(const AVCodecParameters *par)
{
    const AVCodec *decoder = avcodec_find_decoder(par->codec_id);
    AVCodecContext *codec = decoder ? avcodec_alloc_context3(decoder) : NULL;
    int delay = 0;

    if (codec && avcodec_parameters_to_context(codec, par) >= 0) {
        codec->thread_count = 1;
        if (avcodec_open2(codec, decoder, NULL) >= 0)
            delay = codec->has_b_frames;
    }
    avcodec_free_context(&codec);
    return delay > 0 ? delay : -1; // 0 is also what is not said
}

/* How many frames a decoder may hold back, by what the stream's own header
 * says; -1 where it does not say so for certain. */
static int delay_from_header(const AVCodecParameters *par)
{
    const AVCodecDescriptor *d = avcodec_descriptor_get(par->codec_id);

    if (d && !(d->props & AV_CODEC_PROP_REORDER))
        return 0;
    if (!par->extradata_size)
        return -1;
    if (par->codec_id == AV_CODEC_ID_H264)
        return sps_reordering(par->extradata, (size_t)par->extradata_size);
    return par->codec_id == AV_CODEC_ID_HEVC ? delay_of_decoder(par) : -1;
}

static bool learn_delay(AVStream *st)
{
    int delay = inspect_is_timed(st) ? delay_from_header(st->codecpar) : 0;

    if (delay > 0)
        st->codecpar->video_delay = delay;
    return delay >= 0;
}

/* Containers whose headers describe their streams wholly, and whether they
 * know decoding times too. */
static const struct {
    const char *format;
    bool decoding_times;
} describing[] = {
    {"mov,mp4,m4a,3gp,3g2,mj2", true},
    {"matroska,webm", false},
};

static bool parameters_are_complete(const AVStream *st)
{
    const AVCodecParameters *par = st->codecpar;

    if (st->disposition & AV_DISPOSITION_ATTACHED_PIC)
        return par->width > 0; // which muxers ask for
    if (!inspect_is_timed(st))
        return true;
    if (par->codec_id == AV_CODEC_ID_NONE)
        return false;
    if (par->codec_type == AVMEDIA_TYPE_AUDIO)
        return par->sample_rate > 0 && par->ch_layout.nb_channels > 0;
    return par->width > 0 && par->height > 0 && st->avg_frame_rate.num > 0 &&
           depth_from_header(par);
}

bool inspect_header_suffices(const AVFormatContext *format)
{
    for (size_t d = 0; d < sizeof(describing) / sizeof(describing[0]); d++) {
        if (strcmp(describing[d].format, format->iformat->name) != 0)
            continue;
        for (unsigned i = 0; i < format->nb_streams; i++) {
            AVStream *st = format->streams[i];
            if (!parameters_are_complete(st) ||
                (!describing[d].decoding_times && !learn_delay(st)))
                return false;
        }
        return true;
    }
    return false;
}
