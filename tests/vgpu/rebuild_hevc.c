/*
 * HEVC: video, sequence and picture parameter sets, and slices whose headers
 * are written anew where they need what is not passed (hevc_slice.h).
 */
#include <stdlib.h>
#include <string.h>

#include "hevc_slice.h"
#include "rebuild.h"

#define PPS_MAX      64
#define LEVEL        186 // 6.2
#define DPB_SIZE     16
#define START_CODE   3
#define PROFILE_MAIN 1
#define PROFILE_REXT 4

enum nal { // the header's 16 bits, type << 9 and the lowest layer
    NAL_VPS = 32 << 9 | 1,
    NAL_SPS = 33 << 9 | 1,
    NAL_PPS = 34 << 9 | 1,
};

struct rebuild {
    struct bits bits;
    struct bits slice;
    struct bytes sps;          // with the VPS, as written last
    struct bytes pps[PPS_MAX]; // the same
    unsigned extra_bits;       // of the slice headers, as written last
};

static struct rebuild *create(void)
{
    struct rebuild *r = calloc(1, sizeof(*r));

    if (!r)
        abort();
    return r;
}

static void destroy(struct rebuild *r)
{
    if (!r)
        return;
    bits_free(&r->bits);
    bits_free(&r->slice);
    bytes_free(&r->sps);
    for (size_t i = 0; i < PPS_MAX; i++)
        bytes_free(&r->pps[i]);
    free(r);
}

static void put_profile(struct bits *b, const CUVIDHEVCPICPARAMS *h)
{
    uint32_t profile = h->bit_depth_luma_minus8 <= 2
                           ? PROFILE_MAIN + (h->bit_depth_luma_minus8 > 0)
                           : PROFILE_REXT;

    bits_put(b, 3, 0); // profile space, tier
    bits_put(b, 5, profile);
    bits_put(b, 32, 0x80000000u >> profile);
    bits_put(b, 4, 0x9); // progressive, frames only
    bits_put(b, 32, 0);
    bits_put(b, 12, 0);
    bits_put(b, 8, LEVEL);
}

/* Put out at once: what the decoder puts out, nobody looks at. */
static void put_ordering(struct bits *b)
{
    bits_put(b, 1, 1);
    bits_ue(b, DPB_SIZE - 1);
    bits_ue(b, 0);
    bits_ue(b, 0);
}

static void put_vps(struct bits *b, const CUVIDHEVCPICPARAMS *h)
{
    bits_clear(b);
    bits_put(b, 16, NAL_VPS);
    bits_put(b, 4, 0);
    bits_put(b, 2, 3); // the base layer is here
    bits_put(b, 6, 0);
    bits_put(b, 3, 0);
    bits_put(b, 1, 1);
    bits_put(b, 16, 0xffff);
    put_profile(b, h);
    put_ordering(b);
    bits_put(b, 6, 0);
    bits_ue(b, 0);
    bits_put(b, 1, 0);
    bits_put(b, 1, 0);
    bits_trailing(b);
}

static void put_pcm(struct bits *b, const CUVIDHEVCPICPARAMS *h)
{
    bits_put(b, 1, h->pcm_enabled_flag);
    if (!h->pcm_enabled_flag)
        return;
    bits_put(b, 4, h->pcm_sample_bit_depth_luma_minus1);
    bits_put(b, 4, h->pcm_sample_bit_depth_chroma_minus1);
    bits_ue(b, h->log2_min_pcm_luma_coding_block_size_minus3);
    bits_ue(b, h->log2_diff_max_min_pcm_luma_coding_block_size);
    bits_put(b, 1, h->pcm_loop_filter_disabled_flag);
}

static void put_sps_range(struct bits *b, const CUVIDHEVCPICPARAMS *h)
{
    bits_put(b, 1, h->sps_range_extension_flag);
    if (!h->sps_range_extension_flag)
        return;
    bits_put(b, 1, 1); // the range extension
    bits_put(b, 7, 0);
    bits_put(b, 1, h->transform_skip_rotation_enabled_flag);
    bits_put(b, 1, h->transform_skip_context_enabled_flag);
    bits_put(b, 1, h->implicit_rdpcm_enabled_flag);
    bits_put(b, 1, h->explicit_rdpcm_enabled_flag);
    bits_put(b, 1, h->extended_precision_processing_flag);
    bits_put(b, 1, h->intra_smoothing_disabled_flag);
    bits_put(b, 1, h->high_precision_offsets_enabled_flag);
    bits_put(b, 1, h->persistent_rice_adaptation_enabled_flag);
    bits_put(b, 1, h->cabac_bypass_alignment_enabled_flag);
}

