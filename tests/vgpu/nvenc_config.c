/* libnvidia-encode: from a client's configuration to the inner encoder's. */
#include "nvenc.h"

#include <stddef.h>
#include <string.h>

#include "settings.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

// clients still say it, headers since 12 do not
#define RC_VBR_HQ 0x20

// clang-format off
static const struct {
    const GUID *guid;
    const char *name; // NULL: whatever fits
} profiles[] = {
    {&NV_ENC_CODEC_PROFILE_AUTOSELECT_GUID, NULL},
    {&NV_ENC_H264_PROFILE_BASELINE_GUID, "baseline"},
    {&NV_ENC_H264_PROFILE_MAIN_GUID, "main"},
    {&NV_ENC_H264_PROFILE_HIGH_GUID, "high"},
    {&NV_ENC_H264_PROFILE_HIGH_444_GUID, NULL},
    {&NV_ENC_H264_PROFILE_PROGRESSIVE_HIGH_GUID, "high"},
    {&NV_ENC_H264_PROFILE_CONSTRAINED_HIGH_GUID, "high"},
    {&NV_ENC_HEVC_PROFILE_MAIN_GUID, "main"},
    {&NV_ENC_HEVC_PROFILE_MAIN10_GUID, "main10"},
    {&NV_ENC_HEVC_PROFILE_FREXT_GUID, NULL},
};

/* Macroblocks of a picture that a level of H.264 allows. */
static const struct {
    uint32_t level;
    uint32_t macroblocks;
} levels[] = {
    {9, 99},    {10, 99},   {11, 396},   {12, 396},   {13, 396},
    {20, 396},  {21, 792},  {22, 1620},  {30, 1620},  {31, 3600},
    {32, 5120}, {40, 8192}, {41, 8192},  {42, 8704},  {50, 22080},
    {51, 36864}, {52, 36864},
};
// clang-format on

static NVENCSTATUS check_size(struct session *s,
                              const NV_ENC_INITIALIZE_PARAMS *p)
{
    int width = (int)p->encodeWidth, height = (int)p->encodeHeight;

    if (width > nvenc_capability(s->codec, NV_ENC_CAPS_WIDTH_MAX) ||
        height > nvenc_capability(s->codec, NV_ENC_CAPS_HEIGHT_MAX))
        return nvenc_fail(s, NV_ENC_ERR_INVALID_PARAM,
                          "%dx%d is larger than the encoder takes", width,
                          height);
    if (width < nvenc_capability(s->codec, NV_ENC_CAPS_WIDTH_MIN) ||
        height < nvenc_capability(s->codec, NV_ENC_CAPS_HEIGHT_MIN))
        return nvenc_fail(s, NV_ENC_ERR_INVALID_PARAM,
                          "%dx%d is smaller than the encoder takes", width,
                          height);
    if (width % 2 || height % 2)
        return nvenc_fail(s, NV_ENC_ERR_INVALID_PARAM, "%dx%d is odd", width,
                          height);
    if (!p->frameRateNum || !p->frameRateDen)
        return nvenc_fail(s, NV_ENC_ERR_INVALID_PARAM, "no frame rate");
    return NV_ENC_SUCCESS;
}

static NVENCSTATUS check_level(struct session *s, uint32_t level)
{
    uint32_t macroblocks = ((uint32_t)s->config.width + 15) / 16 *
                           (((uint32_t)s->config.height + 15) / 16);

    for (size_t i = 0; i < COUNT(levels) && level; i++) {
        if (levels[i].level == level && macroblocks <= levels[i].macroblocks)
            return NV_ENC_SUCCESS;
    }
    return level ? nvenc_fail(s, NV_ENC_ERR_INVALID_PARAM,
                              "level %u does not fit %d x %d", level,
                              s->config.width, s->config.height)
                 : NV_ENC_SUCCESS;
}

static uint32_t common_divisor(uint32_t a, uint32_t b)
{
    return b ? common_divisor(b, a % b) : a;
}

