#include "store/jobs.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "base/error.h"
#include "base/memory.h"
#include "store/attempts.h"
#include "store/database.h"

#define PRUNE_STEP 200 // jobs in one request, for others wait meanwhile

static int no_such_job(int64_t id, struct error *e)
{
    return error_set(e, -ENOENT, "no such job: %lld", (long long)id);
}

/* -1 when there is no such priority. */
static int priority_from_name(const char *name)
{
    for (int p = 0; p < JOB_PRIORITY_COUNT; p++) {
        if (strcmp(job_priority_name((enum job_priority)p), name) == 0)
            return p;
    }
    return -1;
}

/* A name in column @column as the number that @from_name knows it by, or
 * -EBADMSG. */
static int read_name(sqlite3_stmt *s, int column, int from_name(const char *),
                     struct error *e)
{
    const char *name = (const char *)sqlite3_column_text(s, column);
    int value = name ? from_name(name) : -1;

    if (value < 0)
        return error_set(e, -EBADMSG, "store: '%s' is no %s",
                         name ? name : "NULL", sqlite3_column_name(s, column));
    return value;
}

/* Columns as JOB_COLUMNS of statement.c has them. */
static int read_job(struct store_job *ret, sqlite3_stmt *s, struct error *e)
{
    int state = read_name(s, 2, state_from_name, e);
    if (state < 0)
        return state;
    int priority = read_name(s, 3, priority_from_name, e);
    if (priority < 0)
        return priority;
    int hardware = read_name(s, 14, job_hardware_from_name, e);
    if (hardware < 0)
        return hardware;

    *ret = (struct store_job){
        .id = sqlite3_column_int64(s, 0),
        .uid = (uid_t)sqlite3_column_int64(s, 1),
        .state = (enum state)state,
        .priority = (enum job_priority)priority,
        .hardware = (enum job_hardware)hardware,
        .attached = sqlite3_column_int(s, 4) != 0,
        .held = sqlite3_column_int(s, 5) != 0,
        .attempts = sqlite3_column_int(s, 6),
        .failures = sqlite3_column_int(s, 7),
        .interruptions = sqlite3_column_int(s, 8),
        .created = sqlite3_column_int64(s, 9),
    };
    return 0;
}

static int read_record(struct store_record *ret, sqlite3_stmt *s,
                       struct error *e)
{
    struct store_record record = {0};

    int r = read_job(&record.job, s, e);
    if (r < 0)
        return r;
    int outcome = read_name(s, 12, outcome_from_name, e);
    if (outcome < 0)
        return outcome;

    record.started = sqlite3_column_int64(s, 10);
    record.ended = sqlite3_column_int64(s, 11);
    record.outcome = (enum outcome)outcome;
    record.key = statement_text(s, 13);
    record.document = statement_text(s, 15);
    *ret = record;
    return 0;
}

/* 0 when the key is free, else as jobs_add(). */
static int find_key(struct database *db, int64_t *ret_id,
                    const struct jobs_new *n, struct error *e)
{
    sqlite3_stmt *s = database_statement(db, STATEMENT_JOB_BY_KEY);

    statement_bind(s, 1, n->job.uid);
    statement_bind_text(s, 2, n->key);
    int r = statement_step(s, e);
    if (r <= 0)
        return r;

    int64_t id = sqlite3_column_int64(s, 0);
    const char *document = (const char *)sqlite3_column_text(s, 1);
    if (strcmp(document, n->document) == 0)
        *ret_id = id;
    else
        r = error_set_field(e, -EEXIST, "key",
                            "'%s' already names job %lld, which is another",
                            n->key, (long long)id);
    statement_end(s);
    return r;
}

static int insert(struct database *db, const struct jobs_new *n,
                  struct error *e)
{
    sqlite3_stmt *s = database_statement(db, STATEMENT_JOB_ADD);

    statement_bind(s, 1, n->job.id);
    statement_bind(s, 2, n->job.uid);
    statement_bind_text(s, 3, n->key);
    statement_bind_text(s, 4, state_name(n->job.state));
    statement_bind_text(s, 5, outcome_name(OUTCOME_NONE));
    statement_bind_text(s, 6, job_priority_name(n->job.priority));
    statement_bind(s, 7, n->job.attached);
    statement_bind(s, 8, n->job.created);
    statement_bind_text(s, 9, job_hardware_name(n->job.hardware));
    int r = statement_run(s, e);
    if (r < 0)
        return r;

    s = database_statement(db, STATEMENT_DOCUMENT_ADD);
    statement_bind(s, 1, n->job.id);
    statement_bind_text(s, 2, n->document);
    return statement_run(s, e);
}

int jobs_add(struct database *db, int64_t *ret_id, const struct jobs_new *n,
             struct error *e)
{
    int r = n->key ? find_key(db, ret_id, n, e) : 0;
    if (r != 0)
        return r;
    if (n->is_full)
        return error_set(e, -EDQUOT, "its owner has too many jobs");
    r = insert(db, n, e);
    if (r < 0)
        return r;
    database_counts(db)[n->job.state]++;
    *ret_id = n->job.id;
    return 0;
}

