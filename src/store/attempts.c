#include "store/attempts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <sqlite3.h>

#include "base/error.h"
#include "base/memory.h"
#include "store/database.h"
#include "store/trend.h"

int attempts_put(struct database *db, int64_t id, const struct store_attempt *a,
                 struct error *e)
{
    int r = trend_count(db, id, a, e);
    if (r < 0)
        return r;
    sqlite3_stmt *s = database_statement(db, STATEMENT_ATTEMPT_PUT);

    statement_bind(s, 1, id);
    statement_bind(s, 2, a->number);
    statement_bind_text(s, 3, a->device);
    statement_bind(s, 4, a->started);
    statement_bind(s, 5, a->ended);
    statement_bind_text(s, 6, outcome_name(a->outcome));
    statement_bind_text(s, 7, a->plan);
    statement_bind_text(s, 8, a->text);
    statement_bind_text(s, 9, a->log);
    statement_bind_text(s, 10, a->detail);
    statement_bind_text(s, 11, a->given);
    statement_bind_text(s, 12, a->why);
    statement_bind_text(s, 13, a->fallback);
    r = statement_run(s, e);
    if (r == 0 && database_changes(db) == 0)
        return error_set(e, -ENOENT, "no such job: %lld", (long long)id);
    return r;
}

static int read_row(struct store_attempt *ret, sqlite3_stmt *s, struct error *e)
{
    struct store_attempt a = {
        .number = sqlite3_column_int64(s, 0),
        .started = sqlite3_column_int64(s, 2),
        .ended = sqlite3_column_int64(s, 3),
    };

    const char *name = (const char *)sqlite3_column_text(s, 4);
    int outcome = outcome_from_name(name);
    if (outcome < 0)
        return error_set(e, -EBADMSG, "store: '%s' is no outcome", name);
    a.outcome = (enum outcome)outcome;
    (void)snprintf(a.device, sizeof(a.device), "%s",
                   (const char *)sqlite3_column_text(s, 1));
    a.plan = statement_text(s, 5);
    a.text = statement_text(s, 6);
    a.log = statement_text(s, 7);
    a.detail = statement_text(s, 8);
    a.given = statement_text(s, 9);
    a.why = statement_text(s, 10);
    a.fallback = statement_text(s, 11);
    *ret = a;
    return 0;
}

int attempts_get(struct database *db, struct store_record *record,
                 struct error *e)
{
    sqlite3_stmt *s = database_statement(db, STATEMENT_ATTEMPT_GET);
    size_t room = 0;
    int r;

    statement_bind(s, 1, record->job.id);
    while ((r = statement_step(s, e)) > 0) {
        record->attempts =
            xgrow(record->attempts, &room, record->attempt_count + 1,
                  sizeof(record->attempts[0]));
        r = read_row(&record->attempts[record->attempt_count], s, e);
        if (r < 0) {
            statement_end(s);
            break;
        }
        record->attempt_count++;
    }
    return r;
}

int attempts_forget(struct database *db, int64_t id, struct error *e)
{
    sqlite3_stmt *s = database_statement(db, STATEMENT_ATTEMPT_FORGET);

    statement_bind(s, 1, id);
    return statement_run(s, e);
}

int attempts_interrupt(struct database *db, int64_t now, struct error *e)
{
    sqlite3_stmt *s = database_statement(db, STATEMENT_ATTEMPT_INTERRUPT);

    statement_bind_text(s, 1, outcome_name(OUTCOME_INTERRUPTED));
    statement_bind(s, 2, now);
    return statement_run(s, e);
}

struct store_attempt attempts_copy(const struct store_attempt *a)
{
    struct store_attempt copy = *a;

    copy.plan = xstrdup(a->plan);
    copy.text = xstrdup(a->text);
    copy.log = xstrdup(a->log);
    copy.detail = xstrdup(a->detail);
    copy.given = xstrdup(a->given);
    copy.why = xstrdup(a->why);
    copy.fallback = xstrdup(a->fallback);
    return copy;
}
