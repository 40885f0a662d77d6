/*
 * bits: reading and writing bitstreams of H.264, HEVC and MPEG-2.
 *
 * A writer collects bits, which then go into a packet as a NAL unit (with a
 * start code, trailing bits and emulation prevention) or as they are. Readers
 * deliver zeros behind the end and remember that they did.
 */
#ifndef VGPU_BITS_H
#define VGPU_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that grow. Zero initialised is empty; bytes_free() frees. */
struct bytes {
    uint8_t *data; // owned
    size_t size;
    size_t capacity;
};

void bytes_append(struct bytes *b, const void *data, size_t size);
void bytes_clear(struct bytes *b);
void bytes_free(struct bytes *b);

/* Whether both hold the same; if not, @known becomes a copy of @now. */
bool bytes_same(struct bytes *known, const struct bytes *now);

struct bits {
    struct bytes bytes; // owned
    size_t count;       // bits
};

void bits_free(struct bits *b);
void bits_clear(struct bits *b);
void bits_put(struct bits *b, unsigned count, uint32_t value); // <= 32 bits
void bits_ue(struct bits *b, uint32_t value);
void bits_se(struct bits *b, int32_t value);

/* A one and zeros up to a whole byte. */
void bits_trailing(struct bits *b);

/* Append them, which are whole bytes, as a NAL unit. */
void bits_append_nal(struct bytes *packet, const struct bits *b);

struct reader {
    const uint8_t *data; // not owned
    size_t count;        // bits
    size_t at;
    bool past_end;
};

/* @data without emulation prevention: see bytes_unescape(). */
void reader_init(struct reader *r, const uint8_t *data, size_t size);
uint32_t reader_get(struct reader *r, unsigned count); // <= 32 bits
uint32_t reader_ue(struct reader *r);

/* Read and write @count bits, or a number, and return it. */
uint32_t reader_copy(struct reader *r, struct bits *to, unsigned count);
uint32_t reader_copy_ue(struct reader *r, struct bits *to);

/* Append a NAL unit's bytes without the emulation prevention. */
void bytes_unescape(struct bytes *b, const uint8_t *nal, size_t size);

/* How many bits a number below @count needs. */
unsigned bits_for(uint32_t count);

#endif
