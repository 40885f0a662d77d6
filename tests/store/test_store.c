#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "base/clock.h"
#include "support/store.h"

#define ALICE  1000
#define BOB    1001
#define BIT(s) (1U << (s))

/* A job as it is in the store, to change it. */
static struct store_job fetch(struct store_fixture *f, int64_t id)
{
    struct store_record r;

    assert_int_equal(store_fixture_get(f, &r, id), 0);
    struct store_job job = r.job;
    store_record_fini(&r);
    return job;
}

static void set_state(struct store_fixture *f, int64_t id, enum state state,
                      enum outcome outcome)
{
    struct store_job job = fetch(f, id);

    job.state = state;
    job.attempts += state == STATE_STARTING;
    assert_int_equal(store_fixture_update(f, &job, outcome), 0);
}

static void assert_counts(struct store_fixture *f, int64_t queued,
                          int64_t running, int64_t ended)
{
    int64_t counts[STATE_COUNT];

    store_counts(f->store, counts);
    assert_int_equal(counts[STATE_QUEUED], queued);
    assert_int_equal(counts[STATE_RUNNING], running);
    assert_int_equal(counts[STATE_SUCCEEDED] + counts[STATE_FAILED] +
                         counts[STATE_CANCELLED],
                     ended);
}

static void store_add__detached__kept_whole_over_a_restart(void **state)
{
    struct store_fixture *f = *state;
    struct store_record r;
    int64_t before = clock_wall();

    int64_t id = store_fixture_add(f, ALICE, "film-1", DOCUMENT);
    assert_true(id > 0);
    store_fixture_reopen(f);
    assert_int_equal(store_fixture_get(f, &r, id), 0);
    assert_int_equal(r.job.id, id);
    assert_int_equal(r.job.uid, ALICE);
    assert_int_equal(r.job.state, STATE_QUEUED);
    assert_int_equal(r.job.priority, JOB_NORMAL);
    assert_false(r.job.attached);
    assert_false(r.job.held);
    assert_int_equal(r.job.attempts, 0);
    assert_int_equal(r.job.interruptions, 0);
    assert_in_range(r.job.created, before, clock_wall());
    assert_int_equal(r.started, 0);
    assert_int_equal(r.ended, 0);
    assert_int_equal(r.outcome, OUTCOME_NONE);
    assert_string_equal(r.key, "film-1");
    assert_string_equal(r.document, DOCUMENT);
    assert_int_equal(r.attempt_count, 0);
    store_record_fini(&r);
}

static void store_add__same_key__depends_on_owner_and_document(void **state)
{
    static const struct {
        uid_t uid;
        const char *key;
        const char *document;
        int64_t expect; // -errno, 0: a new job, 1: the first one
    } cases[] = {
        {ALICE, "a", "{}", 0},        {ALICE, "a", "{}", 1},
        {ALICE, "a", "{ }", -EEXIST}, {BOB, "a", "{ }", 0},
        {ALICE, "A", "{ }", 0},       {ALICE, NULL, "{}", 0},
        {ALICE, NULL, "{}", 0},       {ALICE, "", "{}", 0},
        {ALICE, "", "{}", 1},         {ALICE, "a' OR 1 --", "{}", 0},
    };
    struct store_fixture *f = *state;
    int64_t newest = 0;
    int64_t queued = 0;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("key %s of %u\n", cases[i].key, (unsigned)cases[i].uid);
        int64_t id =
            store_fixture_add(f, cases[i].uid, cases[i].key, cases[i].document);
        if (cases[i].expect < 0)
            assert_int_equal(id, cases[i].expect);
        else if (cases[i].expect > 0)
            assert_in_range(id, 1, newest);
        else
            assert_true(id > newest);
        if (id > newest)
            newest = id;
        queued += cases[i].expect == 0;
        assert_counts(f, queued, 0, 0);
    }
    // the refusal says why, and names the field
    assert_int_equal(store_fixture_add(f, ALICE, "a", "[]"), -EEXIST);
    assert_string_equal(f->error.field, "key");
    assert_non_null(strstr(f->error.text, "already names job 1"));
}

static void store_add__key_of_an_ended_job__still_taken(void **state)
{
    struct store_fixture *f = *state;
    int64_t id = store_fixture_add(f, ALICE, "once", DOCUMENT);

    set_state(f, id, STATE_SUCCEEDED, OUTCOME_DONE);
    store_fixture_reopen(f);
    assert_int_equal(store_fixture_add(f, ALICE, "once", DOCUMENT), id);
    assert_int_equal(store_fixture_prune(f, 0, 0), 0);
    assert_true(store_fixture_add(f, ALICE, "once", DOCUMENT) > id);
}

