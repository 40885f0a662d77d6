/*
 * discard: letting go of descriptors that strangers sent and that are no file
 * channels.
 *
 * close() asks the file's file system, and a client's own FUSE may never
 * answer; the thread that waits for it cannot be killed. So this is never the
 * loop's thread. While many such threads wait, no descriptors are received.
 */
#ifndef DAEMON_DISCARD_H
#define DAEMON_DISCARD_H

#include <stdbool.h>
#include <stddef.h>

struct discard;

struct discard *discard_create(void);

/* Threads that wait still have their use of it. NULL is allowed. */
void discard_destroy(struct discard *d);

/* Is any of @fds none that may stay: anything but a Unix socket? */
bool discard_wants(const int *fds, size_t count);

/* Consumes @fds, at most LIMITS_FDS. Returns at once. */
void discard_take(struct discard *d, const int *fds, size_t count);

/* Do so many threads wait that there must not be more? */
bool discard_is_full(const struct discard *d);

#endif
