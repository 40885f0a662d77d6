#include "media/survey_encoders.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavutil/hwcontext.h>
#include <libavutil/opt.h>

#include "base/error.h"
#include "base/memory.h"
#include "media/ear.h"
#include "media/hwdevice.h"
#include "media/nvenc_caps.h"
#include "media/survey_words.h"
#include "model/survey.h"

/* Of the picture that is tried: within what each encoder takes. */
#define WIDTH  512
#define HEIGHT 288

// clang-format off
static const struct row {
    const char *codec;
    const char *name;
    enum nvenc_codec nvenc;
    int32_t level_one; // NVENC's number of level 1; 0: it has other ones
} rows[] = {
    {"h264", "h264_nvenc", NVENC_H264, 10},
    {"hevc", "hevc_nvenc", NVENC_HEVC, 30},
    {"av1",  "av1_nvenc",  NVENC_AV1,  0},
};

#define MIDDLE 2 // of what may be referenced
// clang-format on

struct trial {
    struct survey_device *device;
    struct hwdevice *hwdevice;
    char *headers;
    size_t headers_size;
    bool has_caps; // was it asked?
    bool denies;   // did it answer? Then what it has not is not there
    bool is_sure;
    struct nvenc_caps caps[NVENC_CODEC_COUNT];
    enum survey_verdict verdict; // of the last failure
};

/* Frames on the device, of which none is made. */
static AVBufferRef *make_frames(AVBufferRef *device, enum AVPixelFormat format)
{
    AVBufferRef *ref = av_hwframe_ctx_alloc(device);

    if (!ref)
        return NULL;
    AVHWFramesContext *frames = (AVHWFramesContext *)ref->data;
    frames->format = AV_PIX_FMT_CUDA;
    frames->sw_format = format;
    frames->width = WIDTH;
    frames->height = HEIGHT;
    if (av_hwframe_ctx_init(ref) < 0)
        av_buffer_unref(&ref);
    return ref;
}

/* Opens the encoder and closes it: libav's code. */
static int open_once(const AVCodec *codec, AVBufferRef *frames, int b_frames)
{
    AVCodecContext *c = avcodec_alloc_context3(codec);

    if (!c)
        return AVERROR(ENOMEM);
    c->width = WIDTH;
    c->height = HEIGHT;
    c->time_base = (AVRational){1, 25};
    c->pix_fmt = AV_PIX_FMT_CUDA;
    c->max_b_frames = b_frames;
    c->hw_frames_ctx = av_buffer_ref(frames);
    // what its defaults ask for is not what is tried
    (void)av_opt_set(c->priv_data, "b_ref_mode", "disabled", 0);
    int r = avcodec_open2(c, codec, NULL);
    avcodec_free_context(&c);
    return r;
}

/* "hevc_nvenc with 10 bit": what is tried, in words. */
static void name_trial(const AVCodec *codec, int depth, int b_frames, char *ret,
                       size_t size)
{
    if (depth > 8)
        (void)snprintf(ret, size, "%s with %d bit", codec->name, depth);
    else if (b_frames > 0)
        (void)snprintf(ret, size, "%s with %d B-frames", codec->name, b_frames);
    else
        (void)snprintf(ret, size, "%s", codec->name);
}

/* 0, or -1: the words are in the device, where they are worth any. */
static int try_open(struct trial *t, const AVCodec *codec, int depth,
                    int b_frames)
{
    char name[64];
    AVBufferRef *frames =
        make_frames(hwdevice_ref(t->hwdevice),
                    depth == 10 ? AV_PIX_FMT_P010 : AV_PIX_FMT_NV12);
    struct survey_failure failure;

    ear_clear();
    int r = frames ? open_once(codec, frames, b_frames) : AVERROR(ENOMEM);
    av_buffer_unref(&frames);
    if (r >= 0)
        return 0;
    name_trial(codec, depth, b_frames, name, sizeof(name));
    survey_explain(&failure, ear_heard(), name, t->device->driver,
                   t->device->nvenc_api);
    t->verdict = failure.verdict;
    t->is_sure &= survey_is_lasting(failure.verdict);
    if (failure.verdict == SURVEY_BUSY)
        t->device->is_partial = true;
    if (failure.headers[0])
        (void)snprintf(t->headers, t->headers_size, "%s", failure.headers);
    if (failure.verdict != SURVEY_LACKING)
        survey_add_problem(t->device, "%s", failure.words);
    return -1;
}

