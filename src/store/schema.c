#include "store/schema.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>

#include <sqlite3.h>

#include "base/error.h"
#include "store/failure.h"

/*
 * Documents lie apart from their jobs, so that loading, counting and paging
 * over 100,000 jobs read a few megabytes. States, outcomes and priorities are
 * words: they outlive the numbers of our enums.
 */
const char *const schema_steps[] = {
    // 1: jobs, documents, attempts
    "CREATE TABLE job ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT," // never the same one twice
    "  uid INTEGER NOT NULL,"
    "  key TEXT,"
    "  state TEXT NOT NULL,"
    "  outcome TEXT NOT NULL,"
    "  priority TEXT NOT NULL,"
    "  attached INTEGER NOT NULL,"
    "  held INTEGER NOT NULL DEFAULT 0,"
    "  attempts INTEGER NOT NULL DEFAULT 0,"
    "  failures INTEGER NOT NULL DEFAULT 0,"
    "  interruptions INTEGER NOT NULL DEFAULT 0,"
    "  created INTEGER NOT NULL," // µs since the epoch
    "  started INTEGER NOT NULL DEFAULT 0,"
    "  ended INTEGER NOT NULL DEFAULT 0"
    ") STRICT;"
    "CREATE UNIQUE INDEX job_key ON job (uid, key) WHERE key IS NOT NULL;"
    "CREATE INDEX job_state ON job (state, id);"
    "CREATE INDEX job_ended ON job (ended) WHERE ended > 0;"
    "CREATE TABLE document ("
    "  job INTEGER PRIMARY KEY REFERENCES job ON DELETE CASCADE,"
    "  text TEXT NOT NULL"
    ") STRICT;"
    "CREATE TABLE attempt ("
    "  job INTEGER NOT NULL REFERENCES job ON DELETE CASCADE,"
    "  number INTEGER NOT NULL,"
    "  device TEXT NOT NULL,"
    "  started INTEGER NOT NULL,"
    "  ended INTEGER NOT NULL,"
    "  outcome TEXT NOT NULL,"
    "  plan TEXT,"
    "  text TEXT,"
    "  log TEXT,"
    "  detail TEXT,"
    "  PRIMARY KEY (job, number)"
    ") STRICT;"
    "CREATE INDEX attempt_open ON attempt (job) WHERE ended = 0;",
    // 2: what was wished of GPUs, and what was given and why
    "ALTER TABLE job ADD COLUMN hardware TEXT NOT NULL DEFAULT 'auto';"
    "ALTER TABLE attempt ADD COLUMN given TEXT;"
    "ALTER TABLE attempt ADD COLUMN why TEXT;"
    "ALTER TABLE attempt ADD COLUMN fallback TEXT;",
    // 3: what is kept of each hour since the epoch
    "CREATE TABLE reading ("
    "  hour INTEGER NOT NULL,"
    "  device TEXT NOT NULL,"
    "  name TEXT NOT NULL,"
    "  least REAL NOT NULL,"
    "  most REAL NOT NULL,"
    "  sum REAL NOT NULL,"
    "  count INTEGER NOT NULL,"
    "  PRIMARY KEY (hour, device, name)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE tally (" // of attempts that have ended
    "  hour INTEGER NOT NULL,"
    "  device TEXT NOT NULL,"
    "  video INTEGER NOT NULL,"
    "  outcome TEXT NOT NULL,"
    "  reason TEXT NOT NULL,"
    "  count INTEGER NOT NULL,"
    "  PRIMARY KEY (hour, device, video, outcome, reason)"
    ") STRICT, WITHOUT ROWID;",
};
const size_t schema_step_count = sizeof(schema_steps) / sizeof(schema_steps[0]);

static int read_number(sqlite3 *db, const char *sql, int64_t *ret,
                       struct error *e)
{
    sqlite3_stmt *statement = NULL;
    int r = 0;

    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK ||
        sqlite3_step(statement) != SQLITE_ROW)
        r = failure_set(e, db, "cannot read");
    else
        *ret = sqlite3_column_int64(statement, 0);
    (void)sqlite3_finalize(statement);
    return r;
}

int schema_check(sqlite3 *db, size_t count, struct error *e)
{
    int64_t application = 0;
    int64_t version = 0;
    int64_t objects = 0;

    int r = read_number(db, "PRAGMA application_id", &application, e);
    if (r == 0)
        r = read_number(db, "PRAGMA user_version", &version, e);
    if (r == 0)
        r = read_number(db, "SELECT count(*) FROM sqlite_schema", &objects, e);
    if (r < 0)
        return r;

    if (application == 0 && version == 0 && objects == 0)
        return 0;
    if (application != SCHEMA_APPLICATION_ID)
        return error_set(e, -EINVAL, "it is another program's database");
    if (version < 0 || version > (int64_t)count)
        return error_set(e, -ENOTSUP,
                         "it has version %lld, and this program knows versions "
                         "up to %zu: a newer one has used it",
                         (long long)version, count);
    return 0;
}

static int run(sqlite3 *db, const char *sql, struct error *e)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return failure_set(e, db, "cannot migrate");
    return 0;
}

int schema_migrate(sqlite3 *db, const char *const *steps, size_t count,
                   struct error *e)
{
    char marks[96];
    int64_t version = 0;

    int r = read_number(db, "PRAGMA user_version", &version, e);
    if (r < 0 || (size_t)version >= count)
        return r;

    (void)snprintf(marks, sizeof(marks),
                   "PRAGMA application_id = %d; PRAGMA user_version = %zu;",
                   SCHEMA_APPLICATION_ID, count);
    r = run(db, "BEGIN IMMEDIATE", e);
    for (size_t i = (size_t)version; r == 0 && i < count; i++)
        r = run(db, steps[i], e);
    if (r == 0)
        r = run(db, marks, e);
    if (r == 0)
        r = run(db, "COMMIT", e);
    if (r < 0)
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return r;
}
