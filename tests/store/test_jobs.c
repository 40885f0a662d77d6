#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "store/attempts.h"
#include "store/jobs.h"
#include "support/database.h"
#include "support/sql.h"

#define ALICE 1000
#define BOB   1001
#define UNSET (-7) // what outputs hold before a call that must not touch them

static struct jobs_new new_job(int64_t id)
{
    return (struct jobs_new){
        .job = {.id = id,
                .uid = ALICE,
                .priority = JOB_BATCH,
                .hardware = JOB_HARDWARE_PREFER,
                .created = 50},
        .document = "{}",
    };
}

static void add(struct database_fixture *f, int64_t id)
{
    struct jobs_new n = new_job(id);
    int64_t ret = UNSET;

    assert_int_equal(jobs_add(f->db, &ret, &n, &f->error), 0);
    assert_int_equal(ret, id);
}

/* A job in @state at @now, ended in a way that fits. */
static int move(struct database_fixture *f, int64_t id, enum state state,
                int64_t now)
{
    struct store_job job = {.id = id, .state = state, .attempts = 1};

    return jobs_update(f->db, &job,
                       state_is_terminal(state) ? OUTCOME_DONE : OUTCOME_NONE,
                       now, &f->error);
}

static void put(struct database_fixture *f, int64_t id, enum state state,
                int64_t now)
{
    add(f, id);
    assert_int_equal(move(f, id, state, now), 0);
}

static struct store_record get(struct database_fixture *f, int64_t id)
{
    struct store_record record;

    assert_int_equal(jobs_get(f->db, &record, id, &f->error), 0);
    return record;
}

/* What the counts say is what the rows say. */
static void assert_counts(struct database_fixture *f)
{
    for (int i = 0; i < STATE_COUNT; i++) {
        char *sql = xasprintf("SELECT count(*) FROM job WHERE state = '%s'",
                              state_name((enum state)i));
        assert_int_equal(database_counts(f->db)[i], sql_ask(f->handle, sql));
        free(sql);
    }
}

/* Whoever may have no more jobs may still ask what became of one. */
static void jobs_add__full__only_what_is_there(void **state)
{
    struct database_fixture *f = *state;
    struct jobs_new n = new_job(1);
    int64_t id = UNSET;

    n.key = "film";
    n.document = "{}";
    assert_int_equal(jobs_add(f->db, &id, &n, &f->error), 0);
    n.is_full = true;
    n.job.id = 2;
    assert_int_equal(jobs_add(f->db, &id, &n, &f->error), 1);
    assert_int_equal(id, 1);
    n.key = "other";
    assert_int_equal(jobs_add(f->db, &id, &n, &f->error), -EDQUOT);
    n.key = NULL;
    assert_int_equal(jobs_add(f->db, &id, &n, &f->error), -EDQUOT);
    assert_int_equal(database_counts(f->db)[STATE_QUEUED], 1);
    assert_counts(f);
}

static void jobs_add__key__same_job_another_or_new(void **state)
{
    static const struct {
        uid_t uid;
        const char *key;
        const char *document;
        int expect;
        int64_t id; // of the answer; each case asks for 100 + its index
    } cases[] = {
        {ALICE, "film", "{}", 0, 100},
        {ALICE, "film", "{}", 1, 100},
        {ALICE, "film", "{\"other\":1}", -EEXIST, UNSET},
        {BOB, "film", "{\"other\":1}", 0, 103},
        {ALICE, "Film", "{}", 0, 104},
        {ALICE, NULL, "{}", 0, 105},
        {ALICE, NULL, "{}", 0, 106},
    };
    struct database_fixture *f = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct jobs_new n = new_job(100 + (int64_t)i);
        int64_t id = UNSET;
        n.job.uid = cases[i].uid;
        n.key = cases[i].key;
        n.document = cases[i].document;
        print_message("job %lld\n", (long long)n.job.id);
        assert_int_equal(jobs_add(f->db, &id, &n, &f->error), cases[i].expect);
        assert_int_equal(id, cases[i].id);
    }
    assert_string_equal(f->error.field, "key");
    assert_non_null(strstr(f->error.text, "'film' already names job 100"));
    assert_int_equal(database_counts(f->db)[STATE_QUEUED], 5);
    assert_counts(f);
}

