#include "hevc_slice.h"

#include <stdlib.h>
#include <string.h>

#include "settings.h"

#define REFERENCES 16
#define HEADER     16 // bits of the NAL unit's header
#define PPS_MAX    64

enum nal_type {
    NAL_BLA_FIRST = 16, // of those where decoding can begin
    NAL_IDR_W_RADL = 19,
    NAL_IDR_N_LP = 20,
    NAL_IRAP_LAST = 23,
};

/* One reference picture, as the set spells it out. */
struct reference {
    int order;     // picture order count
    unsigned used; // by this picture, not only kept for later ones
};

struct reference_set {
    struct reference before[REFERENCES]; // nearest first
    struct reference after[REFERENCES];
    struct reference long_term[REFERENCES]; // used ones first, in their order
    unsigned before_count;
    unsigned after_count;
    unsigned long_term_count;
};

bool hevc_slice_needs_rewrite(const CUVIDPICPARAMS *p)
{
    const CUVIDHEVCPICPARAMS *h = &p->CodecSpecific.hevc;

    return h->num_short_term_ref_pic_sets || h->num_long_term_ref_pics_sps ||
           settings()->hevc_rewrite;
}

static bool listed(const unsigned char *list, int count, int i)
{
    for (int n = 0; n < count && n < 8; n++) {
        if (list[n] == i)
            return true;
    }
    return false;
}

static void insert_near(struct reference *list, unsigned *count, int current,
                        struct reference r)
{
    unsigned i = (*count)++;

    for (; i > 0 && abs(list[i - 1].order - current) > abs(r.order - current);
         i--)
        list[i] = list[i - 1];
    list[i] = r;
}

/* The client lists every picture that it keeps, the current one too. */
static void collect(struct reference_set *s, const CUVIDHEVCPICPARAMS *h)
{
    int current = h->CurrPicOrderCntVal;

    *s = (struct reference_set){0};
    for (int n = 0; n < h->NumPocLtCurr && n < 8; n++) {
        int i = h->RefPicSetLtCurr[n] % REFERENCES;
        s->long_term[s->long_term_count++] =
            (struct reference){h->PicOrderCntVal[i], 1};
    }
    for (int i = 0; i < REFERENCES; i++) {
        bool used =
            listed(h->RefPicSetStCurrBefore, h->NumPocStCurrBefore, i) ||
            listed(h->RefPicSetStCurrAfter, h->NumPocStCurrAfter, i);
        struct reference r = {h->PicOrderCntVal[i], used};

        if ((h->RefPicIdx[i] < 0 && !used) || r.order == current ||
            listed(h->RefPicSetLtCurr, h->NumPocLtCurr, i))
            continue;
        if (h->IsLongTerm[i])
            s->long_term[s->long_term_count++] = r;
        else if (r.order < current)
            insert_near(s->before, &s->before_count, current, r);
        else
            insert_near(s->after, &s->after_count, current, r);
    }
}

static void put_side(struct bits *b, const struct reference *list,
                     unsigned count, int current)
{
    int last = current;

    for (unsigned i = 0; i < count; i++) {
        bits_ue(b, (uint32_t)abs(list[i].order - last) - 1);
        bits_put(b, 1, list[i].used);
        last = list[i].order;
    }
}

static void put_short_term(struct bits *b, const struct reference_set *s,
                           int current)
{
    bits_put(b, 1, 0); // no index
    bits_ue(b, s->before_count);
    bits_ue(b, s->after_count);
    put_side(b, s->before, s->before_count, current);
    put_side(b, s->after, s->after_count, current);
}

/* The upper part of a picture order count is coded as a difference that can
 * only grow. Where it would shrink, the lower part must do. */
static void put_long_term(struct bits *b, const struct reference_set *s,
                          int current, unsigned lsb_bits)
{
    int lsb_mask = (1 << lsb_bits) - 1;
    int last_cycle = 0;

    bits_ue(b, s->long_term_count);
    for (unsigned i = 0; i < s->long_term_count; i++) {
        const struct reference *r = &s->long_term[i];
        int cycle =
            ((current & ~lsb_mask) - (r->order & ~lsb_mask)) >> lsb_bits;
        bits_put(b, lsb_bits, (uint32_t)(r->order & lsb_mask));
        bits_put(b, 1, r->used);
        bits_put(b, 1, cycle >= last_cycle);
        if (cycle >= last_cycle) {
            bits_ue(b, (uint32_t)(cycle - last_cycle));
            last_cycle = cycle;
        }
    }
}

static void skip_short_term(struct reader *r, const CUVIDHEVCPICPARAMS *h)
{
    if (reader_get(r, 1))
        reader_get(r, bits_for(h->num_short_term_ref_pic_sets));
    else
        r->at += (size_t)h->NumBitsForShortTermRPSInSlice;
}

