#include "media/sps.h"

#include <stdbool.h>

#define SPS_MOST     512 // bytes that are looked at
#define REORDER_MOST 16

/* Bits of a parameter set; behind the end there are only zeros, and `over`. */
struct bits {
    uint8_t data[SPS_MOST];
    size_t count; // bits
    size_t at;
    bool over;
};

static uint32_t get(struct bits *b, int count)
{
    uint32_t n = 0;

    for (; count > 0; count--) {
        uint32_t bit = 0;
        if (b->at < b->count)
            bit = b->data[b->at / 8] >> (7 - b->at % 8) & 1;
        else
            b->over = true;
        b->at++;
        n = n << 1 | bit;
    }
    return n;
}

static void skip(struct bits *b, int count)
{
    (void)get(b, count);
}

/* An Exp-Golomb number; signed ones are as long. */
static uint32_t get_golomb(struct bits *b)
{
    int zeros = 0;

    while (!get(b, 1) && !b->over && zeros < 31)
        zeros++;
    return (UINT32_C(1) << zeros) - 1 + get(b, zeros);
}

static void skip_golombs(struct bits *b, uint32_t count)
{
    for (; count > 0 && !b->over; count--)
        (void)get_golomb(b);
}

/* Take out the bytes that keep a start code from appearing. */
static void unescape(struct bits *b, const uint8_t *nal, size_t size)
{
    size_t used = 0;
    int zeros = 0;

    for (size_t i = 0; i < size && used < SPS_MOST; i++) {
        bool escape = zeros >= 2 && nal[i] == 3;
        zeros = nal[i] ? 0 : zeros + 1;
        if (!escape)
            b->data[used++] = nal[i];
    }
    b->count = 8 * used;
}

/* false: there is a scaling matrix, which is not looked into. */
static bool skip_chroma(struct bits *b, uint32_t profile)
{
    static const uint32_t high[] = {100, 110, 122, 244, 44, 83, 86, 118, 128};

    for (size_t i = 0; i < sizeof(high) / sizeof(high[0]); i++) {
        if (high[i] != profile)
            continue;
        if (get_golomb(b) == 3)
            skip(b, 1);
        skip_golombs(b, 2);
        skip(b, 1);
        return !get(b, 1);
    }
    return true;
}

/* The kind of picture order; 2 is "as decoded". */
static uint32_t skip_order(struct bits *b)
{
    uint32_t kind = get_golomb(b);

    if (kind == 0)
        skip_golombs(b, 1);
    if (kind == 1) {
        skip(b, 1);
        skip_golombs(b, 2);
        skip_golombs(b, get_golomb(b));
    }
    return kind;
}

static void skip_size(struct bits *b)
{
    skip_golombs(b, 1);
    skip(b, 1);
    skip_golombs(b, 2);
    if (!get(b, 1)) // fields
        skip(b, 1);
    skip(b, 1);
    if (get(b, 1)) // cropped
        skip_golombs(b, 4);
}

static bool skip_buffering(struct bits *b)
{
    if (!get(b, 1))
        return false;
    uint32_t count = get_golomb(b) + 1;
    skip(b, 8);
    for (; count > 0 && !b->over; count--) {
        skip_golombs(b, 2);
        skip(b, 1);
    }
    skip(b, 20);
    return true;
}

/* Everything in the usability information before the restrictions. */
static void skip_usability(struct bits *b)
{
    if (get(b, 1) && get(b, 8) == 255) // the shape of pixels
        skip(b, 32);
    if (get(b, 1))
        skip(b, 1);
    if (get(b, 1)) { // range and colours
        skip(b, 4);
        if (get(b, 1))
            skip(b, 24);
    }
    if (get(b, 1))
        skip_golombs(b, 2);
    if (get(b, 1)) // timing
        skip(b, 65);
    bool nal = skip_buffering(b);
    bool vcl = skip_buffering(b);
    if (nal || vcl)
        skip(b, 1);
    skip(b, 1);
}

static int read_reordering(struct bits *b)
{
    skip(b, 8); // the header of the NAL unit
    uint32_t profile = get(b, 8);
    skip(b, 16);
    skip_golombs(b, 1);
    if (!skip_chroma(b, profile))
        return -1;
    skip_golombs(b, 1);
    if (skip_order(b) == 2)
        return b->over ? -1 : 0;
    skip_size(b);
    if (!get(b, 1)) // no usability information
        return -1;
    skip_usability(b);
    if (!get(b, 1)) // no restrictions
        return -1;
    skip(b, 1);
    skip_golombs(b, 4);
    uint32_t reordering = get_golomb(b);
    return b->over || reordering > REORDER_MOST ? -1 : (int)reordering;
}

int sps_reordering(const uint8_t *record, size_t size)
{
    struct bits b = {.at = 0};

    // version, profile, …, the number of sets, the size of the first
    if (size < 9 || record[0] != 1 || !(record[5] & 0x1f))
        return -1;
    size_t length = (size_t)record[6] << 8 | record[7];
    if (length > size - 8)
        return -1;
    unescape(&b, record + 8, length);
    return read_reordering(&b);
}
