/*
 * MPEG-2: sequence and picture headers with their extensions. Frame pictures
 * only: FFmpeg does not pass which field a field picture is.
 */
#include "rebuild.h"

#define EXTENSION       0xb5
#define SEQUENCE_HEADER 0xb3
#define PICTURE_START   0x00
#define LAST_SLICE      0xaf

static void put_start(struct bits *b, uint32_t code)
{
    while (b->count % 8)
        bits_put(b, 1, 0);
    bits_put(b, 32, 0x100 | code);
}

static void put_matrix(struct bits *b, const uint8_t *matrix)
{
    bits_put(b, 1, 1);
    for (size_t i = 0; i < 64; i++)
        bits_put(b, 8, matrix[rebuild_zigzag8[i]]);
}

static void put_sequence(struct bits *b, const CUVIDPICPARAMS *p,
                         uint32_t progressive)
{
    const CUVIDMPEG2PICPARAMS *m = &p->CodecSpecific.mpeg2;
    uint32_t width = 16 * (uint32_t)p->PicWidthInMbs;
    uint32_t height = 16 * (uint32_t)p->FrameHeightInMbs;

    put_start(b, SEQUENCE_HEADER);
    bits_put(b, 12, width & 0xfff);
    bits_put(b, 12, height & 0xfff);
    bits_put(b, 4, 1);        // square pixels
    bits_put(b, 4, 3);        // 25 a second
    bits_put(b, 18, 0x3ffff); // any bit rate
    bits_put(b, 1, 1);
    bits_put(b, 10, 0x3ff); // any buffer
    bits_put(b, 1, 0);
    put_matrix(b, m->QuantMatrixIntra);
    put_matrix(b, m->QuantMatrixInter);

    put_start(b, EXTENSION);
    bits_put(b, 4, 1);    // of the sequence
    bits_put(b, 8, 0x44); // main profile, high level
    bits_put(b, 1, progressive);
    bits_put(b, 2, 1); // 4:2:0
    bits_put(b, 2, width >> 12);
    bits_put(b, 2, height >> 12);
    bits_put(b, 12, 0);
    bits_put(b, 1, 1);
    bits_put(b, 8, 0);
    bits_put(b, 1, 0);
    bits_put(b, 7, 0);
}

static void put_picture(struct bits *b, const CUVIDMPEG2PICPARAMS *m)
{
    put_start(b, PICTURE_START);
    bits_put(b, 10, 0); // its place in the order of output
    bits_put(b, 3, (uint32_t)m->picture_coding_type);
    bits_put(b, 16, 0xffff);
    if (m->picture_coding_type > 1)
        bits_put(b, 4, 7);
    if (m->picture_coding_type == 3)
        bits_put(b, 4, 7);
    bits_put(b, 1, 0);

    put_start(b, EXTENSION);
    bits_put(b, 4, 8); // of the picture's coding
    for (int i = 0; i < 4; i++)
        bits_put(b, 4, (uint32_t)m->f_code[i / 2][i % 2]);
    bits_put(b, 2, (uint32_t)m->intra_dc_precision);
    bits_put(b, 2, 3); // a frame
    bits_put(b, 1, (uint32_t)m->top_field_first);
    bits_put(b, 1, (uint32_t)m->frame_pred_frame_dct);
    bits_put(b, 1, (uint32_t)m->concealment_motion_vectors);
    bits_put(b, 1, (uint32_t)m->q_scale_type);
    bits_put(b, 1, (uint32_t)m->intra_vlc_format);
    bits_put(b, 1, (uint32_t)m->alternate_scan);
    bits_put(b, 1, 0);
    bits_put(b, 1, (uint32_t)m->frame_pred_frame_dct);
    bits_put(b, 1, (uint32_t)m->frame_pred_frame_dct); // progressive frame
    bits_put(b, 1, 0);
}

static int picture(struct rebuild *r, const CUVIDPICPARAMS *p,
                   struct bytes *packet)
{
    struct bits b = {0};

    (void)r;
    if (p->nBitstreamDataLen < 4 || p->pBitstreamData[3] > LAST_SLICE)
        return -1;
    // An interlaced sequence has an even number of macroblock rows.
    put_sequence(&b, p, p->FrameHeightInMbs % 2 != 0);
    put_picture(&b, &p->CodecSpecific.mpeg2);
    while (b.count % 8)
        bits_put(&b, 1, 0);
    bytes_append(packet, b.bytes.data, b.bytes.size);
    bytes_append(packet, p->pBitstreamData, p->nBitstreamDataLen);
    bits_free(&b);
    return 0;
}

const struct rebuilder rebuilder_mpeg2 = {
    .codec = cudaVideoCodec_MPEG2,
    .decoder = "mpeg2video",
    .pick = SOFTWARE_LAST,
    .picture = picture,
};