/* What is remembered of a job before it is stored is what is stored. */
static void store_add__time__is_the_callers(void **state)
{
    struct store_fixture *f = *state;
    struct store_job *rows;
    size_t count;
    const struct store_new new = {
        .uid = BOB, .document = DOCUMENT, .created = 1234567};

    int64_t id = store_add_attached(f->store, &new);
    assert_int_equal(fetch(f, id).created, 1234567);
    store_add(f->store, &new, NULL, NULL);
    store_fixture_reopen(f);
    assert_int_equal(store_load(f->store, &rows, &count, &f->error), 0);
    assert_int_equal(count, 1); // the other one was attached
    assert_int_equal(rows[0].created, 1234567);
    free(rows);
}

static void store_add_attached__seen_at_once_by_later_calls(void **state)
{
    struct store_fixture *f = *state;

    int64_t id = store_add_attached(
        f->store, &(struct store_new){.uid = BOB,
                                      .priority = JOB_REALTIME,
                                      .document = DOCUMENT});
    struct store_job job = fetch(f, id);
    assert_true(job.attached);
    assert_int_equal(job.uid, BOB);
    assert_int_equal(job.priority, JOB_REALTIME);
    assert_true(store_add_attached(
                    f->store, &(struct store_new){.uid = BOB,
                                                  .priority = JOB_BATCH,
                                                  .document = DOCUMENT}) > id);
}

static void store_update__life_of_a_job__times_counts_and_outcome(void **state)
{
    struct store_fixture *f = *state;
    struct store_record r;
    int64_t id = store_fixture_add(f, ALICE, NULL, DOCUMENT);

    assert_counts(f, 1, 0, 0);
    set_state(f, id, STATE_STARTING, OUTCOME_NONE);
    assert_counts(f, 0, 0, 0);
    set_state(f, id, STATE_RUNNING, OUTCOME_NONE);
    assert_counts(f, 0, 1, 0);

    struct store_job job = fetch(f, id);
    job.state = STATE_FAILED;
    job.failures = 2;
    assert_int_equal(store_fixture_update(f, &job, OUTCOME_BAD_INPUT), 0);
    assert_counts(f, 0, 0, 1);
    assert_int_equal(store_fixture_get(f, &r, id), 0);
    assert_int_equal(r.job.state, STATE_FAILED);
    assert_int_equal(r.job.attempts, 1);
    assert_int_equal(r.job.failures, 2);
    assert_int_equal(r.outcome, OUTCOME_BAD_INPUT);
    assert_in_range(r.started, r.job.created, clock_wall());
    assert_in_range(r.ended, r.started, clock_wall());
    store_record_fini(&r);
}

static void store_update__retry__begins_afresh(void **state)
{
    struct store_fixture *f = *state;
    struct store_attempt a = {.number = 1, .device = "cpu", .started = 5};
    struct store_record r;
    int64_t id = store_fixture_add(f, ALICE, NULL, DOCUMENT);

    set_state(f, id, STATE_STARTING, OUTCOME_NONE);
    assert_int_equal(store_fixture_put_attempt(f, id, &a), 0);
    set_state(f, id, STATE_FAILED, OUTCOME_CRASHED);

    struct store_job job = {.id = id, .state = STATE_QUEUED};
    assert_int_equal(store_fixture_update(f, &job, OUTCOME_NONE), 0);
    assert_int_equal(store_fixture_get(f, &r, id), 0);
    assert_int_equal(r.job.state, STATE_QUEUED);
    assert_int_equal(r.job.attempts, 0);
    assert_int_equal(r.started, 0);
    assert_int_equal(r.ended, 0);
    assert_int_equal(r.outcome, OUTCOME_NONE);
    assert_int_equal(r.attempt_count, 0);
    assert_int_equal(r.job.uid, ALICE); // what never changes is left alone
    store_record_fini(&r);
}

