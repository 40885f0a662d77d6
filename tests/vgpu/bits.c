#include "bits.h"

#include <stdlib.h>
#include <string.h>

void bytes_append(struct bytes *b, const void *data, size_t size)
{
    if (b->size + size > b->capacity) {
        b->capacity = 2 * (b->size + size);
        b->data = realloc(b->data, b->capacity);
        if (!b->data)
            abort();
    }
    if (size)
        memcpy(b->data + b->size, data, size);
    b->size += size;
}

void bytes_clear(struct bytes *b)
{
    b->size = 0;
}

void bytes_free(struct bytes *b)
{
    free(b->data);
    *b = (struct bytes){0};
}

bool bytes_same(struct bytes *known, const struct bytes *now)
{
    if (known->size == now->size && now->size &&
        !memcmp(known->data, now->data, now->size))
        return true;
    bytes_clear(known);
    bytes_append(known, now->data, now->size);
    return false;
}

void bits_free(struct bits *b)
{
    bytes_free(&b->bytes);
    b->count = 0;
}

void bits_clear(struct bits *b)
{
    bytes_clear(&b->bytes);
    b->count = 0;
}

void bits_put(struct bits *b, unsigned count, uint32_t value)
{
    while (count-- > 0) {
        if (b->count % 8 == 0)
            bytes_append(&b->bytes, "", 1);
        if (value >> count & 1) {
            uint8_t *last = &b->bytes.data[b->bytes.size - 1];
            *last = (uint8_t)(*last | 0x80 >> b->count % 8);
        }
        b->count++;
    }
}

void bits_ue(struct bits *b, uint32_t value)
{
    unsigned length = 0;

    while ((uint64_t)value + 1 >= UINT64_C(2) << length)
        length++;
    bits_put(b, length, 0);
    bits_put(b, 1, 1);
    bits_put(b, length, value + 1);
}

void bits_se(struct bits *b, int32_t value)
{
    bits_ue(b, value > 0 ? 2 * (uint32_t)value - 1 : 2 * (uint32_t)-value);
}

void bits_trailing(struct bits *b)
{
    bits_put(b, 1, 1);
    while (b->count % 8)
        bits_put(b, 1, 0);
}

void bits_append_nal(struct bytes *packet, const struct bits *b)
{
    unsigned zeros = 0;

    bytes_append(packet, "\0\0\1", 3);
    for (size_t i = 0; i < b->bytes.size; i++) {
        uint8_t byte = b->bytes.data[i];
        if (zeros == 2 && byte <= 3) {
            bytes_append(packet, "\3", 1);
            zeros = 0;
        }
        bytes_append(packet, &byte, 1);
        zeros = byte ? 0 : zeros + 1;
    }
}

void bytes_unescape(struct bytes *b, const uint8_t *nal, size_t size)
{
    unsigned zeros = 0;

    for (size_t i = 0; i < size; i++) {
        if (zeros == 2 && nal[i] == 3) {
            zeros = 0;
            continue;
        }
        bytes_append(b, &nal[i], 1);
        zeros = nal[i] ? 0 : zeros == 2 ? 2 : zeros + 1;
    }
}

void reader_init(struct reader *r, const uint8_t *data, size_t size)
{
    *r = (struct reader){.data = data, .count = 8 * size};
}

uint32_t reader_get(struct reader *r, unsigned count)
{
    uint32_t value = 0;

    while (count-- > 0) {
        value <<= 1;
        if (r->at >= r->count)
            r->past_end = true;
        else
            value |= r->data[r->at / 8] >> (7 - r->at % 8) & 1;
        r->at++;
    }
    return value;
}

uint32_t reader_ue(struct reader *r)
{
    unsigned length = 0;

    while (!r->past_end && length < 32 && !reader_get(r, 1))
        length++;
    if (length == 32)
        r->past_end = true;
    if (r->past_end)
        return 0;
    return (UINT32_C(1) << length) - 1 + reader_get(r, length);
}

uint32_t reader_copy(struct reader *r, struct bits *to, unsigned count)
{
    uint32_t value = reader_get(r, count);

    bits_put(to, count, value);
    return value;
}

uint32_t reader_copy_ue(struct reader *r, struct bits *to)
{
    uint32_t value = reader_ue(r);

    bits_ue(to, value);
    return value;
}

unsigned bits_for(uint32_t count)
{
    unsigned n = 0;

    while (n < 32 && (UINT64_C(1) << n) < count)
        n++;
    return n;
}