static int current_state(struct database *db, int64_t id, struct error *e)
{
    sqlite3_stmt *s = database_statement(db, STATEMENT_JOB_STATE);

    statement_bind(s, 1, id);
    int r = statement_step(s, e);
    if (r == 0)
        return no_such_job(id, e);
    if (r < 0)
        return r;
    r = read_name(s, 0, state_from_name, e);
    statement_end(s);
    return r;
}

static int write_update(struct database *db, const struct store_job *job,
                        enum outcome outcome, int64_t now, struct error *e)
{
    sqlite3_stmt *s = database_statement(db, STATEMENT_JOB_UPDATE);
    bool ended = state_is_terminal(job->state);

    statement_bind(s, 1, job->id);
    statement_bind_text(s, 2, state_name(job->state));
    statement_bind(s, 3, job->held);
    statement_bind(s, 4, job->attempts);
    statement_bind(s, 5, job->failures);
    statement_bind(s, 6, job->interruptions);
    statement_bind_text(s, 7, outcome_name(ended ? outcome : OUTCOME_NONE));
    statement_bind(s, 8, ended ? now : 0);
    statement_bind(s, 9, job->attempts > 0 ? now : 0); // it has not started
    return statement_run(s, e);
}

int jobs_update(struct database *db, const struct store_job *job,
                enum outcome outcome, int64_t now, struct error *e)
{
    int before = current_state(db, job->id, e);
    if (before < 0)
        return before;
    if (state_is_terminal(job->state) && outcome == OUTCOME_NONE)
        return error_set(e, -EINVAL, "job %lld ends without an outcome",
                         (long long)job->id);

    int r = write_update(db, job, outcome, now, e);
    if (r < 0)
        return r;
    database_counts(db)[before]--;
    database_counts(db)[job->state]++;

    // Retry: attempts count from 1 again
    if (state_is_terminal((enum state)before) && !state_is_terminal(job->state))
        return attempts_forget(db, job->id, e);
    return 0;
}

int jobs_get(struct database *db, struct store_record *ret, int64_t id,
             struct error *e)
{
    sqlite3_stmt *s = database_statement(db, STATEMENT_JOB_GET);
    struct store_record record;

    statement_bind(s, 1, id);
    int r = statement_step(s, e);
    if (r == 0)
        return no_such_job(id, e);
    if (r < 0)
        return r;
    r = read_record(&record, s, e);
    statement_end(s);
    if (r < 0)
        return r;

    r = attempts_get(db, &record, e);
    if (r < 0) {
        store_record_fini(&record);
        return r;
    }
    *ret = record;
    return 0;
}

static void bind_page(sqlite3_stmt *s, unsigned states, int64_t before,
                      size_t limit)
{
    statement_bind(s, 1, before > 0 ? before : INT64_MAX);
    statement_bind(s, 2, limit < INT32_MAX ? (int64_t)limit : INT32_MAX);
    for (int i = 0; i < STATE_COUNT; i++) {
        if (states == 0 || states & 1U << i)
            statement_bind_text(s, 3 + i, state_name((enum state)i));
    }
}

/* Documents of one page, bytes: parsing them keeps the reader busy for a few
 * hundredths of a second, and the reply fits in any client's bound. */
#define PAGE_BYTES (4 << 20)

int jobs_list(struct database *db, struct store_record **ret, size_t *ret_count,
              unsigned states, int64_t before, size_t limit, struct error *e)
{
    sqlite3_stmt *s = database_statement(db, STATEMENT_JOB_PAGE);
    struct store_record *records = NULL;
    size_t room = 0;
    size_t count = 0;
    size_t bytes = 0;
    int r;

    bind_page(s, states, before, limit);
    while ((r = statement_step(s, e)) > 0) {
        if (bytes >= PAGE_BYTES) {
            statement_end(s);
            r = 0;
            break;
        }
        records = xgrow(records, &room, count + 1, sizeof(records[0]));
        r = read_record(&records[count], s, e);
        if (r < 0) {
            statement_end(s);
            break;
        }
        bytes += strlen(records[count].document);
        count++;
    }
    if (r < 0) {
        while (count > 0)
            store_record_fini(&records[--count]);
        free(records);
        return r;
    }
    *ret = records;
    *ret_count = count;
    return 0;
}

/* Recovery has left no other state that is not an end. */
int jobs_load(struct database *db, struct store_job **ret, size_t *ret_count,
              struct error *e)
{
    sqlite3_stmt *s = database_statement(db, STATEMENT_JOB_LOAD);
    struct store_job *jobs = NULL;
    size_t room = 0;
    size_t count = 0;
    int r;