static void jobs_add__id_that_is_taken__refused_and_not_counted(void **state)
{
    struct database_fixture *f = *state;
    struct jobs_new n = new_job(1);
    int64_t id = UNSET;

    add(f, 1);
    assert_int_equal(jobs_add(f->db, &id, &n, &f->error), -EIO);
    assert_int_equal(id, UNSET);
    assert_counts(f);
}

static void jobs_get__all_of_it__with_its_attempts(void **state)
{
    struct database_fixture *f = *state;
    struct jobs_new n = {
        .job = {.id = 9,
                .uid = BOB,
                .priority = JOB_REALTIME,
                .attached = true,
                .created = 50},
        .key = "film",
        .document = "{\"a\":1}",
    };
    struct store_attempt a = {.number = 1, .device = "cpu", .started = 60};
    struct store_job change = {.id = 9,
                               .state = STATE_PAUSED,
                               .held = true,
                               .attempts = 3,
                               .failures = 2,
                               .interruptions = 1};
    int64_t id;

    assert_int_equal(jobs_add(f->db, &id, &n, &f->error), 0);
    assert_int_equal(attempts_put(f->db, 9, &a, &f->error), 0);
    assert_int_equal(jobs_update(f->db, &change, OUTCOME_NONE, 70, &f->error),
                     0);

    struct store_record r = get(f, 9);
    assert_int_equal(r.job.id, 9);
    assert_int_equal(r.job.uid, BOB);
    assert_int_equal(r.job.priority, JOB_REALTIME);
    assert_int_equal(r.job.state, STATE_PAUSED);
    assert_true(r.job.attached);
    assert_true(r.job.held);
    assert_int_equal(r.job.attempts, 3);
    assert_int_equal(r.job.failures, 2);
    assert_int_equal(r.job.interruptions, 1);
    assert_int_equal(r.job.created, 50);
    assert_int_equal(r.started, 70);
    assert_int_equal(r.ended, 0);
    assert_int_equal(r.outcome, OUTCOME_NONE);
    assert_string_equal(r.key, "film");
    assert_string_equal(r.document, "{\"a\":1}");
    assert_int_equal(r.attempt_count, 1);
    assert_int_equal(r.attempts[0].started, 60);
    store_record_fini(&r);
}

/* A job's life, told in steps: what each leaves in its times. */
static void jobs_update__life__times_and_outcome(void **state)
{
    static const struct {
        enum state to;
        int32_t attempts;
        enum outcome outcome;
        int64_t now;
        int64_t started;
        int64_t ended;
        enum outcome kept;
    } steps[] = {
        {STATE_QUEUED, 0, OUTCOME_NONE, 10, 0, 0, OUTCOME_NONE},
        {STATE_STARTING, 1, OUTCOME_NONE, 20, 20, 0, OUTCOME_NONE},
        {STATE_RUNNING, 1, OUTCOME_NONE, 30, 20, 0, OUTCOME_NONE},
        {STATE_STARTING, 2, OUTCOME_NONE, 40, 20, 0, OUTCOME_NONE},
        // an outcome counts only at the end
        {STATE_RUNNING, 2, OUTCOME_CRASHED, 50, 20, 0, OUTCOME_NONE},
        {STATE_FAILED, 2, OUTCOME_CRASHED, 60, 20, 60, OUTCOME_CRASHED},
        // Retry
        {STATE_QUEUED, 0, OUTCOME_NONE, 70, 0, 0, OUTCOME_NONE},
        {STATE_STARTING, 1, OUTCOME_NONE, 80, 80, 0, OUTCOME_NONE},
        {STATE_SUCCEEDED, 1, OUTCOME_DONE, 90, 80, 90, OUTCOME_DONE},
        {STATE_QUEUED, 0, OUTCOME_NONE, 95, 0, 0, OUTCOME_NONE},
        {STATE_CANCELLED, 0, OUTCOME_CANCELLED, 99, 0, 99, OUTCOME_CANCELLED},
    };
    struct database_fixture *f = *state;

    add(f, 1);
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        struct store_job job = {
            .id = 1, .state = steps[i].to, .attempts = steps[i].attempts};
        print_message("at %lld\n", (long long)steps[i].now);
        assert_int_equal(
            jobs_update(f->db, &job, steps[i].outcome, steps[i].now, &f->error),
            0);
        struct store_record r = get(f, 1);
        assert_int_equal(r.job.state, steps[i].to);
        assert_int_equal(r.started, steps[i].started);
        assert_int_equal(r.ended, steps[i].ended);
        assert_int_equal(r.outcome, steps[i].kept);
        store_record_fini(&r);
        assert_counts(f);
    }
}

