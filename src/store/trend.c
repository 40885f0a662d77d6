#include "store/trend.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "base/error.h"
#include "base/memory.h"
#include "store/database.h"
#include "store/store.h"

/* What a plan, a JSON array of strings without escapes, says of video. */
struct plan {
    bool has_video;    // that is decoded: by libav on the CPU, or by NVDEC
    bool encodes_here; // some of it not by NVENC
};

static bool has_prefix(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

static struct plan read_plan(const char *text)
{
    struct plan plan = {0};

    while (text && (text = strchr(text, '"'))) {
        const char *end = strchr(++text, '"');
        const char *nvenc = strstr(text, "_nvenc");
        if (!end)
            break;
        if (has_prefix(text, "nvdec>") || has_prefix(text, "native>")) {
            plan.has_video = true;
            plan.encodes_here |= !nvenc || nvenc > end;
        }
        text = end + 1;
    }
    return plan;
}

int trend_count(struct database *db, int64_t id, const struct store_attempt *a,
                struct error *e)
{
    if (!a->ended)
        return 0;
    sqlite3_stmt *s = database_statement(db, STATEMENT_TALLY_ADD);
    const struct plan plan = read_plan(a->plan);

    statement_bind(s, 1, id);
    statement_bind(s, 2, a->number);
    statement_bind(s, 3, a->ended / REPORT_HOUR);
    statement_bind_text(s, 4, a->device);
    statement_bind(s, 5, plan.has_video);
    statement_bind_text(s, 6, outcome_name(a->outcome));
    statement_bind_text(s, 7, a->fallback);
    // the last reason of a plan is the scheduler's: why it is not all NVENC
    statement_bind_text(s, 8, plan.encodes_here ? a->why : NULL);
    return statement_run(s, e);
}

int trend_note(struct database *db, int64_t now,
               const struct store_reading *readings, size_t count,
               struct error *e)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < count; i++) {
        const struct store_reading *n = &readings[i];
        sqlite3_stmt *s = database_statement(db, STATEMENT_READING_ADD);
        statement_bind(s, 1, now / REPORT_HOUR);
        statement_bind_text(s, 2, n->device);
        statement_bind_text(s, 3, n->name);
        statement_bind_number(s, 4, n->least);
        statement_bind_number(s, 5, n->most);
        statement_bind_number(s, 6, n->sum);
        statement_bind(s, 7, n->count);
        r = statement_run(s, e);
    }
    return r;
}

static void copy_text(char *ret, size_t size, sqlite3_stmt *s, int column)
{
    (void)snprintf(ret, size, "%s",
                   (const char *)sqlite3_column_text(s, column));
}

static void read_step(struct store_step *ret, sqlite3_stmt *s)
{
    *ret = (struct store_step){
        .time = sqlite3_column_int64(s, 0) * REPORT_HOUR,
        .reading = {.least = sqlite3_column_double(s, 3),
                    .most = sqlite3_column_double(s, 4),
                    .sum = sqlite3_column_double(s, 5),
                    .count = sqlite3_column_int64(s, 6)},
    };
    copy_text(ret->reading.device, sizeof(ret->reading.device), s, 1);
    copy_text(ret->reading.name, sizeof(ret->reading.name), s, 2);
}

static int read_tally(struct store_tally *ret, sqlite3_stmt *s, struct error *e)
{
    const char *name = (const char *)sqlite3_column_text(s, 3);
    int outcome = outcome_from_name(name);

    if (outcome < 0)
        return error_set(e, -EBADMSG, "store: '%s' is no outcome", name);
    *ret = (struct store_tally){
        .time = sqlite3_column_int64(s, 0) * REPORT_HOUR,
        .is_video = sqlite3_column_int(s, 2) != 0,
        .outcome = (enum outcome)outcome,
        .reason = statement_text(s, 4),
        .count = sqlite3_column_int64(s, 5),
    };
    copy_text(ret->device, sizeof(ret->device), s, 1);
    return 0;
}

static sqlite3_stmt *ask(struct database *db, enum statement which,
                         int64_t since, int32_t step)
{
    sqlite3_stmt *s = database_statement(db, which);

    statement_bind(s, 1, since / REPORT_HOUR);
    statement_bind(s, 2, step);
    return s;
}

static int read_steps(struct database *db, struct store_report *ret,
                      int64_t since, int32_t step, struct error *e)
{
    sqlite3_stmt *s = ask(db, STATEMENT_READING_REPORT, since, step);
    size_t room = 0;
    int r;

    while ((r = statement_step(s, e)) > 0) {
        ret->steps = xgrow(ret->steps, &room, ret->step_count + 1,
                           sizeof(ret->steps[0]));
        read_step(&ret->steps[ret->step_count++], s);
    }
    return r;
}

static int read_tallies(struct database *db, struct store_report *ret,
                        int64_t since, int32_t step, struct error *e)
{
    sqlite3_stmt *s = ask(db, STATEMENT_TALLY_REPORT, since, step);
    size_t room = 0;
    int r;

    while ((r = statement_step(s, e)) > 0) {
        ret->tallies = xgrow(ret->tallies, &room, ret->tally_count + 1,
                             sizeof(ret->tallies[0]));
        r = read_tally(&ret->tallies[ret->tally_count], s, e);
        if (r < 0) {
            statement_end(s);
            break;
        }
        ret->tally_count++;
    }
    return r;
}

int trend_report(struct database *db, struct store_report *ret, int64_t since,
                 int32_t step, struct error *e)
{
    struct store_report report = {0};

    int r = read_steps(db, &report, since, step, e);
    if (r == 0)
        r = read_tallies(db, &report, since, step, e);
    if (r == 0)
        *ret = report;
    else
        store_report_fini(&report);
    return r;
}

int trend_prune(struct database *db, int64_t before, struct error *e)
{
    static const enum statement which[] = {STATEMENT_READING_FORGET,
                                           STATEMENT_TALLY_FORGET};
    int r = 0;

    for (size_t i = 0; r == 0 && i < 2; i++) {
        sqlite3_stmt *s = database_statement(db, which[i]);
        statement_bind(s, 1, before / REPORT_HOUR);
        r = statement_run(s, e);
    }
    return r;
}
