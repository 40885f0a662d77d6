/*
 * whole: up to where a growing output is whole, should no byte follow.
 *
 * libav gives what it is given to the container when all streams have come so
 * far, the container writes it when a fragment or cluster is complete, and keeps
 * a packet more now and then. So the packets of each stream are remembered until
 * they are in bytes that were written; the first that is not is where the
 * stream ends. Pictures and sound count; when the next subtitle comes nobody
 * knows.
 *
 * What it says is never too much. It is too little by a few pictures where what
 * follows a picture that others are shown before is not known yet, and for an
 * output whose sound ends before its pictures, or the other way round.
 *
 * Part of a muxer, and of its thread.
 */
#ifndef PIPELINE_WHOLE_H
#define PIPELINE_WHOLE_H

#include <stdint.h>

struct AVFormatContext;
struct AVPacket;
struct container;
struct whole;

/* Of @format, which is borrowed and has all its streams. Never NULL. */
struct whole *whole_create(const struct AVFormatContext *format,
                           const struct container *container);
void whole_destroy(struct whole *w); // NULL is allowed

/* libav is about to be given @packet, on the clock of its stream. */
void whole_give(struct whole *w, const struct AVPacket *packet);

/* What the container has been given by now is what whole_settle() is about. */
void whole_mark(struct whole *w);

/* What was marked is written, but for what such a container keeps back. The
 * time, µs, up to which all streams are there; INT64_MIN: one is not yet. */
int64_t whole_settle(struct whole *w);

#endif
