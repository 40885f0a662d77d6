#include "media/extent.h"

#include <string.h>

#include <libavformat/avformat.h>

#define EBML_HEADER  0x1a45dfa3
#define EBML_SEGMENT 0x18538067

static int64_t end_of_index(AVStream *st)
{
    int count = avformat_index_get_entries_count(st);
    int64_t end = 0;

    for (int i = 0; i < count; i++) {
        const AVIndexEntry *entry = avformat_index_get_entry(st, i);
        if (entry->pos + entry->size > end)
            end = entry->pos + entry->size;
    }
    return end;
}

static int64_t promised_by_index(const AVFormatContext *format)
{
    int64_t end = 0;

    for (unsigned i = 0; i < format->nb_streams; i++) {
        int64_t one = end_of_index(format->streams[i]);
        end = one > end ? one : end;
    }
    return end;
}

/* Read an EBML number of 1 to 8 bytes; the length marker stays in an id and
 * goes from a size. Returns its length, 0 when there is none. */
static size_t read_number(const uint8_t *p, size_t size, int keep_marker,
                          uint64_t *ret)
{
    size_t length = 1;

    if (!size || !*p)
        return 0;
    while (!(*p & (0x80 >> (length - 1))))
        length++;
    if (length > size)
        return 0;
    uint64_t n = keep_marker ? *p : *p & (0x7fU >> (length - 1));
    for (size_t i = 1; i < length; i++)
        n = n << 8 | p[i];
    *ret = n;
    return length;
}

/* The header of the element at *@at: its id, and the size of what follows.
 * Moves *@at behind it. 0 when it is cut off. */
static int read_element(const uint8_t *head, size_t size, size_t *at,
                        uint64_t *ret_id, uint64_t *ret_size)
{
    size_t n = read_number(head + *at, size - *at, 1, ret_id);

    if (!n)
        return 0;
    *at += n;
    n = read_number(head + *at, size - *at, 0, ret_size);
    *at += n;
    // all ones: not known, as in a recording that still runs
    return n && *ret_size != (UINT64_C(1) << (7 * n)) - 1;
}

static int64_t promised_by_segment(const uint8_t *head, size_t size)
{
    uint64_t id = 0;
    uint64_t length = 0;
    size_t at = 0;

    if (!read_element(head, size, &at, &id, &length) || id != EBML_HEADER ||
        length > size - at)
        return 0;
    at += length;
    if (!read_element(head, size, &at, &id, &length) || id != EBML_SEGMENT ||
        length > INT64_MAX / 2)
        return 0;
    return (int64_t)(at + length);
}

int64_t extent_promised(const AVFormatContext *format, const uint8_t *head,
                        size_t size)
{
    const char *name = format->iformat->name;

    if (strcmp(name, "mov,mp4,m4a,3gp,3g2,mj2") == 0)
        return promised_by_index(format);
    if (strcmp(name, "matroska,webm") == 0)
        return promised_by_segment(head, size);
    return 0;
}
