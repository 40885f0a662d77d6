/*
 * opener: the worker's side of the file channel (wire/channel.h).
 *
 * Blocking questions and answers; one thread.
 */
#ifndef WORKER_OPENER_H
#define WORKER_OPENER_H

#include <stdint.h>

#include "wire/channel.h"

struct error;

/*
 * Each asks on the channel @fd, which stays the caller's, and waits for the
 * answer. 0, or -errno with the opener's words; -ECONNRESET when it hung up.
 */
int opener_attempt(int fd, int64_t attempt, struct error *e);
int opener_open(int fd, enum channel_role role, int number, int *ret_fd,
                struct error *e);
int opener_done(int fd, enum channel_role role, int number, struct error *e);

#endif