    statement_bind_text(s, 1, state_name(STATE_QUEUED));
    while ((r = statement_step(s, e)) > 0) {
        jobs = xgrow(jobs, &room, count + 1, sizeof(jobs[0]));
        r = read_job(&jobs[count], s, e);
        if (r < 0) {
            statement_end(s);
            break;
        }
        count++;
    }
    if (r < 0) {
        free(jobs);
        return r;
    }
    *ret = jobs;
    *ret_count = count;
    return 0;
}

static int64_t count_ended(struct database *db)
{
    const int64_t *counts = database_counts(db);
    int64_t ended = 0;

    for (int i = 0; i < STATE_COUNT; i++) {
        if (state_is_terminal((enum state)i))
            ended += counts[i];
    }
    return ended;
}

struct ended_job {
    int64_t id;
    int64_t ended;
    enum state state;
};

static int oldest_ended(struct database *db, struct ended_job ret[PRUNE_STEP],
                        size_t *ret_count, struct error *e)
{
    sqlite3_stmt *s = database_statement(db, STATEMENT_JOB_OLDEST);
    size_t count = 0;
    int r;

    statement_bind(s, 1, PRUNE_STEP);
    while ((r = statement_step(s, e)) > 0) {
        assert(count < PRUNE_STEP);
        int state = read_name(s, 2, state_from_name, e);
        if (state < 0) {
            statement_end(s);
            return state;
        }
        ret[count++] = (struct ended_job){
            .id = sqlite3_column_int64(s, 0),
            .ended = sqlite3_column_int64(s, 1),
            .state = (enum state)state,
        };
    }
    if (r == 0)
        *ret_count = count;
    return r;
}

static int forget(struct database *db, const struct ended_job *job,
                  struct error *e)
{
    sqlite3_stmt *s = database_statement(db, STATEMENT_JOB_FORGET);

    statement_bind(s, 1, job->id);
    int r = statement_run(s, e); // its document and attempts go with it
    if (r == 0)
        database_counts(db)[job->state]--;
    return r;
}

int jobs_prune(struct database *db, int64_t before, int64_t keep,
               struct error *e)
{
    struct ended_job oldest[PRUNE_STEP];
    size_t count = 0;

    int64_t surplus = count_ended(db) - keep;
    int r = oldest_ended(db, oldest, &count, e);
    for (size_t i = 0; r == 0 && i < count; i++) {
        if ((int64_t)i >= surplus && oldest[i].ended >= before)
            return 0;
        r = forget(db, &oldest[i], e);
    }
    return r < 0 ? r : count == PRUNE_STEP;
}

static int requeue_detached(struct database *db, struct error *e)
{
    sqlite3_stmt *s = database_statement(db, STATEMENT_JOB_REQUEUE);

    statement_bind_text(s, 1, state_name(STATE_QUEUED));
    statement_bind_text(s, 2, state_name(STATE_PAUSED));
    statement_bind_text(s, 3, state_name(STATE_STARTING));
    statement_bind_text(s, 4, state_name(STATE_RUNNING));
    return statement_run(s, e);
}

static int fail_attached(struct database *db, int64_t now, struct error *e)
{
    sqlite3_stmt *s = database_statement(db, STATEMENT_JOB_INTERRUPT);

    statement_bind_text(s, 1, state_name(STATE_FAILED));
    statement_bind_text(s, 2, outcome_name(OUTCOME_INTERRUPTED));
    statement_bind(s, 3, now);
    statement_bind_text(s, 4, state_name(STATE_QUEUED));
    statement_bind_text(s, 5, state_name(STATE_STARTING));
    statement_bind_text(s, 6, state_name(STATE_RUNNING));
    statement_bind_text(s, 7, state_name(STATE_PAUSED));
    return statement_run(s, e);
}

static int count_states(struct database *db, struct error *e)
{
    sqlite3_stmt *s = database_statement(db, STATEMENT_JOB_COUNT);
    int r;

    while ((r = statement_step(s, e)) > 0) {
        int state = read_name(s, 0, state_from_name, e);
        if (state < 0) {
            statement_end(s);
            return state;
        }
        database_counts(db)[state] = sqlite3_column_int64(s, 1);
    }
    return r;
}

int jobs_recover(struct database *db, int64_t now, struct error *e)
{
    int r = database_begin(db, e);

    if (r == 0)
        r = requeue_detached(db, e);
    if (r == 0)
        r = fail_attached(db, now, e);
    if (r == 0)
        r = attempts_interrupt(db, now, e);
    if (r == 0)
        r = count_states(db, e);
    if (r == 0)
        r = database_commit(db, e);
    if (r < 0) {
        database_rollback(db);
        return error_wrap(e, "cannot recover");
    }
    return 0;
}

int jobs_last_id(struct database *db, int64_t *ret, struct error *e)
{
    sqlite3_stmt *s = database_statement(db, STATEMENT_JOB_LAST);

    int r = statement_step(s, e);
    if (r < 0)
        return r;
    *ret = r > 0 ? sqlite3_column_int64(s, 0) : 0;
    if (r > 0)
        statement_end(s);
    return 0;
}
