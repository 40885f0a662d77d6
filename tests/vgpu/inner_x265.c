#include "inner.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>

#include <x265.h>

struct inner {
    const x265_api *api;
    x265_encoder *x265;
    x265_param *param;
    int depth;
    int csp;
};

static void set_rate(x265_param *p, const struct inner_config *c)
{
    p->rc.vbvMaxBitrate = c->max_bitrate;
    p->rc.vbvBufferSize = c->buffer ? c->buffer : c->max_bitrate;
    switch (c->rate) {
    case INNER_RATE_QP:
        p->rc.rateControlMode = X265_RC_CQP;
        p->rc.qp = c->qp_p;
        p->rc.ipFactor = exp2((c->qp_p - c->qp_i) / 6.0);
        p->rc.pbFactor = exp2((c->qp_b - c->qp_p) / 6.0);
        p->rc.vbvMaxBitrate = 0;
        p->rc.vbvBufferSize = 0;
        break;
    case INNER_RATE_QUALITY:
        p->rc.rateControlMode = X265_RC_CRF;
        p->rc.rfConstant = (double)c->quality;
        break;
    case INNER_RATE_CONSTANT:
        p->rc.vbvMaxBitrate = c->bitrate;
        p->rc.vbvBufferSize = c->buffer ? c->buffer : c->bitrate;
        /* fall through */
    case INNER_RATE_VARIABLE:
        p->rc.rateControlMode = X265_RC_ABR;
        p->rc.bitrate = c->bitrate;
        break;
    }
}

/* Everything that would make x265 decide for itself is switched off. */
static void set_pattern(x265_param *p, const struct inner_config *c)
{
    p->keyframeMax = INT_MAX;
    p->keyframeMin = INT_MAX / 2;
    p->scenecutThreshold = 0;
    p->bOpenGOP = 0;
    p->bframes = c->b_frames;
    p->bFrameAdaptive = X265_B_ADAPT_NONE;
    p->bBPyramid = c->b_references;
    p->lookaheadDepth = c->b_frames ? c->b_frames + 1 : 0;
    p->frameNumThreads = 1;
    p->rc.cuTree = 0;
    p->bRepeatHeaders = 0;
    p->bAnnexB = 1;
    p->bEmitInfoSEI = 0;
}

static void set_colour(x265_param *p, const struct inner_colour *c)
{
    p->vui.bEnableVideoSignalTypePresentFlag = 1;
    p->vui.bEnableVideoFullRangeFlag = c->full_range;
    p->vui.bEnableColorDescriptionPresentFlag = 1;
    p->vui.colorPrimaries = c->primaries;
    p->vui.transferCharacteristics = c->transfer;
    p->vui.matrixCoeffs = c->matrix;
}

static void set_picture(struct inner *e, const struct inner_config *c)
{
    x265_param *p = e->param;

    e->depth = c->depth;
    e->csp = c->full_chroma ? X265_CSP_I444 : X265_CSP_I420;
    p->internalBitDepth = c->depth;
    p->internalCsp = e->csp;
    p->sourceWidth = c->width;
    p->sourceHeight = c->height;
    p->fpsNum = (uint32_t)c->rate_num;
    p->fpsDenom = (uint32_t)c->rate_den;
    if (c->sar_width && c->sar_width != c->sar_height) {
        p->vui.aspectRatioIdc = X265_EXTENDED_SAR;
        p->vui.sarWidth = c->sar_width;
        p->vui.sarHeight = c->sar_height;
    }
}

static void close_encoder(struct inner *e)
{
    if (!e)
        return;
    if (e->x265)
        e->api->encoder_close(e->x265);
    if (e->param)
        e->api->param_free(e->param);
    free(e);
}

/* Of the leak sanitizer, where there is one. libx265 does not free some words
 * of its parameters, which is not the client's fault. */
extern void __lsan_disable(void) __attribute__((weak));
extern void __lsan_enable(void) __attribute__((weak));