static void store_update__wrong__refused_in_words(void **state)
{
    struct store_fixture *f = *state;
    int64_t id = store_fixture_add(f, ALICE, NULL, DOCUMENT);
    struct store_job none = {.id = id + 1, .state = STATE_RUNNING};
    struct store_job ended = {.id = id, .state = STATE_FAILED};
    struct store_attempt a = {.number = 1, .device = "cpu"};
    struct store_record r;

    assert_int_equal(store_fixture_update(f, &none, OUTCOME_NONE), -ENOENT);
    assert_string_equal(f->error.text, "no such job: 2");
    assert_int_equal(store_fixture_update(f, &ended, OUTCOME_NONE), -EINVAL);
    assert_int_equal(store_fixture_get(f, &r, id + 1), -ENOENT);
    assert_int_equal(store_fixture_put_attempt(f, id + 1, &a), -ENOENT);
    assert_counts(f, 1, 0, 0);
}

static void store_put_attempt__twice__replaced_and_in_order(void **state)
{
    struct store_fixture *f = *state;
    struct store_record r;
    struct store_attempt second = {
        .number = 2, .device = "cuda:0", .started = 20};
    struct store_attempt first = {.number = 1, .device = "cpu", .started = 10};
    int64_t id = store_fixture_add(f, ALICE, NULL, DOCUMENT);

    assert_int_equal(store_fixture_put_attempt(f, id, &second), 0);
    assert_int_equal(store_fixture_put_attempt(f, id, &first), 0);
    first.ended = 15;
    first.outcome = OUTCOME_CRASHED;
    first.plan = (char[]){"[\"copy\"]"};
    first.text = (char[]){"the worker crashed"};
    first.log = (char[]){"[\"last words\"]"};
    first.detail = (char[]){"{}"};
    assert_int_equal(store_fixture_put_attempt(f, id, &first), 0);

    assert_int_equal(store_fixture_get(f, &r, id), 0);
    assert_int_equal(r.attempt_count, 2);
    assert_int_equal(r.attempts[0].number, 1);
    assert_string_equal(r.attempts[0].device, "cpu");
    assert_int_equal(r.attempts[0].started, 10);
    assert_int_equal(r.attempts[0].ended, 15);
    assert_int_equal(r.attempts[0].outcome, OUTCOME_CRASHED);
    assert_string_equal(r.attempts[0].plan, "[\"copy\"]");
    assert_string_equal(r.attempts[0].text, "the worker crashed");
    assert_string_equal(r.attempts[0].log, "[\"last words\"]");
    assert_string_equal(r.attempts[0].detail, "{}");
    assert_string_equal(r.attempts[1].device, "cuda:0");
    assert_null(r.attempts[1].plan);
    store_record_fini(&r);
}

static void store_list__pages_newest_first_by_state(void **state)
{
    static const struct {
        unsigned states;
        int64_t before;
        size_t limit;
        const char *expect;
    } cases[] = {
        {0, 0, 10, "6 5 4 3 2 1 "},
        {0, 0, 2, "6 5 "},
        {0, 5, 2, "4 3 "},
        {0, 1, 2, ""},
        {0, 0, 0, ""},
        {BIT(STATE_QUEUED), 0, 10, "6 4 2 "},
        {BIT(STATE_QUEUED), 6, 1, "4 "},
        {BIT(STATE_QUEUED) | BIT(STATE_RUNNING), 0, 3, "6 4 3 "},
        {BIT(STATE_SUCCEEDED) | BIT(STATE_RUNNING), 0, 10, "5 3 1 "},
        {BIT(STATE_CANCELLED), 0, 10, ""},
    };
    struct store_fixture *f = *state;

    for (int i = 0; i < 6; i++)
        (void)store_fixture_add(f, ALICE, NULL, DOCUMENT);
    set_state(f, 1, STATE_SUCCEEDED, OUTCOME_DONE);
    set_state(f, 3, STATE_RUNNING, OUTCOME_NONE);
    set_state(f, 5, STATE_SUCCEEDED, OUTCOME_DONE);

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[128] = "";
        int64_t ids[10];
        int count = store_fixture_list(f, ids, cases[i].states, cases[i].before,
                                       cases[i].limit);
        for (int j = 0; j < count; j++)
            (void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
                           "%lld ", (long long)ids[j]);
        print_message("case %zu: %s\n", i, text);
        assert_true(count >= 0);
        assert_string_equal(text, cases[i].expect);
    }
}

