/*
 * words: what a worker says, as far as it may be believed: not more than
 * anybody could want, and nothing that is no event.
 */
#ifndef DAEMON_WORDS_H
#define DAEMON_WORDS_H

#include <stddef.h>
#include <stdint.h>

struct error;
struct event;

/* Of one worker. */
struct words {
    int64_t left;  // that it may say now
    int64_t since; // monotonic µs
};

void words_init(struct words *w);

/* The event in a document of @size bytes, for the caller to finish; -EBADMSG
 * with what is wrong with it. */
int words_read(struct words *w, const char *text, size_t size,
               struct event *ret, struct error *e);

#endif
