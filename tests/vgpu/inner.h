/*
 * inner: the encoders behind the encoder, x264 and x265.
 *
 * They are called directly: through libavcodec their opening would wait for a
 * lock that FFmpeg holds while it opens NVENC. They decide about nothing that
 * NVENC decides: key frames are where they are told, runs of B-frames are
 * constant, and a picture comes out a constant number of pictures later.
 */
#ifndef VGPU_INNER_H
#define VGPU_INNER_H

#include <stdbool.h>
#include <stdint.h>

#include "bits.h"

enum inner_rate {
    INNER_RATE_QP,      // qp_i, qp_p, qp_b
    INNER_RATE_QUALITY, // quality, and max_bitrate where it is not 0
    INNER_RATE_VARIABLE,
    INNER_RATE_CONSTANT,
};

struct inner_colour {
    int full_range;
    int primaries; // 2: unspecified, as of the two below
    int transfer;
    int matrix;
};

struct inner_config {
    int width;
    int height;
    int depth;        // 8 or 10
    bool full_chroma; // 4:4:4
    int rate_num;     // frames a second
    int rate_den;
    int sar_width;
    int sar_height;
    int b_frames;
    bool b_references;
    int references; // 0: the encoder's choice
    int slices;
    int level;           // 10 * level, 0: the encoder's choice
    const char *profile; // as x264 and x265 call it, or NULL
    bool cavlc;
    bool delimiters;
    enum inner_rate rate;
    float quality;
    int qp_i, qp_p, qp_b;
    int bitrate; // kbit/s
    int max_bitrate;
    int buffer; // kbit
    struct inner_colour colour;
};

enum inner_type {
    INNER_AUTO, // P or B, by the pattern
    INNER_I,    // without resetting anything
    INNER_IDR,
    INNER_P, // only of what comes out, as is the next
    INNER_B,
};

/* Planar; samples of more than 8 bit take two bytes and the lower bits. */
struct inner_picture {
    uint8_t *planes[3];
    int strides[3]; // bytes
    int64_t index;  // counts from 0 by one
    enum inner_type type;
};

struct inner_packet {
    struct bytes data;
    int64_t index; // of the picture
    enum inner_type type;
    int qp;
};

struct inner;

struct inner_encoder {
    struct inner *(*open)(const struct inner_config *config);
    void (*close)(struct inner *e);
    /* Append the parameter sets. 0 or -1. */
    int (*headers)(struct inner *e, struct bytes *ret);
    /* One picture in, NULL for none any more; 1 with one out, 0, or -1. */
    int (*encode)(struct inner *e, const struct inner_picture *in,
                  struct inner_packet *out);
    /* New rates. 0 or -1. */
    int (*adjust)(struct inner *e, const struct inner_config *config);
};

extern const struct inner_encoder inner_x264;
extern const struct inner_encoder inner_x265;

#endif
