/*
 * parameters: what an output says of one of its streams, as its container and
 * players want it.
 */
#ifndef PIPELINE_PARAMETERS_H
#define PIPELINE_PARAMETERS_H

struct AVFormatContext;
struct AVStream;
struct container;
struct error;
struct item;

/* Of a stream of @format that gets the packets of @in. 0 or -errno with words.
 */
int parameters_copy(struct AVStream *out, const struct AVStream *in,
                    const struct AVFormatContext *format,
                    const struct container *container, struct error *e);

/* Of one that gets an encoder's packets, by its ITEM_FORMAT. 0 or -errno with
 * words. */
int parameters_take(struct AVStream *out, const struct item *item,
                    const struct container *container, struct error *e);

#endif
