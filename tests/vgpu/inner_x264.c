#include "inner.h"

#include <math.h>
#include <stdlib.h>

#include <x264.h>

struct inner {
    x264_t *x264;
    x264_param_t param;
    int csp;
};

static void set_rate(x264_param_t *p, const struct inner_config *c)
{
    p->rc.i_vbv_max_bitrate = c->max_bitrate;
    p->rc.i_vbv_buffer_size = c->buffer ? c->buffer : c->max_bitrate;
    switch (c->rate) {
    case INNER_RATE_QP:
        p->rc.i_rc_method = X264_RC_CQP;
        p->rc.i_qp_constant = c->qp_p;
        p->rc.f_ip_factor = exp2f((float)(c->qp_p - c->qp_i) / 6);
        p->rc.f_pb_factor = exp2f((float)(c->qp_b - c->qp_p) / 6);
        break;
    case INNER_RATE_QUALITY:
        p->rc.i_rc_method = X264_RC_CRF;
        p->rc.f_rf_constant = c->quality;
        break;
    case INNER_RATE_CONSTANT:
        p->rc.i_vbv_max_bitrate = c->bitrate;
        p->rc.i_vbv_buffer_size = c->buffer ? c->buffer : c->bitrate;
        /* fall through */
    case INNER_RATE_VARIABLE:
        p->rc.i_rc_method = X264_RC_ABR;
        p->rc.i_bitrate = c->bitrate;
        break;
    }
}

/* Everything that would make x264 decide for itself is switched off. */
static void set_pattern(x264_param_t *p, const struct inner_config *c)
{
    p->i_keyint_max = X264_KEYINT_MAX_INFINITE;
    p->i_keyint_min = X264_KEYINT_MAX_INFINITE / 2;
    p->i_scenecut_threshold = 0;
    p->i_bframe = c->b_frames;
    p->i_bframe_adaptive = X264_B_ADAPT_NONE;
    p->i_bframe_pyramid =
        c->b_references ? X264_B_PYRAMID_NORMAL : X264_B_PYRAMID_NONE;
    p->b_open_gop = 0;
    p->rc.i_lookahead = 0;
    p->rc.b_mb_tree = 0;
    p->i_sync_lookahead = 0;
    p->i_threads = 1;
    p->i_lookahead_threads = 1;
    p->b_vfr_input = 0;
    p->b_repeat_headers = 0;
    p->b_annexb = 1;
}

static void set_colour(x264_param_t *p, const struct inner_colour *c)
{
    p->vui.b_fullrange = c->full_range;
    p->vui.i_colorprim = c->primaries;
    p->vui.i_transfer = c->transfer;
    p->vui.i_colmatrix = c->matrix;
}

static struct inner *open(const struct inner_config *c)
{
    struct inner *e = calloc(1, sizeof(*e));
    if (!e)
        abort();
    x264_param_t *p = &e->param;

    x264_param_default_preset(p, "superfast", NULL);
    p->i_log_level = X264_LOG_NONE;
    p->i_width = c->width;
    p->i_height = c->height;
    p->i_bitdepth = c->depth;
    e->csp = c->full_chroma ? X264_CSP_I444 : X264_CSP_I420;
    if (c->depth > 8)
        e->csp |= X264_CSP_HIGH_DEPTH;
    p->i_csp = e->csp;
    p->i_fps_num = (uint32_t)c->rate_num;
    p->i_fps_den = (uint32_t)c->rate_den;
    p->vui.i_sar_width = c->sar_width;
    p->vui.i_sar_height = c->sar_height;
    p->analyse.b_psy = 0;
    p->b_cabac = !c->cavlc;
    p->b_aud = c->delimiters;
    p->i_slice_count = c->slices;
    if (c->references)
        p->i_frame_reference = c->references;
    if (c->level)
        p->i_level_idc = c->level;
    set_pattern(p, c);
    set_rate(p, c);
    set_colour(p, &c->colour);
    if ((c->profile && x264_param_apply_profile(p, c->profile) < 0) ||
        !(e->x264 = x264_encoder_open(p))) {
        free(e);
        return NULL;
    }
    return e;
}

static void close_encoder(struct inner *e)
{
    if (!e)
        return;
    x264_encoder_close(e->x264);
    free(e);
}

static int headers(struct inner *e, struct bytes *ret)
{
    x264_nal_t *nals;
    int count;

    if (x264_encoder_headers(e->x264, &nals, &count) < 0)
        return -1;
    for (int i = 0; i < count; i++) {
        if (nals[i].i_type == NAL_SPS || nals[i].i_type == NAL_PPS)
            bytes_append(ret, nals[i].p_payload, (size_t)nals[i].i_payload);
    }
    return 0;
}

static const struct {
    int x264;
    enum inner_type type;
} types[] = {
    {X264_TYPE_AUTO, INNER_AUTO}, {X264_TYPE_I, INNER_I},
    {X264_TYPE_IDR, INNER_IDR},   {X264_TYPE_P, INNER_P},
    {X264_TYPE_B, INNER_B},       {X264_TYPE_BREF, INNER_B},
};

static int to_x264(enum inner_type type)
{
    return types[type].x264; // the first rows are in the enum's order
}

static enum inner_type from_x264(int type)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (types[i].x264 == type)
            return types[i].type;
    }
    return INNER_P;
}

static int encode(struct inner *e, const struct inner_picture *in,
                  struct inner_packet *out)
{
    x264_picture_t picture, coded;
    x264_nal_t *nals;
    int count;

    x264_picture_init(&picture);
    picture.img.i_csp = e->csp;
    picture.img.i_plane = 3;
    for (int i = 0; in && i < 3; i++) {
        picture.img.plane[i] = in->planes[i];
        picture.img.i_stride[i] = in->strides[i];
    }
    if (in) {
        picture.i_pts = in->index;
        picture.i_type = to_x264(in->type);
    }
    if (!in && !x264_encoder_delayed_frames(e->x264))
        return 0;

    int size = x264_encoder_encode(e->x264, &nals, &count, in ? &picture : NULL,
                                   &coded);
    if (size <= 0)
        return size < 0 ? -1 : 0;
    bytes_clear(&out->data);
    for (int i = 0; i < count; i++) {
        if (nals[i].i_type != NAL_SEI)
            bytes_append(&out->data, nals[i].p_payload,
                         (size_t)nals[i].i_payload);
    }
    out->index = coded.i_pts;
    out->type = from_x264(coded.i_type);
    out->qp = coded.i_qpplus1 ? coded.i_qpplus1 - 1 : 0;
    return 1;
}

static int adjust(struct inner *e, const struct inner_config *c)
{
    x264_encoder_parameters(e->x264, &e->param);
    set_rate(&e->param, c);
    return x264_encoder_reconfig(e->x264, &e->param) < 0 ? -1 : 0;
}

const struct inner_encoder inner_x264 = {
    .open = open,
    .close = close_encoder,
    .headers = headers,
    .encode = encode,
    .adjust = adjust,
};
