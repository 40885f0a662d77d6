/*
 * sql: a look into a database, past the code that is tested. All of these
 * assert.
 */
#ifndef SUPPORT_SQL_H
#define SUPPORT_SQL_H

#include <stdint.h>

struct sqlite3;

void sql_run(struct sqlite3 *db, const char *sql);

/* The number in the first column of the first row. */
int64_t sql_ask(struct sqlite3 *db, const char *sql);

/* The text there; the caller frees. */
char *sql_read(struct sqlite3 *db, const char *sql);

#endif