static void store_load__all_that_has_not_ended_oldest_first(void **state)
{
    struct store_fixture *f = *state;
    struct store_job *jobs;
    size_t count;
    struct error e;

    for (int i = 0; i < 4; i++)
        (void)store_fixture_add(f, ALICE, NULL, DOCUMENT);
    set_state(f, 2, STATE_CANCELLED, OUTCOME_CANCELLED);
    store_fixture_reopen(f);
    assert_int_equal(store_load(f->store, &jobs, &count, &e), 0);
    assert_int_equal(count, 3);
    assert_int_equal(jobs[0].id, 1);
    assert_int_equal(jobs[1].id, 3);
    assert_int_equal(jobs[2].id, 4);
    assert_int_equal(jobs[0].uid, ALICE);
    free(jobs);
}

static void store_open__after_a_death__repairs_what_was_under_way(void **state)
{
    static const struct {
        const char *name;
        enum { DETACHED, ATTACHED } kind;
        enum state before;
        enum state after;
        enum { NOT_HELD, HELD } held;
        int interruptions;
    } cases[] = {
        {"queued", DETACHED, STATE_QUEUED, STATE_QUEUED, NOT_HELD, 0},
        {"starting", DETACHED, STATE_STARTING, STATE_QUEUED, NOT_HELD, 1},
        {"running", DETACHED, STATE_RUNNING, STATE_QUEUED, NOT_HELD, 1},
        {"paused", DETACHED, STATE_PAUSED, STATE_QUEUED, HELD, 1},
        {"succeeded", DETACHED, STATE_SUCCEEDED, STATE_SUCCEEDED, NOT_HELD, 0},
        {"attached", ATTACHED, STATE_QUEUED, STATE_FAILED, NOT_HELD, 0},
        {"viewed", ATTACHED, STATE_RUNNING, STATE_FAILED, NOT_HELD, 0},
        {"stopped", ATTACHED, STATE_CANCELLED, STATE_CANCELLED, NOT_HELD, 0},
    };
    const size_t count = sizeof(cases) / sizeof(cases[0]);
    const struct store_attempt open = {.number = 1, .device = "cpu"};
    struct store_fixture *f = *state;

    for (size_t i = 0; i < count; i++) {
        int64_t id =
            cases[i].kind == ATTACHED
                ? store_add_attached(
                      f->store,
                      &(struct store_new){.uid = BOB, .document = DOCUMENT})
                : store_fixture_add(f, BOB, NULL, DOCUMENT);
        set_state(f, id, cases[i].before,
                  state_is_terminal(cases[i].before) ? OUTCOME_DONE : 0);
        assert_int_equal(store_fixture_put_attempt(f, id, &open), 0);
    }
    store_fixture_reopen(f);
    for (size_t i = 0; i < count; i++) {
        struct store_record r;
        print_message("%s\n", cases[i].name);
        assert_int_equal(store_fixture_get(f, &r, (int64_t)i + 1), 0);
        assert_int_equal(r.job.state, cases[i].after);
        assert_int_equal(r.job.held, cases[i].held);
        assert_int_equal(r.job.interruptions, cases[i].interruptions);
        assert_int_equal(r.attempts[0].outcome, OUTCOME_INTERRUPTED);
        assert_true(r.attempts[0].ended > 0);
        if (cases[i].after == STATE_FAILED)
            assert_int_equal(r.outcome, OUTCOME_INTERRUPTED);
        assert_int_equal(r.ended > 0, state_is_terminal(cases[i].after));
        store_record_fini(&r);
    }
    assert_counts(f, 4, 0, 4);
}

/* Documents and attempts of jobs that are not there. */
static int count_orphans(const struct store_fixture *f)
{
    char *path = store_fixture_path(f, "jobs.sqlite");
    sqlite3_stmt *s = NULL;
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db,
                           "SELECT count(*) FROM (SELECT job FROM document"
                           " UNION ALL SELECT job FROM attempt)"
                           " WHERE job NOT IN (SELECT id FROM job)",
                           -1, &s, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(s), SQLITE_ROW);
    int count = sqlite3_column_int(s, 0);
    (void)sqlite3_finalize(s);
    (void)sqlite3_close(db);
    free(path);
    return count;
}