static struct inner *open_leaking(const struct inner_config *c)
{
    struct inner *e = calloc(1, sizeof(*e));

    if (!e)
        abort();
    e->api = x265_api_get(c->depth);
    e->param = e->api ? e->api->param_alloc() : NULL;
    if (!e->param ||
        e->api->param_default_preset(e->param, "ultrafast", NULL) < 0)
        goto fail;
    e->param->logLevel = X265_LOG_NONE;
    e->api->param_parse(e->param, "pools", "none");
    set_picture(e, c);
    set_pattern(e->param, c);
    set_rate(e->param, c);
    set_colour(e->param, &c->colour);
    e->param->psyRd = 0;
    e->param->bEnableAccessUnitDelimiters = c->delimiters;
    e->param->levelIdc = c->level;
    if (c->references)
        e->param->maxNumReferences = c->references;
    if (c->profile && e->api->param_apply_profile(e->param, c->profile) < 0)
        goto fail;
    e->x265 = e->api->encoder_open(e->param);
    if (!e->x265)
        goto fail;
    return e;

fail:
    close_encoder(e);
    return NULL;
}

static struct inner *open(const struct inner_config *c)
{
    if (__lsan_disable)
        __lsan_disable();
    struct inner *e = open_leaking(c);
    if (__lsan_enable)
        __lsan_enable();
    return e;
}

static int headers(struct inner *e, struct bytes *ret)
{
    x265_nal *nals;
    uint32_t count;

    if (e->api->encoder_headers(e->x265, &nals, &count) < 0)
        return -1;
    for (uint32_t i = 0; i < count; i++) {
        if (nals[i].type >= NAL_UNIT_VPS && nals[i].type <= NAL_UNIT_PPS)
            bytes_append(ret, nals[i].payload, nals[i].sizeBytes);
    }
    return 0;
}

static const struct {
    int x265;
    enum inner_type type;
} types[] = {
    {X265_TYPE_AUTO, INNER_AUTO}, {X265_TYPE_I, INNER_I},
    {X265_TYPE_IDR, INNER_IDR},   {X265_TYPE_P, INNER_P},
    {X265_TYPE_B, INNER_B},       {X265_TYPE_BREF, INNER_B},
};

static enum inner_type from_x265(int type)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (types[i].x265 == type)
            return types[i].type;
    }
    return INNER_P;
}

static int encode(struct inner *e, const struct inner_picture *in,
                  struct inner_packet *out)
{
    x265_picture picture, coded;
    x265_nal *nals;
    uint32_t count;

    e->api->picture_init(e->param, &picture);
    e->api->picture_init(e->param, &coded);
    picture.bitDepth = e->depth;
    picture.colorSpace = e->csp;
    for (int i = 0; in && i < 3; i++) {
        picture.planes[i] = in->planes[i];
        picture.stride[i] = in->strides[i];
    }
    if (in) {
        picture.pts = in->index;
        picture.sliceType = types[in->type].x265;
    }

    int r = e->api->encoder_encode(e->x265, &nals, &count, in ? &picture : NULL,
                                   &coded);
    if (r <= 0 || !count)
        return r < 0 ? -1 : 0;
    bytes_clear(&out->data);
    for (uint32_t i = 0; i < count; i++)
        bytes_append(&out->data, nals[i].payload, nals[i].sizeBytes);
    out->index = coded.pts;
    out->type = from_x265(coded.sliceType);
    out->qp = (int)coded.frameData.qp;
    return 1;
}

static int adjust(struct inner *e, const struct inner_config *c)
{
    set_rate(e->param, c);
    return e->api->encoder_reconfig(e->x265, e->param) < 0 ? -1 : 0;
}

const struct inner_encoder inner_x265 = {
    .open = open,
    .close = close_encoder,
    .headers = headers,
    .encode = encode,
    .adjust = adjust,
};