static void jobs_update__leaving_an_end__forgets_attempts(void **state)
{
    static const struct {
        enum state from;
        enum state to;
        size_t left;
    } cases[] = {
        {STATE_RUNNING, STATE_QUEUED, 1},   {STATE_RUNNING, STATE_FAILED, 1},
        {STATE_FAILED, STATE_FAILED, 1},    {STATE_FAILED, STATE_QUEUED, 0},
        {STATE_SUCCEEDED, STATE_QUEUED, 0}, {STATE_CANCELLED, STATE_QUEUED, 0},
    };
    struct database_fixture *f = *state;
    struct store_attempt a = {.number = 1, .device = "cpu"};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int64_t id = 1 + (int64_t)i;
        print_message("%s to %s\n", state_name(cases[i].from),
                      state_name(cases[i].to));
        put(f, id, cases[i].from, 10);
        assert_int_equal(attempts_put(f->db, id, &a, &f->error), 0);
        assert_int_equal(move(f, id, cases[i].to, 20), 0);
        struct store_record r = get(f, id);
        assert_int_equal(r.attempt_count, cases[i].left);
        store_record_fini(&r);
    }
}

static void jobs_update__wrong__refused_and_nothing_changes(void **state)
{
    static const struct {
        struct store_job job;
        int expect;
        const char *words;
    } cases[] = {
        {{.id = 2, .state = STATE_RUNNING}, -ENOENT, "no such job: 2"},
        {{.id = 1, .state = STATE_FAILED}, -EINVAL, "without an outcome"},
    };
    struct database_fixture *f = *state;

    add(f, 1);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%s\n", cases[i].words);
        assert_int_equal(
            jobs_update(f->db, &cases[i].job, OUTCOME_NONE, 5, &f->error),
            cases[i].expect);
        assert_non_null(strstr(f->error.text, cases[i].words));
        assert_counts(f);
        assert_int_equal(database_counts(f->db)[STATE_QUEUED], 1);
    }
}

static int do_get(struct database_fixture *f)
{
    struct store_record r;

    return jobs_get(f->db, &r, 2, &f->error);
}

static int do_list(struct database_fixture *f)
{
    struct store_record *records;
    size_t count;

    return jobs_list(f->db, &records, &count, 0, 0, 10, &f->error);
}

static int do_load(struct database_fixture *f)
{
    struct store_job *jobs;
    size_t count;

    return jobs_load(f->db, &jobs, &count, &f->error);
}

static int do_update(struct database_fixture *f)
{
    return move(f, 2, STATE_RUNNING, 5);
}

static int do_prune(struct database_fixture *f)
{
    return jobs_prune(f->db, INT64_MAX, 0, &f->error);
}

static int do_recover(struct database_fixture *f)
{
    return jobs_recover(f->db, 5, &f->error);
}

/* Another hand has been in the file: words that mean nothing. What was read
 * before them is freed, and no statement is left open. */
static void jobs__unknown_words__bad_message(void **state)
{
    static const struct {
        const char *spoil;
        int (*call)(struct database_fixture *f);
        const char *words;
    } cases[] = {
        {"state = 'odd'", do_get, "'odd' is no state"},
        {"priority = 'odd'", do_get, "'odd' is no priority"},
        {"outcome = 'odd'", do_get, "'odd' is no outcome"},
        {"priority = 'odd'", do_list, "'odd' is no priority"},
        {"outcome = 'odd'", do_list, "'odd' is no outcome"},
        {"priority = 'odd'", do_load, "'odd' is no priority"},
        {"state = 'odd'", do_update, "'odd' is no state"},
        {"state = 'odd', ended = 9", do_prune, "'odd' is no state"},
        {"state = 'odd'", do_recover, "'odd' is no state"},
    };
    struct database_fixture *f = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *sql = xasprintf("UPDATE job SET %s WHERE id = 2", cases[i].spoil);
        print_message("case %zu: %s\n", i, cases[i].spoil);
        add(f, 1);
        add(f, 2);
        sql_run(f->handle, sql);
        free(sql);
        assert_int_equal(cases[i].call(f), -EBADMSG);
        assert_non_null(strstr(f->error.text, cases[i].words));
        assert_false(database_in_transaction(f->db));
        sql_run(f->handle, "DELETE FROM job; VACUUM"); // nothing is open
    }
}