static void put_sps(struct bits *b, const CUVIDHEVCPICPARAMS *h)
{
    bits_clear(b);
    bits_put(b, 16, NAL_SPS);
    bits_put(b, 8, 1); // VPS 0, one layer, nested
    put_profile(b, h);
    bits_ue(b, 0);
    bits_ue(b, 1); // 4:2:0
    bits_ue(b, (uint32_t)h->pic_width_in_luma_samples);
    bits_ue(b, (uint32_t)h->pic_height_in_luma_samples);
    bits_put(b, 1, 0); // no cropping
    bits_ue(b, h->bit_depth_luma_minus8);
    bits_ue(b, h->bit_depth_chroma_minus8);
    bits_ue(b, h->log2_max_pic_order_cnt_lsb_minus4);
    put_ordering(b);
    bits_ue(b, h->log2_min_luma_coding_block_size_minus3);
    bits_ue(b, h->log2_diff_max_min_luma_coding_block_size);
    bits_ue(b, h->log2_min_transform_block_size_minus2);
    bits_ue(b, h->log2_diff_max_min_transform_block_size);
    bits_ue(b, h->max_transform_hierarchy_depth_inter);
    bits_ue(b, h->max_transform_hierarchy_depth_intra);
    bits_put(b, 1, h->scaling_list_enable_flag);
    if (h->scaling_list_enable_flag)
        bits_put(b, 1, 0); // the lists are in the picture's
    bits_put(b, 1, h->amp_enabled_flag);
    bits_put(b, 1, h->sample_adaptive_offset_enabled_flag);
    put_pcm(b, h);
    bits_ue(b, 0); // no reference picture sets
    bits_put(b, 1, h->long_term_ref_pics_present_flag);
    if (h->long_term_ref_pics_present_flag)
        bits_ue(b, 0);
    bits_put(b, 1, h->sps_temporal_mvp_enabled_flag);
    bits_put(b, 1, h->strong_intra_smoothing_enabled_flag);
    bits_put(b, 1, 0); // no VUI
    put_sps_range(b, h);
    bits_trailing(b);
}

static void put_tiles(struct bits *b, const CUVIDHEVCPICPARAMS *h)
{
    if (!h->tiles_enabled_flag)
        return;
    bits_ue(b, h->num_tile_columns_minus1);
    bits_ue(b, h->num_tile_rows_minus1);
    bits_put(b, 1, h->uniform_spacing_flag);
    for (unsigned i = 0;
         i < h->num_tile_columns_minus1 && i < 21 && !h->uniform_spacing_flag;
         i++)
        bits_ue(b, h->column_width_minus1[i]);
    for (unsigned i = 0;
         i < h->num_tile_rows_minus1 && i < 21 && !h->uniform_spacing_flag; i++)
        bits_ue(b, h->row_height_minus1[i]);
    bits_put(b, 1, h->loop_filter_across_tiles_enabled_flag);
}

static void put_deblocking(struct bits *b, const CUVIDHEVCPICPARAMS *h)
{
    bits_put(b, 1, 1);
    bits_put(b, 1, h->deblocking_filter_override_enabled_flag);
    bits_put(b, 1, h->pps_deblocking_filter_disabled_flag);
    if (!h->pps_deblocking_filter_disabled_flag) {
        bits_se(b, h->pps_beta_offset_div2);
        bits_se(b, h->pps_tc_offset_div2);
    }
}

/* Both the client and the bitstream have them in diagonal order. */
static void put_list(struct bits *b, const uint8_t *list, size_t count,
                     const uint8_t *dc)
{
    int last = dc ? *dc : 8;

    bits_put(b, 1, 1); // not predicted
    if (dc)
        bits_se(b, *dc - 8);
    for (size_t i = 0; i < count; i++) {
        bits_se(b, (int8_t)(list[i] - last));
        last = list[i];
    }
}

static void put_scaling(struct bits *b, const CUVIDHEVCPICPARAMS *h)
{
    bits_put(b, 1, h->scaling_list_enable_flag);
    if (!h->scaling_list_enable_flag)
        return;
    for (int i = 0; i < 6; i++)
        put_list(b, h->ScalingList4x4[i], 16, NULL);
    for (int i = 0; i < 6; i++)
        put_list(b, h->ScalingList8x8[i], 64, NULL);
    for (int i = 0; i < 6; i++)
        put_list(b, h->ScalingList16x16[i], 64, &h->ScalingListDCCoeff16x16[i]);
    for (int i = 0; i < 2; i++)
        put_list(b, h->ScalingList32x32[i], 64, &h->ScalingListDCCoeff32x32[i]);
}

static void put_pps_range(struct bits *b, const CUVIDHEVCPICPARAMS *h)
{
    bits_put(b, 1, h->pps_range_extension_flag);
    if (!h->pps_range_extension_flag)
        return;
    bits_put(b, 1, 1); // the range extension
    bits_put(b, 7, 0);
    if (h->transform_skip_enabled_flag)
        bits_ue(b, h->log2_max_transform_skip_block_size_minus2);
    bits_put(b, 1, h->cross_component_prediction_enabled_flag);
    bits_put(b, 1, h->chroma_qp_offset_list_enabled_flag);
    if (h->chroma_qp_offset_list_enabled_flag) {
        bits_ue(b, h->diff_cu_chroma_qp_offset_depth);
        bits_ue(b, h->chroma_qp_offset_list_len_minus1);
        for (int i = 0; i <= h->chroma_qp_offset_list_len_minus1 && i < 6;
             i++) {
            bits_se(b, h->cb_qp_offset_list[i]);
            bits_se(b, h->cr_qp_offset_list[i]);
        }
    }
    bits_ue(b, h->log2_sao_offset_scale_luma);
    bits_ue(b, h->log2_sao_offset_scale_chroma);
}