static void set_picture(struct inner_config *c,
                        const NV_ENC_INITIALIZE_PARAMS *p)
{
    c->width = (int)p->encodeWidth;
    c->height = (int)p->encodeHeight;
    c->rate_num = (int)p->frameRateNum;
    c->rate_den = (int)p->frameRateDen;
    if (p->darWidth && p->darHeight) {
        uint64_t w = (uint64_t)p->darWidth * p->encodeHeight;
        uint64_t h = (uint64_t)p->darHeight * p->encodeWidth;
        while (w > 65535 || h > 65535) {
            w /= 2;
            h /= 2;
        }
        uint32_t divisor = common_divisor((uint32_t)w, (uint32_t)h);
        c->sar_width = (int)(w / (divisor ? divisor : 1));
        c->sar_height = (int)(h / (divisor ? divisor : 1));
    }
}

static void set_rate(struct inner_config *c, const NV_ENC_RC_PARAMS *r)
{
    c->qp_i = (int)r->constQP.qpIntra;
    c->qp_p = (int)r->constQP.qpInterP;
    c->qp_b = (int)r->constQP.qpInterB;
    c->bitrate = (int)(r->averageBitRate / 1000);
    c->max_bitrate = (int)(r->maxBitRate / 1000);
    c->buffer = (int)(r->vbvBufferSize / 1000);
    c->quality = (float)r->targetQuality + (float)r->targetQualityLSB / 256;
    if (c->max_bitrate && c->max_bitrate < c->bitrate)
        c->max_bitrate = c->bitrate;
    switch ((int)r->rateControlMode) {
    case NV_ENC_PARAMS_RC_CONSTQP:
        c->rate = INNER_RATE_QP;
        break;
    case NV_ENC_PARAMS_RC_VBR:
    case RC_VBR_HQ:
        c->rate = r->targetQuality ? INNER_RATE_QUALITY : INNER_RATE_VARIABLE;
        break;
    default:
        c->rate = INNER_RATE_CONSTANT;
    }
    // What a driver does without any rate is its own business; this is ours.
    if (c->rate >= INNER_RATE_VARIABLE && !c->bitrate)
        c->bitrate = c->max_bitrate ? c->max_bitrate : 2000;
    if (c->rate == INNER_RATE_QUALITY && c->quality <= 0)
        c->quality = 28;
}

static void set_colour(struct inner_colour *to,
                       const NV_ENC_CONFIG_H264_VUI_PARAMETERS *v)
{
    bool described = v->colourDescriptionPresentFlag;

    to->full_range = v->videoSignalTypePresentFlag && v->videoFullRangeFlag;
    to->primaries = described ? (int)v->colourPrimaries : 2;
    to->transfer = described ? (int)v->transferCharacteristics : 2;
    to->matrix = described ? (int)v->colourMatrix : 2;
}

static NVENCSTATUS set_pattern(struct session *s, const NV_ENC_CONFIG *c,
                               NV_ENC_BFRAME_REF_MODE b_references)
{
    int most = nvenc_capability(s->codec, NV_ENC_CAPS_NUM_MAX_BFRAMES);
    int b_frames = c->frameIntervalP > 0 ? c->frameIntervalP - 1 : 0;

    if (b_frames > most)
        return nvenc_fail(s, NV_ENC_ERR_INVALID_PARAM,
                          "%d B-frames in a row, at most %d", b_frames, most);
    if (b_references != NV_ENC_BFRAME_REF_MODE_DISABLED &&
        !nvenc_capability(s->codec, NV_ENC_CAPS_SUPPORT_BFRAME_REF_MODE))
        return nvenc_fail(s, NV_ENC_ERR_UNSUPPORTED_PARAM,
                          "B-frames are no references");
    if (c->rcParams.enableTemporalAQ &&
        !nvenc_capability(s->codec, NV_ENC_CAPS_SUPPORT_TEMPORAL_AQ))
        return nvenc_fail(s, NV_ENC_ERR_UNSUPPORTED_PARAM, "no temporal AQ");
    s->config.b_frames = b_frames;
    s->config.b_references = b_references != NV_ENC_BFRAME_REF_MODE_DISABLED;
    // Intra only is a group of one.
    s->gop = c->frameIntervalP == 0 ? 1 : c->gopLength;
    return NV_ENC_SUCCESS;
}