static void jobs_get__missing__touches_nothing(void **state)
{
    struct database_fixture *f = *state;
    struct store_record r = {.started = UNSET};

    assert_int_equal(jobs_get(f->db, &r, 4, &f->error), -ENOENT);
    assert_string_equal(f->error.text, "no such job: 4");
    assert_int_equal(r.started, UNSET);
}

#define BIT(state) (1U << (state))

static void jobs_list__state_place_and_limit__newest_first(void **state)
{
    static const struct {
        unsigned states;
        int64_t before;
        size_t limit;
        const char *expect;
    } cases[] = {
        {0, 0, 100, "7 6 5 4 3 2 1 "},
        {0, 0, 3, "7 6 5 "},
        {0, 5, 3, "4 3 2 "},
        {0, 1, 3, ""},
        {0, INT64_MAX, SIZE_MAX, "7 6 5 4 3 2 1 "},
        {0, 0, 0, ""},
        {BIT(STATE_QUEUED), 0, 100, "4 1 "},
        {BIT(STATE_QUEUED), 4, 100, "1 "},
        {BIT(STATE_QUEUED) | BIT(STATE_FAILED), 0, 3, "6 5 4 "},
        {BIT(STATE_PAUSED), 0, 100, ""},
    };
    static const enum state states[] = {
        STATE_QUEUED, STATE_RUNNING, STATE_SUCCEEDED, STATE_QUEUED,
        STATE_FAILED, STATE_FAILED,  STATE_CANCELLED,
    };
    struct database_fixture *f = *state;

    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
        put(f, 1 + (int64_t)i, states[i], 10);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct store_record *records;
        size_t count;
        char ids[64] = "";
        assert_int_equal(jobs_list(f->db, &records, &count, cases[i].states,
                                   cases[i].before, cases[i].limit, &f->error),
                         0);
        for (size_t j = 0; j < count; j++) {
            (void)snprintf(ids + strlen(ids), sizeof(ids) - strlen(ids),
                           "%lld ", (long long)records[j].job.id);
            assert_string_equal(records[j].document, "{}");
            store_record_fini(&records[j]);
        }
        free(records);
        print_message("case %zu: %s\n", i, ids);
        assert_string_equal(ids, cases[i].expect);
    }
}

/* However many are asked for, a page has a size that its reader can bear. */
static void jobs_list__large_documents__shorter_page(void **state)
{
    enum { DOCUMENT = 64 << 10, JOBS = 80 };
    struct database_fixture *f = *state;
    char *document = calloc(1, DOCUMENT);
    struct store_record *records;
    size_t count;

    assert_non_null(document);
    memset(document, ' ', DOCUMENT - 1);
    for (int64_t id = 1; id <= JOBS; id++) {
        struct jobs_new n = new_job(id);
        n.document = document;
        assert_int_equal(jobs_add(f->db, &id, &n, &f->error), 0);
    }
    free(document);
    assert_int_equal(jobs_list(f->db, &records, &count, 0, 0, JOBS, &f->error),
                     0);
    assert_in_range(count, 60, 70);
    int64_t last = records[count - 1].job.id;
    assert_int_equal(last, JOBS + 1 - (int64_t)count);
    while (count > 0)
        store_record_fini(&records[--count]);
    free(records);
    assert_int_equal(
        jobs_list(f->db, &records, &count, 0, last, JOBS, &f->error), 0);
    assert_int_equal(count, last - 1); // the rest
    while (count > 0)
        store_record_fini(&records[--count]);
    free(records);
}

