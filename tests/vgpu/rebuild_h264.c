/*
 * H.264: one sequence parameter set, and picture parameter sets under the
 * numbers that the slices ask for.
 */
#include <stdlib.h>
#include <string.h>

#include "rebuild.h"

#define PPS_MAX      256
#define PROFILE_HIGH 100
#define PROFILE_444  244 // for lossless
#define LEVEL        62

enum nal {
    NAL_SPS = 0x67, // with nal_ref_idc 3
    NAL_PPS = 0x68,
};

struct rebuild {
    struct bits bits;
    struct bytes sps;          // as written last
    struct bytes pps[PPS_MAX]; // the same
    unsigned mbaff;            // of the last frame picture
};

static struct rebuild *create(void)
{
    struct rebuild *r = calloc(1, sizeof(*r));

    if (!r)
        abort();
    // Streams that begin with a field say it later; most have it then.
    r->mbaff = 1;
    return r;
}

static void destroy(struct rebuild *r)
{
    if (!r)
        return;
    bits_free(&r->bits);
    bytes_free(&r->sps);
    for (size_t i = 0; i < PPS_MAX; i++)
        bytes_free(&r->pps[i]);
    free(r);
}

static void put_picture_order(struct bits *b, const CUVIDH264PICPARAMS *h)
{
    bits_ue(b, (uint32_t)h->pic_order_cnt_type);
    if (h->pic_order_cnt_type == 0) {
        bits_ue(b, (uint32_t)h->log2_max_pic_order_cnt_lsb_minus4);
    } else if (h->pic_order_cnt_type == 1) {
        // The offsets are not passed; only the order of output needs them.
        bits_put(b, 1, (uint32_t)h->delta_pic_order_always_zero_flag);
        bits_se(b, 0);
        bits_se(b, 0);
        bits_ue(b, 0);
    }
}

static void put_sps(struct rebuild *r, const CUVIDPICPARAMS *p)
{
    const CUVIDH264PICPARAMS *h = &p->CodecSpecific.h264;
    unsigned frames_only = h->frame_mbs_only_flag != 0;
    struct bits *b = &r->bits;

    bits_clear(b);
    bits_put(b, 8, NAL_SPS);
    bits_put(b, 8,
             h->qpprime_y_zero_transform_bypass_flag ? PROFILE_444
                                                     : PROFILE_HIGH);
    bits_put(b, 8, 0); // no constraints
    bits_put(b, 8, LEVEL);
    bits_ue(b, 0); // its number
    bits_ue(b, 1); // 4:2:0
    bits_ue(b, h->bit_depth_luma_minus8);
    bits_ue(b, h->bit_depth_chroma_minus8);
    bits_put(b, 1, h->qpprime_y_zero_transform_bypass_flag);
    bits_put(b, 1, 0); // scaling lists are in the picture's
    bits_ue(b, (uint32_t)h->log2_max_frame_num_minus4);
    put_picture_order(b, h);
    bits_ue(b, (uint32_t)h->num_ref_frames);
    bits_put(b, 1, 1); // gaps in frame_num may be
    bits_ue(b, (uint32_t)p->PicWidthInMbs - 1);
    bits_ue(b, (uint32_t)p->FrameHeightInMbs / (2 - frames_only) - 1);
    bits_put(b, 1, frames_only);
    if (!frames_only)
        bits_put(b, 1, r->mbaff);
    bits_put(b, 1, (uint32_t)h->direct_8x8_inference_flag);
    bits_put(b, 1, 0); // no cropping
    bits_put(b, 1, 0); // no VUI
    bits_trailing(b);
}

/* Coded as differences in zig-zag; the client has them in raster order. */
static void put_scaling_list(struct bits *b, const uint8_t *list,
                             const uint8_t *zigzag, size_t count)
{
    int last = 8;

    bits_put(b, 1, 1);
    for (size_t i = 0; i < count; i++) {
        int value = list[zigzag[i]];
        bits_se(b, (int8_t)(value - last));
        last = value;
    }
}

static int is_flat(const CUVIDH264PICPARAMS *h)
{
    const uint8_t *lists[] = {&h->WeightScale4x4[0][0],
                              &h->WeightScale8x8[0][0]};
    const size_t sizes[] = {sizeof(h->WeightScale4x4),
                            sizeof(h->WeightScale8x8)};

    for (size_t n = 0; n < 2; n++) {
        for (size_t i = 0; i < sizes[n]; i++) {
            if (lists[n][i] != 16)
                return 0;
        }
    }
    return 1;
}