static void skip_long_term(struct reader *r, const CUVIDHEVCPICPARAMS *h,
                           unsigned lsb_bits)
{
    uint32_t indexed = h->num_long_term_ref_pics_sps ? reader_ue(r) : 0;
    uint32_t count = indexed + reader_ue(r);

    for (uint32_t i = 0; i < count && !r->past_end; i++) {
        reader_get(r, i < indexed ? bits_for(h->num_long_term_ref_pics_sps)
                                  : lsb_bits + 1);
        if (reader_get(r, 1))
            reader_ue(r);
    }
}

static unsigned address_bits(const CUVIDHEVCPICPARAMS *h)
{
    unsigned log2 = h->log2_min_luma_coding_block_size_minus3 + 3u +
                    h->log2_diff_max_min_luma_coding_block_size;
    uint32_t size = 1u << log2;
    uint32_t width = ((uint32_t)h->pic_width_in_luma_samples + size - 1) / size;
    uint32_t height =
        ((uint32_t)h->pic_height_in_luma_samples + size - 1) / size;

    return bits_for(width * height);
}

/* Up to where the extra bits are. Returns false for a dependent slice, which
 * has no more of a header. */
static bool copy_beginning(struct reader *r, struct bits *b, unsigned type,
                           const CUVIDHEVCPICPARAMS *h, int *ret_pps)
{
    unsigned dependent = 0;
    unsigned first = reader_copy(r, b, 1);

    if (type >= NAL_BLA_FIRST && type <= NAL_IRAP_LAST)
        reader_copy(r, b, 1);
    *ret_pps = (int)reader_copy_ue(r, b);
    if (!first) {
        if (h->dependent_slice_segments_enabled_flag)
            dependent = reader_copy(r, b, 1);
        reader_copy(r, b, address_bits(h));
    }
    return !dependent;
}

/* From behind the extra bits to behind the reference pictures. */
static void write_middle(struct reader *r, struct bits *b, unsigned type,
                         const CUVIDHEVCPICPARAMS *h)
{
    unsigned lsb_bits = h->log2_max_pic_order_cnt_lsb_minus4 + 4u;
    struct reference_set set;

    reader_copy_ue(r, b); // slice type
    if (h->output_flag_present_flag)
        reader_copy(r, b, 1);
    if (h->separate_colour_plane_flag)
        reader_copy(r, b, 2);
    if (type == NAL_IDR_W_RADL || type == NAL_IDR_N_LP)
        return;

    reader_copy(r, b, lsb_bits);
    collect(&set, h);
    skip_short_term(r, h);
    put_short_term(b, &set, h->CurrPicOrderCntVal);
    if (h->long_term_ref_pics_present_flag) {
        skip_long_term(r, h, lsb_bits);
        put_long_term(b, &set, h->CurrPicOrderCntVal, lsb_bits);
    }
}

static void copy_rest(struct reader *r, struct bits *b)
{
    while (r->at < r->count)
        reader_copy(r, b, r->count - r->at < 8 ? 1 : 8);
}

static int rewrite(struct bits *ret, unsigned *ret_extra, struct reader *r,
                   const CUVIDHEVCPICPARAMS *h)
{
    struct bits middle = {0};
    int pps;
    unsigned type = reader_copy(r, ret, HEADER) >> 9 & 0x3f;

    if (copy_beginning(r, ret, type, h, &pps)) {
        reader_get(r, h->num_extra_slice_header_bits);
        write_middle(r, &middle, type, h);

        // All that is written must end at the same bit of a byte.
        size_t written = ret->count + middle.count;
        unsigned extra = (unsigned)((r->at - written) & 7);
        bits_put(ret, extra, 0);
        for (size_t i = 0; i < middle.count; i++)
            bits_put(ret, 1,
                     (uint32_t)middle.bytes.data[i / 8] >> (7 - i % 8) & 1);
        *ret_extra = extra;
        bits_free(&middle);
    }
    copy_rest(r, ret);
    return r->past_end || pps >= PPS_MAX ? -1 : pps;
}

int hevc_slice_rewrite(struct bits *ret, unsigned *ret_extra_bits,
                       const uint8_t *nal, size_t size, const CUVIDPICPARAMS *p)
{
    struct bytes plain = {0};
    struct reader reader;

    bytes_unescape(&plain, nal, size);
    reader_init(&reader, plain.data, plain.size);
    bits_clear(ret);
    int pps = rewrite(ret, ret_extra_bits, &reader, &p->CodecSpecific.hevc);
    bytes_free(&plain);
    return pps;
}

int hevc_slice_pps(const uint8_t *nal, size_t size)
{
    struct reader reader;

    // Header, flag and number are too few bits to hold an escape.
    reader_init(&reader, nal, size);
    unsigned type = reader_get(&reader, HEADER) >> 9 & 0x3f;
    reader_get(&reader, 1);
    if (type >= NAL_BLA_FIRST && type <= NAL_IRAP_LAST)
        reader_get(&reader, 1);
    uint32_t id = reader_ue(&reader);
    return reader.past_end || id >= PPS_MAX ? -1 : (int)id;
}
