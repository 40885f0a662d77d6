/*
 * database: the one connection to the file, its lock, its transactions, and
 * the counts that change with them.
 *
 * Opened on the loop's thread, then used by the store's thread alone.
 */
#ifndef STORE_DATABASE_H
#define STORE_DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/state.h"
#include "store/statement.h"

struct database;
struct error;

#define DATABASE_FILE "jobs.sqlite"
#define DATABASE_LOCK "jobs.lock"

/*
 * Lock @folder against other daemons, open or create the file in it, check and
 * migrate it, prepare every statement. Errors as store_open().
 */
int database_open(struct database **ret, const char *folder, struct error *e);
void database_close(struct database *db); // NULL is allowed

/* See store_check(). */
int database_check(const char *folder, struct error *e);

/*
 * A transaction, and a savepoint in it for each request, so that a failing one
 * is undone alone. Both cover the counts. After a failure of database_begin(),
 * _release() or _commit(): database_rollback().
 */
int database_begin(struct database *db, struct error *e);
int database_commit(struct database *db, struct error *e);
void database_rollback(struct database *db);
int database_savepoint(struct database *db, struct error *e);
int database_release(struct database *db, struct error *e);
int database_undo(struct database *db, struct error *e); // to the savepoint

/* SQLite ends a transaction by itself on some errors, a full disk for one. */
bool database_in_transaction(const struct database *db);

/* Ready for values; borrowed. */
struct sqlite3_stmt *database_statement(struct database *db,
                                        enum statement which);

/* Rows that the last statement changed. */
int64_t database_changes(const struct database *db);

/* How many jobs are in each state; whoever changes a job keeps it right. */
int64_t *database_counts(struct database *db);

#endif