static NVENCSTATUS set_profile(struct session *s, const GUID *guid)
{
    for (size_t i = 0; i < COUNT(profiles); i++) {
        if (!nvenc_same(profiles[i].guid, guid))
            continue;
        s->config.profile = s->config.full_chroma ? NULL : profiles[i].name;
        return NV_ENC_SUCCESS;
    }
    return nvenc_fail(s, NV_ENC_ERR_INVALID_PARAM, "no such profile");
}

static NVENCSTATUS set_h264(struct session *s, const NV_ENC_CONFIG *c)
{
    const NV_ENC_CONFIG_H264 *h = &c->encodeCodecConfig.h264Config;

    s->encoder = &inner_x264;
    s->config.depth = 8;
    s->config.full_chroma = h->chromaFormatIDC == 3;
    s->config.level = (int)h->level;
    s->config.cavlc =
        h->entropyCodingMode == NV_ENC_H264_ENTROPY_CODING_MODE_CAVLC;
    s->config.delimiters = h->outputAUD;
    s->config.references = (int)h->maxNumRefFrames;
    if (h->sliceMode == 3)
        s->config.slices = (int)h->sliceModeData;
    s->idr_gap = h->idrPeriod ? h->idrPeriod : c->gopLength;
    s->headers_repeat = h->repeatSPSPPS;
    s->headers_never = h->disableSPSPPS;
    set_colour(&s->config.colour, &h->h264VUIParameters);
    NVENCSTATUS status = set_pattern(s, c, h->useBFramesAsRef);
    return status ? status : check_level(s, h->level);
}

static NVENCSTATUS set_hevc(struct session *s, const NV_ENC_CONFIG *c)
{
    const NV_ENC_CONFIG_HEVC *h = &c->encodeCodecConfig.hevcConfig;

    s->encoder = &inner_x265;
    s->config.depth = 8 + (int)h->pixelBitDepthMinus8;
    s->config.full_chroma = h->chromaFormatIDC == 3;
    s->config.level = (int)h->level / 3;
    s->config.delimiters = h->outputAUD;
    s->config.references = (int)h->maxNumRefFramesInDPB;
    s->idr_gap = h->idrPeriod ? h->idrPeriod : c->gopLength;
    s->headers_repeat = h->repeatSPSPPS;
    s->headers_never = h->disableSPSPPS;
    set_colour(&s->config.colour, &h->hevcVUIParameters);
    if (s->config.depth > 8 &&
        !nvenc_capability(s->codec, NV_ENC_CAPS_SUPPORT_10BIT_ENCODE))
        return nvenc_fail(s, NV_ENC_ERR_UNSUPPORTED_PARAM, "no 10 bit");
    return set_pattern(s, c, h->useBFramesAsRef);
}

NVENCSTATUS nvenc_configure(struct session *s,
                            const NV_ENC_INITIALIZE_PARAMS *p)
{
    const NV_ENC_CONFIG *c = p->encodeConfig;

    if (!nvenc_codec(&p->encodeGUID, &s->codec) || !c)
        return nvenc_fail(s, NV_ENC_ERR_INVALID_PARAM,
                          "no such codec, or no configuration");
    if (!p->enablePTD || p->enableEncodeAsync)
        return nvenc_fail(s, NV_ENC_ERR_UNSUPPORTED_PARAM,
                          "picture types are decided here, at once");
    NVENCSTATUS status = check_size(s, p);
    if (status != NV_ENC_SUCCESS)
        return status;

    s->config = (struct inner_config){0};
    set_picture(&s->config, p);
    set_rate(&s->config, &c->rcParams);
    status = s->codec == MACHINE_H264 ? set_h264(s, c) : set_hevc(s, c);
    return status ? status : set_profile(s, &c->profileGUID);
}
