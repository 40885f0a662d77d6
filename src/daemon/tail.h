/*
 * tail: the last lines of what a stranger writes. Pure. Lines are cut to a
 * sane length and hold no control characters.
 */
#ifndef DAEMON_TAIL_H
#define DAEMON_TAIL_H

#include <stddef.h>

struct json_t;
struct tail;

struct tail *tail_create(size_t lines);
void tail_destroy(struct tail *t); // NULL is allowed

/* More bytes; lines need not be whole. @on_line, which may be NULL, gets each
 * line when it is. */
void tail_write(struct tail *t, const char *data, size_t size,
                void (*on_line)(void *user, const char *line), void *user);

/* Oldest first, an unfinished line included: a new reference. */
struct json_t *tail_to_json(const struct tail *t);

#endif
