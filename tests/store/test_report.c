#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sqlite3.h>
#include <stdlib.h>

#include "base/clock.h"
#include "store/database.h"
#include "store/report.h"
#include "support/sql.h"
#include "support/store.h"

struct answer {
    size_t waiting;
    int result;
    size_t steps;
    size_t tallies;
    struct store_reading first;
};

static void on_reported(void *user, int result,
                        const struct store_report *report,
                        const struct error *e)
{
    struct answer *a = user;

    a->result = result;
    assert_int_equal(e != NULL, result < 0);
    if (report) {
        a->steps = report->step_count;
        a->tallies = report->tally_count;
        if (a->steps)
            a->first = report->steps[0].reading;
    }
    a->waiting = 0;
}

static struct answer ask(struct store_fixture *f)
{
    struct answer a = {.waiting = 1};

    store_report(f->store, clock_wall() - REPORT_AGE, 1, on_reported, &a);
    store_fixture_wait(f, &a.waiting);
    return a;
}

static const struct store_reading warm = {
    .device = "cuda:0",
    .name = "temperature",
    .least = 40,
    .most = 60,
    .sum = 3000,
    .count = 60,
};

static void store_report__noted__survives_a_restart(void **state)
{
    struct store_fixture *f = *state;

    store_note(f->store, &warm, 1);
    store_fixture_reopen(f);
    struct answer a = ask(f);
    assert_int_equal(a.result, 0);
    assert_int_equal(a.steps, 1);
    assert_string_equal(a.first.name, "temperature");
    assert_true(a.first.most == 60);
    assert_int_equal(a.tallies, 0);
}

static void store_prune__old_hours__go_with_old_jobs(void **state)
{
    struct store_fixture *f = *state;
    char *path = store_fixture_path(f, DATABASE_FILE);
    sqlite3 *db = NULL;

    store_note(f->store, &warm, 1);
    store_fixture_close(f);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sql_run(db, "INSERT INTO reading SELECT hour - 397 * 24, device, name,"
                " least, most, sum, count FROM reading");
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    free(path);
    store_fixture_reopen(f);
    assert_int_equal(store_fixture_prune(f, 0, 0), 0);
    store_fixture_close(f);

    path = store_fixture_path(f, DATABASE_FILE);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sql_ask(db, "SELECT count(*) FROM reading"), 1);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    free(path);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, store_fixture_setup, \
                                    store_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(store_report__noted__survives_a_restart),
        TEST(store_prune__old_hours__go_with_old_jobs),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
