/*
 * failure: SQLite's result codes as negative errno and words.
 */
#ifndef STORE_FAILURE_H
#define STORE_FAILURE_H

struct error;
struct sqlite3;

/* What happened last on @db, as "DOING: words". Returns -errno, never 0. */
int failure_set(struct error *e, struct sqlite3 *db, const char *doing);

#endif
