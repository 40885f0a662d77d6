/*
 * extent: does a file hold all that its headers promise?
 */
#ifndef MEDIA_EXTENT_H
#define MEDIA_EXTENT_H

#include <stddef.h>
#include <stdint.h>

struct AVFormatContext;

/*
 * Where the last byte that an index or header speaks of ends: of MP4 by its
 * sample tables, of Matroska by the size of its segment, which is in the file's
 * first @size bytes, @head. 0 where nothing says it.
 */
int64_t extent_promised(const struct AVFormatContext *format,
                        const uint8_t *head, size_t size);

#endif