static void jobs_load__queued_only__oldest_first(void **state)
{
    struct database_fixture *f = *state;
    struct store_job *jobs = NULL;
    size_t count = 0;

    assert_int_equal(jobs_load(f->db, &jobs, &count, &f->error), 0);
    assert_int_equal(count, 0);
    free(jobs);

    put(f, 5, STATE_QUEUED, 10);
    put(f, 6, STATE_SUCCEEDED, 10);
    add(f, 2);
    assert_int_equal(jobs_load(f->db, &jobs, &count, &f->error), 0);
    assert_int_equal(count, 2);
    assert_int_equal(jobs[0].id, 2);
    assert_int_equal(jobs[0].uid, ALICE);
    assert_int_equal(jobs[0].priority, JOB_BATCH);
    assert_int_equal(jobs[1].id, 5);
    assert_int_equal(jobs[1].attempts, 1);
    free(jobs);
}

/* Five that ended at 10, 20, … 50, and one that runs. */
static void jobs_prune__age_and_number__oldest_go_first(void **state)
{
    static const struct {
        int64_t before;
        int64_t keep;
        int64_t left; // of the five
    } cases[] = {
        {0, 5, 5},  {0, 100, 5}, {0, 2, 2},  {0, 0, 0},  {10, 5, 5},
        {11, 5, 4}, {35, 5, 2},  {35, 1, 1}, {35, 4, 2}, {1000, 5, 0},
    };
    struct database_fixture *f = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("before %lld, keep %lld\n", (long long)cases[i].before,
                      (long long)cases[i].keep);
        put(f, 6, STATE_RUNNING, 1);
        for (int64_t id = 1; id <= 5; id++) // the newest id ended first
            put(f, id, STATE_SUCCEEDED, 60 - 10 * id);
        assert_int_equal(
            jobs_prune(f->db, cases[i].before, cases[i].keep, &f->error), 0);
        assert_counts(f);
        assert_int_equal(database_counts(f->db)[STATE_SUCCEEDED],
                         cases[i].left);
        assert_int_equal(sql_ask(f->handle,
                                 "SELECT coalesce(max(id), 0) FROM job"
                                 " WHERE ended > 0"),
                         cases[i].left);
        assert_int_equal(database_counts(f->db)[STATE_RUNNING], 1);
        assert_int_equal(sql_ask(f->handle, "SELECT count(*) FROM document"),
                         cases[i].left + 1);
        sql_run(f->handle, "DELETE FROM job");
        memset(database_counts(f->db), 0, STATE_COUNT * sizeof(int64_t));
    }
}

static void jobs_prune__many__in_steps(void **state)
{
    struct database_fixture *f = *state;
    const int64_t all = 450;
    int64_t before = all;
    int r;

    assert_int_equal(database_begin(f->db, &f->error), 0);
    for (int64_t id = 1; id <= all; id++)
        put(f, id, STATE_FAILED, id);
    do {
        r = jobs_prune(f->db, INT64_MAX, all, &f->error);
        int64_t left = database_counts(f->db)[STATE_FAILED];
        print_message("%lld left\n", (long long)left);
        assert_true(r >= 0);
        assert_true(left < before && before - left <= 200);
        before = left;
    } while (r > 0);
    assert_int_equal(before, 0);
    assert_int_equal(database_commit(f->db, &f->error), 0);
}