static void put_pps(struct bits *b, const CUVIDHEVCPICPARAMS *h, unsigned id,
                    unsigned extra_bits)
{
    bits_clear(b);
    bits_put(b, 16, NAL_PPS);
    bits_ue(b, id);
    bits_ue(b, 0);
    bits_put(b, 1, h->dependent_slice_segments_enabled_flag);
    bits_put(b, 1, h->output_flag_present_flag);
    bits_put(b, 3, extra_bits);
    bits_put(b, 1, h->sign_data_hiding_enabled_flag);
    bits_put(b, 1, h->cabac_init_present_flag);
    bits_ue(b, h->num_ref_idx_l0_default_active_minus1);
    bits_ue(b, h->num_ref_idx_l1_default_active_minus1);
    bits_se(b, h->init_qp_minus26);
    bits_put(b, 1, h->constrained_intra_pred_flag);
    bits_put(b, 1, h->transform_skip_enabled_flag);
    bits_put(b, 1, h->cu_qp_delta_enabled_flag);
    if (h->cu_qp_delta_enabled_flag)
        bits_ue(b, h->diff_cu_qp_delta_depth);
    bits_se(b, h->pps_cb_qp_offset);
    bits_se(b, h->pps_cr_qp_offset);
    bits_put(b, 1, h->pps_slice_chroma_qp_offsets_present_flag);
    bits_put(b, 1, h->weighted_pred_flag);
    bits_put(b, 1, h->weighted_bipred_flag);
    bits_put(b, 1, h->transquant_bypass_enabled_flag);
    bits_put(b, 1, h->tiles_enabled_flag);
    bits_put(b, 1, h->entropy_coding_sync_enabled_flag);
    put_tiles(b, h);
    bits_put(b, 1, h->loop_filter_across_slices_enabled_flag);
    put_deblocking(b, h);
    put_scaling(b, h);
    bits_put(b, 1, h->lists_modification_present_flag);
    bits_ue(b, h->log2_parallel_merge_level_minus2);
    bits_put(b, 1, h->slice_segment_header_extension_present_flag);
    put_pps_range(b, h);
    bits_trailing(b);
}

static void append_sequence(struct rebuild *r, const CUVIDHEVCPICPARAMS *h,
                            struct bytes *packet)
{
    struct bytes vps = {0};

    put_vps(&r->bits, h);
    bits_append_nal(&vps, &r->bits);
    put_sps(&r->bits, h);
    if (!bytes_same(&r->sps, &r->bits.bytes)) {
        // A decoder forgets the picture's sets with the sequence's.
        for (size_t i = 0; i < PPS_MAX; i++)
            bytes_clear(&r->pps[i]);
        bytes_append(packet, vps.data, vps.size);
        bits_append_nal(packet, &r->bits);
    }
    bytes_free(&vps);
}

static int append_slice(struct rebuild *r, const CUVIDPICPARAMS *p, unsigned i,
                        struct bytes *packet)
{
    const CUVIDHEVCPICPARAMS *h = &p->CodecSpecific.hevc;
    bool rewrite = hevc_slice_needs_rewrite(p);
    const uint8_t *slice;
    size_t size;

    if (!rebuild_slice(p, i, &slice, &size) || size <= START_CODE + 2)
        return -1;
    slice += START_CODE;
    size -= START_CODE;
    if (!rewrite)
        r->extra_bits = h->num_extra_slice_header_bits;
    int id = rewrite
                 ? hevc_slice_rewrite(&r->slice, &r->extra_bits, slice, size, p)
                 : hevc_slice_pps(slice, size);
    if (id < 0)
        return -1;

    put_pps(&r->bits, h, (unsigned)id, r->extra_bits);
    if (!bytes_same(&r->pps[id], &r->bits.bytes))
        bits_append_nal(packet, &r->bits);
    if (rewrite) {
        bits_append_nal(packet, &r->slice);
    } else {
        bytes_append(packet, "\0\0\1", START_CODE);
        bytes_append(packet, slice, size);
    }
    return 0;
}

static int picture(struct rebuild *r, const CUVIDPICPARAMS *p,
                   struct bytes *packet)
{
    append_sequence(r, &p->CodecSpecific.hevc, packet);
    for (unsigned i = 0; i < p->nNumSlices; i++) {
        if (append_slice(r, p, i, packet) < 0)
            return -1;
    }
    return 0;
}

const struct rebuilder rebuilder_hevc = {
    .codec = cudaVideoCodec_HEVC,
    .decoder = "hevc",
    .pick = SOFTWARE_FIRST,
    .create = create,
    .destroy = destroy,
    .picture = picture,
};