static void store_prune__by_age_and_count__oldest_go_first(void **state)
{
    struct store_fixture *f = *state;
    struct store_attempt a = {.number = 1, .device = "cpu"};
    int64_t ids[1000];

    for (int64_t id = 1; id <= 900; id++)
        (void)store_add_attached(
            f->store, &(struct store_new){.uid = ALICE, .document = DOCUMENT});
    for (int64_t id = 1; id <= 850; id++) {
        struct store_job job = {.id = id, .state = STATE_FAILED};
        store_put_attempt(f->store, id, &a, NULL, NULL);
        store_update(f->store, &job, OUTCOME_STALLED, NULL, NULL);
    }
    assert_int_equal(store_fixture_prune(f, 3600 * SECOND, 1000), 0);
    assert_counts(f, 50, 0, 850);
    assert_int_equal(store_fixture_prune(f, 3600 * SECOND, 100), 0);
    assert_counts(f, 50, 0, 100);
    assert_int_equal(store_fixture_list(f, ids, 0, 0, 1000), 150);
    assert_int_equal(ids[149], 751);
    assert_int_equal(store_fixture_prune(f, 0, 1000), 0);
    assert_counts(f, 50, 0, 0);
    assert_int_equal(store_fixture_list(f, ids, 0, 0, 1000), 50);
    assert_int_equal(count_orphans(f), 0);

    // an id is never given again, whatever was forgotten
    struct store_job newest = {.id = 900, .state = STATE_FAILED};
    assert_int_equal(store_fixture_update(f, &newest, OUTCOME_KILLED), 0);
    assert_int_equal(store_fixture_prune(f, 0, 0), 0);
    store_fixture_reopen(f);
    assert_int_equal(store_fixture_add(f, ALICE, NULL, DOCUMENT), 901);
}

struct tally {
    size_t waiting;
    int64_t last;
    size_t out_of_order;
    struct store *store; // to ask for more from a callback
};

static void on_added(void *user, int result, int64_t id, const struct error *e)
{
    struct tally *t = user;

    assert_int_equal(result, 0);
    assert_null(e);
    t->out_of_order += id <= t->last;
    t->last = id;
    t->waiting--;
}

static void on_added_ask_again(void *user, int result, int64_t id,
                               const struct error *e)
{
    struct tally *t = user;

    on_added(user, result, id, e);
    t->waiting++;
    store_add(t->store, &(struct store_new){.uid = ALICE, .document = DOCUMENT},
              on_added, t);
}

static void store_close__requests_under_way__all_answered(void **state)
{
    struct store_fixture *f = *state;
    struct tally t = {.waiting = 100, .store = f->store};

    for (int i = 0; i < 99; i++)
        store_add(f->store,
                  &(struct store_new){.uid = ALICE, .document = DOCUMENT},
                  on_added, &t);
    store_add(f->store, &(struct store_new){.uid = ALICE, .document = DOCUMENT},
              on_added_ask_again, &t);
    store_fixture_close(f);
    assert_int_equal(t.waiting, 0);
    assert_int_equal(t.out_of_order, 0);
    store_fixture_reopen(f);
    assert_counts(f, 101, 0, 0);
    store_close(NULL);
}

/* What it says while it works is in test_writer. */
static void store_busy_since__all_is_done__is_idle(void **state)
{
    struct store_fixture *f = *state;
    struct tally t = {.waiting = 2000};

    for (int i = 0; i < 2000; i++)
        store_add(f->store,
                  &(struct store_new){.uid = ALICE, .document = DOCUMENT},
                  on_added, &t);
    while (t.waiting > 0) {
        int64_t since = store_busy_since(f->store);
        if (since >= 0)
            assert_in_range(clock_now() - since, 0, 60 * SECOND);
        store_dispatch(f->store);
    }
    while (store_busy_since(f->store) >= 0) // it goes to sleep right after
        (void)poll(NULL, 0, 1);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, store_fixture_setup, \
                                    store_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(store_add__detached__kept_whole_over_a_restart),
        TEST(store_add__same_key__depends_on_owner_and_document),
        TEST(store_add__key_of_an_ended_job__still_taken),
        TEST(store_add__time__is_the_callers),
        TEST(store_add_attached__seen_at_once_by_later_calls),
        TEST(store_update__life_of_a_job__times_counts_and_outcome),
        TEST(store_update__retry__begins_afresh),
        TEST(store_update__wrong__refused_in_words),
        TEST(store_put_attempt__twice__replaced_and_in_order),
        TEST(store_list__pages_newest_first_by_state),
        TEST(store_load__all_that_has_not_ended_oldest_first),
        TEST(store_open__after_a_death__repairs_what_was_under_way),
        TEST(store_prune__by_age_and_count__oldest_go_first),
        TEST(store_close__requests_under_way__all_answered),
        TEST(store_busy_since__all_is_done__is_idle),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
