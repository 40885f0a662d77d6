#include "pipeline/sei.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <libavcodec/avcodec.h>
#include <libavutil/intreadwrite.h>
#include <libavutil/mastering_display_metadata.h>

/* H.265, 7.4.2.2 and annex D. */
#define NAL_PICTURES 32 // types below are slices
#define NAL_SEI      39
enum payload { DISPLAY = 137, CONTENT = 144 };
#define CHROMATICITY 0.00002 // the unit of a coordinate
#define LUMINANCE    0.0001  // the unit, in cd/m²

/* Two units of 24 bytes at most, a few more in front and behind, and room to
 * keep start codes from appearing in them. */
#define BYTES_MOST 128

struct bytes {
    uint8_t data[BYTES_MOST];
    size_t count;
    int zeros; // the last ones
};

static void put(struct bytes *b, uint8_t byte)
{
    if (b->zeros >= 2 && byte <= 3) {
        b->data[b->count++] = 3;
        b->zeros = 0;
    }
    b->data[b->count++] = byte;
    b->zeros = byte ? 0 : b->zeros + 1;
}

static void put_number(struct bytes *b, double value, double most, int bits)
{
    uint32_t number = (uint32_t)(value > 0 ? fmin(round(value), most) : 0);

    for (int at = bits - 8; at >= 0; at -= 8)
        put(b, (uint8_t)(number >> at));
}

static void put_point(struct bytes *b, const AVRational point[2])
{
    for (int i = 0; i < 2; i++)
        put_number(b, av_q2d(point[i]) / CHROMATICITY, UINT16_MAX, 16);
}

static void begin(struct bytes *b, enum payload payload, uint8_t size)
{
    static const uint8_t start[] = {0, 0, 0, 1, NAL_SEI << 1, 1};

    memcpy(b->data + b->count, start, sizeof(start));
    b->count += sizeof(start);
    b->zeros = 0;
    put(b, (uint8_t)payload);
    put(b, size);
}

static void end(struct bytes *b)
{
    put(b, 0x80);
}

static const void *side_data(const AVFrame *light, enum AVFrameSideDataType of)
{
    const AVFrameSideData *data = av_frame_get_side_data(light, of);

    return data ? data->data : NULL;
}

static void put_display(struct bytes *b, const AVFrame *light)
{
    static const int order[] = {1, 2, 0}; // green, blue, red
    const AVMasteringDisplayMetadata *m =
        side_data(light, AV_FRAME_DATA_MASTERING_DISPLAY_METADATA);

    if (!m || !m->has_primaries || !m->has_luminance)
        return; // there is no way to say half of it
    begin(b, DISPLAY, 24);
    for (int i = 0; i < 3; i++)
        put_point(b, m->display_primaries[order[i]]);
    put_point(b, m->white_point);
    put_number(b, av_q2d(m->max_luminance) / LUMINANCE, UINT32_MAX, 32);
    put_number(b, av_q2d(m->min_luminance) / LUMINANCE, UINT32_MAX, 32);
    end(b);
}

static void put_content(struct bytes *b, const AVFrame *light)
{
    const AVContentLightMetadata *c =
        side_data(light, AV_FRAME_DATA_CONTENT_LIGHT_LEVEL);

    if (!c)
        return;
    begin(b, CONTENT, 4);
    put_number(b, c->MaxCLL, UINT16_MAX, 16);
    put_number(b, c->MaxFALL, UINT16_MAX, 16);
    end(b);
}

/* Where the unit behind @at begins, at its start code, or the end. */
static size_t next_unit(const AVPacket *packet, size_t at)
{
    const uint8_t *data = packet->data;
    size_t size = (size_t)packet->size;

    for (; at + 4 <= size; at++) {
        if (AV_RB24(data + at) == 1)
            return at > 0 && data[at - 1] == 0 ? at - 1 : at;
    }
    return size;
}

/* Where its first picture begins, or -1: there is none, or all is said. */
static int find_picture(const AVPacket *packet)
{
    const uint8_t *data = packet->data;
    size_t size = (size_t)packet->size;

    for (size_t at = next_unit(packet, 0); at < size;) {
        size_t head = at + (data[at + 2] == 1 ? 3 : 4);
        int type = data[head] >> 1 & 0x3f;
        if (type < NAL_PICTURES)
            return (int)at;
        if (type == NAL_SEI && head + 2 < size &&
            (data[head + 2] == DISPLAY || data[head + 2] == CONTENT))
            return -1;
        at = next_unit(packet, head);
    }
    return -1;
}

static int insert(AVPacket *packet, size_t at, const struct bytes *b)
{
    size_t size = (size_t)packet->size;
    AVBufferRef *buffer =
        av_buffer_allocz(size + b->count + AV_INPUT_BUFFER_PADDING_SIZE);

    if (!buffer)
        return -ENOMEM;
    memcpy(buffer->data, packet->data, at);
    memcpy(buffer->data + at, b->data, b->count);
    memcpy(buffer->data + at + b->count, packet->data + at, size - at);
    av_buffer_unref(&packet->buf);
    packet->buf = buffer;
    packet->data = buffer->data;
    packet->size += (int)b->count;
    return 0;
}

int sei_insert(AVPacket *packet, const AVFrame *light)
{
    struct bytes b = {.count = 0};

    if (!light)
        return 0;
    put_display(&b, light);
    put_content(&b, light);
    int at = b.count ? find_picture(packet) : -1;
    return at < 0 ? 0 : insert(packet, (size_t)at, &b);
}
