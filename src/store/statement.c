#include "store/statement.h"

#include <assert.h>
#include <stddef.h>

#include <sqlite3.h>

#include "base/memory.h"
#include "store/failure.h"

#define JOB_COLUMNS \
    "job.id, uid, state, priority, attached, held, attempts, failures, " \
    "interruptions, created, started, ended, outcome, key, hardware"

/* One stream a state, each in order by its index; SQLite merges them lazily, so
 * that a page costs its own length, whatever lies between its rows. */
#define PAGE_OF(parameter) \
    "SELECT id FROM job WHERE state = " parameter " AND id < ?1"

// clang-format off
static const char *const texts[STATEMENT_COUNT] = {
    [STATEMENT_BEGIN]     = "BEGIN",
    [STATEMENT_COMMIT]    = "COMMIT",
    [STATEMENT_ROLLBACK]  = "ROLLBACK",
    [STATEMENT_SAVEPOINT] = "SAVEPOINT request",
    [STATEMENT_RELEASE]   = "RELEASE request",
    [STATEMENT_UNDO]      = "ROLLBACK TO request",

    [STATEMENT_JOB_ADD] =
        "INSERT INTO job (id, uid, key, state, outcome, priority, attached,"
        " created, hardware) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    [STATEMENT_JOB_BY_KEY] =
        "SELECT id, document.text FROM job JOIN document ON document.job = id"
        " WHERE uid = ?1 AND key = ?2",
    [STATEMENT_JOB_STATE] =
        "SELECT state FROM job WHERE id = ?1",
    [STATEMENT_JOB_UPDATE] =
        "UPDATE job SET state = ?2, held = ?3, attempts = ?4, failures = ?5,"
        " interruptions = ?6, outcome = ?7, ended = ?8,"
        " started = CASE WHEN ?9 = 0 OR started = 0 THEN ?9 ELSE started END"
        " WHERE id = ?1",
    [STATEMENT_JOB_GET] =
        "SELECT " JOB_COLUMNS ", document.text"
        " FROM job JOIN document ON document.job = id WHERE id = ?1",
    [STATEMENT_JOB_PAGE] =
        "WITH page(id) AS ("
        PAGE_OF("?3") " UNION ALL " PAGE_OF("?4") " UNION ALL "
        PAGE_OF("?5") " UNION ALL " PAGE_OF("?6") " UNION ALL "
        PAGE_OF("?7") " UNION ALL " PAGE_OF("?8") " UNION ALL "
        PAGE_OF("?9") " ORDER BY id DESC LIMIT ?2)"
        " SELECT " JOB_COLUMNS ", document.text FROM page"
        " CROSS JOIN job USING (id)"
        " CROSS JOIN document ON document.job = page.id",
    [STATEMENT_JOB_LOAD] =
        "SELECT " JOB_COLUMNS " FROM job WHERE state = ?1 ORDER BY id",
    [STATEMENT_JOB_COUNT] =
        "SELECT state, count(*) FROM job GROUP BY state",
    [STATEMENT_JOB_LAST] =
        "SELECT seq FROM sqlite_sequence WHERE name = 'job'",
    [STATEMENT_JOB_OLDEST] =
        "SELECT id, ended, state FROM job WHERE ended > 0"
        " ORDER BY ended, id LIMIT ?1",
    [STATEMENT_JOB_FORGET] =
        "DELETE FROM job WHERE id = ?1",
    [STATEMENT_JOB_REQUEUE] =
        "UPDATE job SET state = ?1, held = held OR state = ?2,"
        " interruptions = interruptions + 1"
        " WHERE attached = 0 AND state IN (?2, ?3, ?4)",
    [STATEMENT_JOB_INTERRUPT] =
        "UPDATE job SET state = ?1, outcome = ?2, ended = ?3"
        " WHERE attached = 1 AND state IN (?4, ?5, ?6, ?7)",

    [STATEMENT_DOCUMENT_ADD] =
        "INSERT INTO document (job, text) VALUES (?1, ?2)",

    [STATEMENT_ATTEMPT_PUT] =
        "REPLACE INTO attempt (job, number, device, started, ended, outcome,"
        " plan, text, log, detail, given, why, fallback)"
        " SELECT id, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13"
        " FROM job WHERE id = ?1",
    [STATEMENT_ATTEMPT_GET] =
        "SELECT number, device, started, ended, outcome, plan, text, log,"
        " detail, given, why, fallback FROM attempt WHERE job = ?1 ORDER BY number",
    [STATEMENT_ATTEMPT_FORGET] =
        "DELETE FROM attempt WHERE job = ?1",
    [STATEMENT_ATTEMPT_INTERRUPT] =
        "UPDATE attempt SET outcome = ?1, ended = ?2 WHERE ended = 0",

    [STATEMENT_READING_ADD] =
        "INSERT INTO reading (hour, device, name, least, most, sum, count)"
        " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
        " ON CONFLICT DO UPDATE SET least = min(least, excluded.least),"
        " most = max(most, excluded.most), sum = sum + excluded.sum,"
        " count = count + excluded.count",
    [STATEMENT_READING_REPORT] =
        "SELECT hour / ?2 * ?2 AS step, device, name, min(least), max(most),"
        " sum(sum), sum(count) FROM reading WHERE hour >= ?1"
        " GROUP BY step, device, name",
    [STATEMENT_READING_FORGET] =
        "DELETE FROM reading WHERE hour < ?1",
    // an attempt that has ended already was counted then
    [STATEMENT_TALLY_ADD] =
        "INSERT INTO tally (hour, device, video, outcome, reason, count)"
        " SELECT ?3, ?4, ?5, ?6,"
        " substr(coalesce(?7, json_extract(?8, '$[#-1]'), ''), 1, 160), 1"
        " FROM job WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM attempt"
        " WHERE job = ?1 AND number = ?2 AND ended > 0)"
        " ON CONFLICT DO UPDATE SET count = count + 1",
    [STATEMENT_TALLY_REPORT] =
        "SELECT hour / ?2 * ?2 AS step, device, video, outcome, reason,"
        " sum(count) FROM tally WHERE hour >= ?1"
        " GROUP BY step, device, video, outcome, reason",
    [STATEMENT_TALLY_FORGET] =
        "DELETE FROM tally WHERE hour < ?1",
};
// clang-format on

