/*
 * source: an input that is opened, and known.
 *
 * Nothing is decoded to find out what the container's headers say already
 * (inspect_header_suffices), so that copying a file starts at once. The packets
 * that were read to learn when the streams begin are given out again by
 * source_read().
 *
 * One thread at a time.
 */
#ifndef MEDIA_SOURCE_H
#define MEDIA_SOURCE_H

#include <stdint.h>

#include "media/info.h"

struct AVFormatContext;
struct AVPacket;
struct error;
struct file_io;
struct source;

struct source_request {
    const char *format;       // libav's name, NULL: probe
    int64_t probe_size;       // bytes
    int64_t analyze_duration; // µs, < 0: libav's own
};

/*
 * Open, find out, and check that it is media at all. Consumes @io, on failure
 * too. 0, or -errno with words for a person.
 */
int source_open(struct source **ret, struct file_io *io,
                const struct source_request *request, struct error *e);
void source_close(struct source *s); // NULL is allowed

struct AVFormatContext *source_format(struct source *s);
const struct media_info *source_info(const struct source *s);

/* Bytes read so far; may be called by any thread. */
int64_t source_moved(const struct source *s);

/* Only packets of the streams for which @used[stream] is set will come. */
void source_use(struct source *s, const bool *used);

/* Go to the key frame at or before @time (µs of the input's own clock). 0 or
 * -errno; when it cannot, the source stays where it was. */
int source_seek(struct source *s, int64_t time);

/*
 * The next packet: 1, 0 at the end, or -errno with words. A file that became
 * shorter while it was read is an error, and so is one that ends in the middle.
 */
int source_read(struct source *s, struct AVPacket *packet, struct error *e);

#endif
