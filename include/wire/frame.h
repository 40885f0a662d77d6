/*
 * frame: a stream of bytes ↔ documents, each ended by a NUL byte (varlink's
 * framing, also used between daemon and worker).
 *
 * Pure: no descriptors are read here, but descriptors that came with bytes
 * travel with the document that they belong to: the last one that begins in the
 * chunk they came with (the kernel ends a chunk behind the bytes that carried
 * descriptors).
 */
#ifndef WIRE_FRAME_H
#define WIRE_FRAME_H

#include <stddef.h>

struct frame_reader;

/* @most bytes a document may have, and @most_fds descriptors with one. */
struct frame_reader *frame_reader_create(size_t most, size_t most_fds);

/* Closes descriptors that nobody took. NULL is allowed. */
void frame_reader_destroy(struct frame_reader *r);

/*
 * Add a chunk of bytes and the descriptors that came with it; both are taken
 * over, the descriptors also on failure. How many whole documents wait is the
 * caller's matter: take them before the next chunk. 0, or -EMSGSIZE when a document grows
 * over its limit, -E2BIG when it has too many descriptors: the connection is to
 * be closed.
 */
int frame_push(struct frame_reader *r, const void *data, size_t size,
               const int *fds, size_t fd_count);

/*
 * The next whole document: 1 with a NUL-terminated text that lives until the
 * next call with @r, and with its descriptors, which the caller now owns
 * (@ret_fds has room for most_fds). 0 when there is none yet.
 */
int frame_next(struct frame_reader *r, const char **ret_text, size_t *ret_size,
               int *ret_fds, size_t *ret_fd_count);

#endif
