/*
 * schema: the tables, and how an older store becomes a newer one.
 *
 * The version is SQLite's `user_version`: the number of steps that have been
 * carried out. A step is never changed once it has been released; a new need
 * is a new step at the end.
 */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include <stddef.h>

struct error;
struct sqlite3;

#define SCHEMA_APPLICATION_ID 0x54434f44 // "TCOD", marks the file as ours

extern const char *const schema_steps[];
extern const size_t schema_step_count;

/*
 * Is it ours, or empty, and no newer than @count steps? Writes nothing. 0,
 * -ENOTSUP for a newer store, -EINVAL for the file of another program, or
 * -errno.
 */
int schema_check(struct sqlite3 *db, size_t count, struct error *e);

/* Carry out the steps that @db has not seen: all of them or none. */
int schema_migrate(struct sqlite3 *db, const char *const *steps, size_t count,
                   struct error *e);

#endif