/* What the card says of itself, asked once. Where it says nothing, what all
 * cards can. */
static const struct nvenc_caps *caps_of(struct trial *t, enum nvenc_codec codec)
{
    static const struct nvenc_caps least = {
        .is_there = true,
        .width = 4096,
        .height = 4096,
        .least_width = 160,
        .least_height = 64,
        .ten_bit = 1,
    };
    struct error e = {0};

    if (!t->has_caps) {
        t->has_caps = true;
        int r = hwdevice_enter(t->hwdevice, &e);
        if (r == 0) {
            r = nvenc_caps_read(t->caps, hwdevice_context(t->hwdevice), &e);
            hwdevice_leave(t->hwdevice);
        }
        t->device->is_partial |= r == -EBUSY;
        t->is_sure &= r == 0;
        t->denies = r == 0;
        if (r < 0)
            survey_add_problem(
                t->device, "the encoder does not say what it can: %s", e.text);
    }
    return t->caps[codec].is_there ? &t->caps[codec] : &least;
}

static void add(struct trial *t, const struct row *row, const AVCodec *codec)
{
    const struct nvenc_caps *caps = caps_of(t, row->nvenc);
    struct survey_device *d = t->device;

    d->encoders =
        xrealloc(d->encoders, d->encoder_count + 1, sizeof(*d->encoders));
    struct survey_encoder *e = &d->encoders[d->encoder_count++];
    *e = (struct survey_encoder){
        .depth = 8,
        .least_width = caps->least_width,
        .least_height = caps->least_height,
        .width = caps->width,
        .height = caps->height,
        .level = row->level_one ? 10 * caps->level / row->level_one : 0,
        .temporal_aq = caps->temporal_aq,
        .lookahead = caps->lookahead,
        .dynamic_bitrate = caps->dynamic_bitrate,
    };
    (void)snprintf(e->codec, sizeof(e->codec), "%s", row->codec);
    (void)snprintf(e->name, sizeof(e->name), "%s", row->name);
    if (caps->ten_bit && try_open(t, codec, 10, 0) == 0)
        e->depth = 10;
    if (caps->b_frames > 0 && try_open(t, codec, 8, caps->b_frames) == 0) {
        e->b_frames = caps->b_frames;
        e->b_frame_refs = caps->b_frame_refs & MIDDLE;
    }
}

/* Does what kept one codec from being opened keep the others, too? */
static bool is_of_all(enum survey_verdict verdict)
{
    return verdict != SURVEY_LACKING && verdict != SURVEY_REFUSED;
}

bool survey_encoders(struct survey_device *ret, struct hwdevice *h,
                     char *ret_headers, size_t size)
{
    struct trial t = {.device = ret,
                      .hwdevice = h,
                      .headers = ret_headers,
                      .headers_size = size,
                      .is_sure = true};
    size_t offered = 0;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const AVCodec *codec = avcodec_find_encoder_by_name(rows[i].name);
        if (!codec)
            continue;
        offered++;
        if (t.denies && !t.caps[rows[i].nvenc].is_there)
            continue;
        if (try_open(&t, codec, 8, 0) == 0)
            add(&t, &rows[i], codec);
        else if (is_of_all(t.verdict))
            return t.is_sure;
    }
    if (offered == 0)
        survey_add_problem(ret, "this build of FFmpeg has no NVENC: it needs "
                                "--enable-nvenc");
    return t.is_sure;
}
