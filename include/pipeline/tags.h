/*
 * tags: what is said about media and is no media: titles, languages, chapters.
 *
 * What describes the old container or its encoder does not come along.
 */
#ifndef PIPELINE_TAGS_H
#define PIPELINE_TAGS_H

#include <stdint.h>

struct AVFormatContext;
struct AVStream;
struct error;

/* Copy the file's metadata. 0 or -errno. */
int tags_copy_file(struct AVFormatContext *out,
                   const struct AVFormatContext *in, struct error *e);

/* Copy a stream's metadata. 0 or -errno. */
int tags_copy_stream(struct AVStream *out, const struct AVStream *in,
                     struct error *e);

/*
 * Copy the chapters that lie between @start and @end (µs on the input's clock;
 * @end INT64_MAX: no end), so that @start becomes @zero. 0 or -errno.
 */
int tags_copy_chapters(struct AVFormatContext *out,
                       const struct AVFormatContext *in, int64_t start,
                       int64_t end, int64_t zero, struct error *e);

#endif