static void put_scaling(struct bits *b, const CUVIDH264PICPARAMS *h)
{
    int flat = is_flat(h);

    bits_put(b, 1, !flat);
    if (flat)
        return;
    for (size_t i = 0; i < 6; i++)
        put_scaling_list(b, h->WeightScale4x4[i], rebuild_zigzag4, 16);
    for (size_t i = 0; i < 2 && h->transform_8x8_mode_flag; i++)
        put_scaling_list(b, h->WeightScale8x8[i], rebuild_zigzag8, 64);
}

static void put_pps(struct bits *b, const CUVIDH264PICPARAMS *h, uint32_t id)
{
    bits_clear(b);
    bits_put(b, 8, NAL_PPS);
    bits_ue(b, id);
    bits_ue(b, 0); // the sequence's number
    bits_put(b, 1, (uint32_t)h->entropy_coding_mode_flag);
    bits_put(b, 1, (uint32_t)h->pic_order_present_flag);
    bits_ue(b, 0); // one slice group
    bits_ue(b, (uint32_t)h->num_ref_idx_l0_active_minus1);
    bits_ue(b, (uint32_t)h->num_ref_idx_l1_active_minus1);
    bits_put(b, 1, (uint32_t)h->weighted_pred_flag);
    bits_put(b, 2, (uint32_t)h->weighted_bipred_idc);
    bits_se(b, h->pic_init_qp_minus26);
    bits_se(b, h->pic_init_qs_minus26);
    bits_se(b, h->chroma_qp_index_offset);
    bits_put(b, 1, (uint32_t)h->deblocking_filter_control_present_flag);
    bits_put(b, 1, (uint32_t)h->constrained_intra_pred_flag);
    bits_put(b, 1, (uint32_t)h->redundant_pic_cnt_present_flag);
    bits_put(b, 1, (uint32_t)h->transform_8x8_mode_flag);
    put_scaling(b, h);
    bits_se(b, h->second_chroma_qp_index_offset);
    bits_trailing(b);
}

/* The number of the parameter set that a slice wants, or PPS_MAX. */
static uint32_t pps_of(const uint8_t *slice, size_t size)
{
    struct bytes head = {0};
    struct reader reader;

    // Three numbers behind start code and header; escapes make it no longer.
    bytes_unescape(&head, slice, size < 64 ? size : 64);
    reader_init(&reader, head.data, head.size);
    reader_get(&reader, 32);
    reader_ue(&reader); // first macroblock
    reader_ue(&reader); // type
    uint32_t id = reader_ue(&reader);
    bytes_free(&head);
    return reader.past_end || id >= PPS_MAX ? PPS_MAX : id;
}

static int picture(struct rebuild *r, const CUVIDPICPARAMS *p,
                   struct bytes *packet)
{
    const CUVIDH264PICPARAMS *h = &p->CodecSpecific.h264;

    if (!p->field_pic_flag)
        r->mbaff = h->MbaffFrameFlag != 0;
    put_sps(r, p);
    if (!bytes_same(&r->sps, &r->bits.bytes)) {
        // A decoder forgets the picture's sets with the sequence's.
        for (size_t i = 0; i < PPS_MAX; i++)
            bytes_clear(&r->pps[i]);
        bits_append_nal(packet, &r->bits);
    }

    for (unsigned i = 0; i < p->nNumSlices; i++) {
        const uint8_t *slice;
        size_t size;
        if (!rebuild_slice(p, i, &slice, &size))
            return -1;
        uint32_t id = pps_of(slice, size);
        if (id == PPS_MAX)
            return -1;
        put_pps(&r->bits, h, id);
        if (!bytes_same(&r->pps[id], &r->bits.bytes))
            bits_append_nal(packet, &r->bits);
    }
    bytes_append(packet, p->pBitstreamData, p->nBitstreamDataLen);
    return 0;
}

const struct rebuilder rebuilder_h264 = {
    .codec = cudaVideoCodec_H264,
    .decoder = "h264",
    .pick = SOFTWARE_LAST,
    .create = create,
    .destroy = destroy,
    .picture = picture,
};
