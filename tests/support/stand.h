/*
 * stand: one stage alone, between queues that the test fills and empties.
 *
 * Nothing runs beside it: what it shall receive is there before it runs, and
 * what it sends has room until the test takes it. All of these assert.
 */
#ifndef SUPPORT_STAND_H
#define SUPPORT_STAND_H

#include <stddef.h>

#include "base/error.h"

struct item;
struct queue;
struct source;
struct stage;

struct stand {
    struct stage *stage; // owned
    struct queue *in;    // owned
    struct queue *out;   // owned
    struct error error;  // of the stage's end
};

/* Consumes @stage, which sends to one queue, or to none (a muxer). */
enum stand_sends { STAND_SENDS, STAND_KEEPS };
void stand_init(struct stand *s, struct stage *stage, enum stand_sends sends);
void stand_fini(struct stand *s);

void stand_feed(struct stand *s, struct item *item); // consumes

/* Run it to the end of what it was fed; what stage_run() says. */
int stand_run(struct stand *s);

/* The next item that it sent, which the caller owns; NULL behind the last. */
struct item *stand_take(struct stand *s);

/* The media in FOLDER/NAME; the caller calls source_close(). */
struct source *stand_open(const char *folder, const char *name);

/* All packets of stream @stream to the stage, as track 0; how many. */
int stand_feed_stream(struct stand *s, struct source *source, size_t stream);

#endif
