/*
 * statement: every SQL statement of the store, in one table, prepared once.
 *
 * Whoever steps a statement to its end, or to an error, finds it reset; whoever
 * stops earlier calls statement_end(). Parameters count from 1, columns from 0,
 * as SQLite's do.
 */
#ifndef STORE_STATEMENT_H
#define STORE_STATEMENT_H

#include <stdint.h>

struct error;
struct sqlite3;
struct sqlite3_stmt;

enum statement {
    STATEMENT_BEGIN,
    STATEMENT_COMMIT,
    STATEMENT_ROLLBACK,
    STATEMENT_SAVEPOINT,
    STATEMENT_RELEASE,
    STATEMENT_UNDO,
    STATEMENT_JOB_ADD,
    STATEMENT_JOB_BY_KEY,
    STATEMENT_JOB_STATE,
    STATEMENT_JOB_UPDATE,
    STATEMENT_JOB_GET,
    STATEMENT_JOB_PAGE,
    STATEMENT_JOB_LOAD,
    STATEMENT_JOB_COUNT,
    STATEMENT_JOB_LAST,
    STATEMENT_JOB_OLDEST,
    STATEMENT_JOB_FORGET,
    STATEMENT_JOB_REQUEUE,
    STATEMENT_JOB_INTERRUPT,
    STATEMENT_DOCUMENT_ADD,
    STATEMENT_ATTEMPT_PUT,
    STATEMENT_ATTEMPT_GET,
    STATEMENT_ATTEMPT_FORGET,
    STATEMENT_ATTEMPT_INTERRUPT,
    STATEMENT_READING_ADD,
    STATEMENT_READING_REPORT,
    STATEMENT_READING_FORGET,
    STATEMENT_TALLY_ADD,
    STATEMENT_TALLY_REPORT,
    STATEMENT_TALLY_FORGET,
    STATEMENT_COUNT
};

/* Prepare all into @ret, which is all NULL before. 0 or -errno. */
int statement_prepare(struct sqlite3_stmt *ret[STATEMENT_COUNT],
                      struct sqlite3 *db, struct error *e);
void statement_finalize(struct sqlite3_stmt *all[STATEMENT_COUNT]);

/* @text is borrowed until the statement is reset; NULL is SQL's. */
void statement_bind(struct sqlite3_stmt *s, int parameter, int64_t value);
void statement_bind_number(struct sqlite3_stmt *s, int parameter, double value);
void statement_bind_text(struct sqlite3_stmt *s, int parameter,
                         const char *text);

/* 1 with a row, 0 when there are no more, or -errno. */
int statement_step(struct sqlite3_stmt *s, struct error *e);
/* Step one that gives no rows. 0 or -errno. */
int statement_run(struct sqlite3_stmt *s, struct error *e);
void statement_end(struct sqlite3_stmt *s);

/* A copy that the caller frees, or NULL. */
char *statement_text(struct sqlite3_stmt *s, int column);

#endif