int statement_prepare(sqlite3_stmt *ret[STATEMENT_COUNT], sqlite3 *db,
                      struct error *e)
{
    for (size_t i = 0; i < STATEMENT_COUNT; i++) {
        if (sqlite3_prepare_v3(db, texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &ret[i], NULL) != SQLITE_OK)
            return failure_set(e, db, "cannot prepare a statement");
    }
    return 0;
}

void statement_finalize(sqlite3_stmt *all[STATEMENT_COUNT])
{
    for (size_t i = 0; i < STATEMENT_COUNT; i++)
        (void)sqlite3_finalize(all[i]);
}

/* Binding fails for lack of memory or by our own slip; the first is not
 * survived anywhere else either. */
void statement_bind(sqlite3_stmt *s, int parameter, int64_t value)
{
    int code = sqlite3_bind_int64(s, parameter, value);
    assert(code == SQLITE_OK);
    (void)code;
}

void statement_bind_number(sqlite3_stmt *s, int parameter, double value)
{
    int code = sqlite3_bind_double(s, parameter, value);
    assert(code == SQLITE_OK);
    (void)code;
}

void statement_bind_text(sqlite3_stmt *s, int parameter, const char *text)
{
    int code = sqlite3_bind_text(s, parameter, text, -1, SQLITE_STATIC);
    assert(code == SQLITE_OK);
    (void)code;
}

int statement_step(sqlite3_stmt *s, struct error *e)
{
    int code = sqlite3_step(s);

    if (code == SQLITE_ROW)
        return 1;
    int r = 0;
    if (code != SQLITE_DONE)
        r = failure_set(e, sqlite3_db_handle(s), "store");
    statement_end(s);
    return r;
}

int statement_run(sqlite3_stmt *s, struct error *e)
{
    int r = statement_step(s, e);

    assert(r <= 0);
    return r;
}

void statement_end(sqlite3_stmt *s)
{
    (void)sqlite3_reset(s); // says again what the step has said
    (void)sqlite3_clear_bindings(s);
}

char *statement_text(sqlite3_stmt *s, int column)
{
    return xstrdup((const char *)sqlite3_column_text(s, column));
}