static void jobs_recover__each_state__requeued_failed_or_left(void **state)
{
    static const struct {
        enum state before;
        bool attached;
        enum state after;
        bool held;
        int32_t interruptions;
        int64_t ended;
        enum outcome outcome;
    } cases[] = {
        {STATE_QUEUED, false, STATE_QUEUED, false, 0, 0, OUTCOME_NONE},
        {STATE_STARTING, false, STATE_QUEUED, false, 1, 0, OUTCOME_NONE},
        {STATE_RUNNING, false, STATE_QUEUED, false, 1, 0, OUTCOME_NONE},
        {STATE_PAUSED, false, STATE_QUEUED, true, 1, 0, OUTCOME_NONE},
        {STATE_SUCCEEDED, false, STATE_SUCCEEDED, false, 0, 10, OUTCOME_DONE},
        {STATE_QUEUED, true, STATE_FAILED, false, 0, 99, OUTCOME_INTERRUPTED},
        {STATE_STARTING, true, STATE_FAILED, false, 0, 99, OUTCOME_INTERRUPTED},
        {STATE_RUNNING, true, STATE_FAILED, false, 0, 99, OUTCOME_INTERRUPTED},
        {STATE_PAUSED, true, STATE_FAILED, false, 0, 99, OUTCOME_INTERRUPTED},
        {STATE_SUCCEEDED, true, STATE_SUCCEEDED, false, 0, 10, OUTCOME_DONE},
    };
    const size_t count = sizeof(cases) / sizeof(cases[0]);
    struct database_fixture *f = *state;

    for (size_t i = 0; i < count; i++) {
        struct jobs_new n = new_job(1 + (int64_t)i);
        struct store_attempt a = {.number = 1,
                                  .device = "cpu",
                                  .ended = cases[i].ended == 10 ? 10 : 0};
        n.job.attached = cases[i].attached;
        assert_int_equal(jobs_add(f->db, &n.job.id, &n, &f->error), 0);
        assert_int_equal(move(f, n.job.id, cases[i].before, 10), 0);
        assert_int_equal(attempts_put(f->db, n.job.id, &a, &f->error), 0);
    }
    database_fixture_reopen(f); // what the counts were died with the daemon
    assert_int_equal(jobs_recover(f->db, 99, &f->error), 0);
    assert_counts(f);
    for (size_t i = 0; i < count; i++) {
        struct store_record r = get(f, 1 + (int64_t)i);
        print_message("case %zu: %s\n", i, state_name(cases[i].before));
        assert_int_equal(r.job.state, cases[i].after);
        assert_int_equal(r.job.held, cases[i].held);
        assert_int_equal(r.job.interruptions, cases[i].interruptions);
        assert_int_equal(r.ended, cases[i].ended);
        assert_int_equal(r.outcome, cases[i].outcome);
        assert_int_equal(r.attempts[0].ended, cases[i].ended == 10 ? 10 : 99);
        store_record_fini(&r);
    }
}

static void jobs_recover__held_before__stays_held(void **state)
{
    struct database_fixture *f = *state;
    struct store_job job = {.id = 1, .state = STATE_RUNNING, .held = true};

    add(f, 1);
    assert_int_equal(jobs_update(f->db, &job, OUTCOME_NONE, 5, &f->error), 0);
    assert_int_equal(jobs_recover(f->db, 99, &f->error), 0);
    struct store_record r = get(f, 1);
    assert_true(r.job.held);
    store_record_fini(&r);
}

/* A number is never given twice, not even after its job has been forgotten. */
static void jobs_last_id__forgotten_jobs__still_count(void **state)
{
    struct database_fixture *f = *state;
    int64_t last = UNSET;

    assert_int_equal(jobs_last_id(f->db, &last, &f->error), 0);
    assert_int_equal(last, 0);
    add(f, 41);
    put(f, 42, STATE_FAILED, 5);
    assert_int_equal(jobs_prune(f->db, INT64_MAX, 0, &f->error), 0);
    assert_int_equal(jobs_last_id(f->db, &last, &f->error), 0);
    assert_int_equal(last, 42);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, database_fixture_setup, \
                                    database_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(jobs_add__full__only_what_is_there),
        TEST(jobs_add__key__same_job_another_or_new),
        TEST(jobs_add__id_that_is_taken__refused_and_not_counted),
        TEST(jobs_get__all_of_it__with_its_attempts),
        TEST(jobs_get__missing__touches_nothing),
        TEST(jobs_update__life__times_and_outcome),
        TEST(jobs_update__leaving_an_end__forgets_attempts),
        TEST(jobs_update__wrong__refused_and_nothing_changes),
        TEST(jobs__unknown_words__bad_message),
        TEST(jobs_list__state_place_and_limit__newest_first),
        TEST(jobs_list__large_documents__shorter_page),
        TEST(jobs_load__queued_only__oldest_first),
        TEST(jobs_prune__age_and_number__oldest_go_first),
        TEST(jobs_prune__many__in_steps),
        TEST(jobs_recover__each_state__requeued_failed_or_left),
        TEST(jobs_recover__held_before__stays_held),
        TEST(jobs_last_id__forgotten_jobs__still_count),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
