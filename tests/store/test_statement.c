#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "base/error.h"
#include "base/memory.h"
#include "store/schema.h"
#include "store/statement.h"
#include "support/sql.h"

/* The tables in memory, with every statement. */
struct bench {
    sqlite3 *db;
    sqlite3_stmt *all[STATEMENT_COUNT];
    struct error error;
};

static int setup(void **state)
{
    struct bench *b = xcalloc(1, sizeof(*b));

    assert_int_equal(sqlite3_open(":memory:", &b->db), SQLITE_OK);
    assert_int_equal(
        schema_migrate(b->db, schema_steps, schema_step_count, &b->error), 0);
    assert_int_equal(statement_prepare(b->all, b->db, &b->error), 0);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;

    statement_finalize(b->all);
    assert_int_equal(sqlite3_close(b->db), SQLITE_OK); // all were finalised
    free(b);
    return 0;
}

static void put_jobs(struct bench *b)
{
    sql_run(
        b->db,
        "INSERT INTO job (id, uid, key, state, outcome, priority, attached,"
        " created) VALUES (3, 1000, 'film', 'queued', 'none', 'normal', 0,"
        " 1), (5, 1000, NULL, 'queued', 'none', 'normal', 0, 1);"
        "INSERT INTO document (job, text) VALUES (3, '{}'), (5, '{\"a\"}')");
}

static void statement_prepare__no_tables__fails_half_way(void **state)
{
    struct bench *b = *state;
    sqlite3_stmt *all[STATEMENT_COUNT] = {0};
    sqlite3 *empty = NULL;

    assert_int_equal(sqlite3_open(":memory:", &empty), SQLITE_OK);
    assert_int_equal(statement_prepare(all, empty, &b->error), -EIO);
    assert_string_equal(b->error.text,
                        "cannot prepare a statement: no such table: job");
    assert_non_null(all[STATEMENT_BEGIN]); // and yet
    statement_finalize(all);
    assert_int_equal(sqlite3_close(empty), SQLITE_OK);
}

static void statement_step__rows__then_reset(void **state)
{
    struct bench *b = *state;
    sqlite3_stmt *s = b->all[STATEMENT_JOB_LOAD];

    put_jobs(b);
    for (int round = 0; round < 2; round++) {
        statement_bind_text(s, 1, "queued");
        assert_int_equal(statement_step(s, &b->error), 1);
        assert_int_equal(sqlite3_column_int64(s, 0), 3);
        assert_int_equal(statement_step(s, &b->error), 1);
        assert_int_equal(sqlite3_column_int64(s, 0), 5);
        assert_int_equal(statement_step(s, &b->error), 0);
        assert_int_equal(sqlite3_stmt_busy(s), 0);
    }
    // what was bound is gone: NULL is no state
    assert_int_equal(statement_step(s, &b->error), 0);
}

static void statement_end__amid_rows__reset_and_unbound(void **state)
{
    struct bench *b = *state;
    sqlite3_stmt *s = b->all[STATEMENT_JOB_LOAD];

    put_jobs(b);
    statement_bind_text(s, 1, "queued");
    assert_int_equal(statement_step(s, &b->error), 1);
    assert_int_equal(sqlite3_stmt_busy(s), 1);
    statement_end(s);
    assert_int_equal(sqlite3_stmt_busy(s), 0);
    assert_int_equal(statement_step(s, &b->error), 0);
}

static void statement_run__refused__says_why_and_is_reset(void **state)
{
    struct bench *b = *state;
    sqlite3_stmt *s = b->all[STATEMENT_DOCUMENT_ADD];

    put_jobs(b);
    for (int round = 0; round < 2; round++) {
        b->error = (struct error){0};
        statement_bind(s, 1, 3);
        statement_bind_text(s, 2, "{}");
        assert_int_equal(statement_run(s, &b->error), -EIO);
        assert_non_null(strstr(b->error.text, "UNIQUE constraint failed"));
        assert_int_equal(sqlite3_stmt_busy(s), 0);
    }
    assert_int_equal(statement_run(s, NULL), -EIO); // nothing is bound
}

static void statement_bind__values__arrive_as_they_are(void **state)
{
    static const int64_t numbers[] = {0, -1, INT64_MAX, INT64_MIN};
    struct bench *b = *state;
    sqlite3_stmt *s = NULL;

    assert_int_equal(sqlite3_prepare_v2(b->db, "SELECT ?1, ?2", -1, &s, NULL),
                     SQLITE_OK);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        statement_bind(s, 1, numbers[i]);
        assert_int_equal(statement_step(s, &b->error), 1);
        assert_true(sqlite3_column_int64(s, 0) == numbers[i]);
        statement_end(s);
    }
    assert_int_equal(sqlite3_finalize(s), SQLITE_OK);
}

static void statement_text__column__copied(void **state)
{
    static const char *const texts[] = {NULL, "", "film", "fil\xc3\xa9"};
    struct bench *b = *state;
    sqlite3_stmt *s = NULL;

    assert_int_equal(sqlite3_prepare_v2(b->db, "SELECT 1, ?1", -1, &s, NULL),
                     SQLITE_OK);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        print_message("%s\n", texts[i] ? texts[i] : "NULL");
        statement_bind_text(s, 1, texts[i]);
        assert_int_equal(statement_step(s, &b->error), 1);
        char *copy = statement_text(s, 1);
        statement_end(s);
        if (texts[i])
            assert_string_equal(copy, texts[i]);
        else
            assert_null(copy);
        free(copy);
    }
    assert_int_equal(sqlite3_finalize(s), SQLITE_OK);
}

/* With 100,000 jobs there is no time to look at them all, or to sort them.
 * Recovery and the count at the start may, and so may a report: it adds up some
 * ten thousand hours at most, when a person asks. */
static void statement_prepare__plans__neither_scan_nor_sort(void **state)
{
    static const bool may_take_time[STATEMENT_COUNT] = {
        [STATEMENT_JOB_COUNT] = true,
        [STATEMENT_ATTEMPT_INTERRUPT] = true,
        [STATEMENT_READING_REPORT] = true,
        [STATEMENT_TALLY_REPORT] = true,
    };
    struct bench *b = *state;

    for (int i = STATEMENT_JOB_ADD; i < STATEMENT_COUNT; i++) {
        char *sql = xasprintf("EXPLAIN QUERY PLAN %s", sqlite3_sql(b->all[i]));
        sqlite3_stmt *s = NULL;

        if (may_take_time[i]) {
            free(sql);
            continue;
        }
        assert_int_equal(sqlite3_prepare_v2(b->db, sql, -1, &s, NULL),
                         SQLITE_OK);
        while (sqlite3_step(s) == SQLITE_ROW) {
            const char *step = (const char *)sqlite3_column_text(s, 3);
            print_message("%d: %s\n", i, step);
            assert_null(strstr(step, "SCAN job"));
            assert_null(strstr(step, "SCAN document"));
            assert_null(strstr(step, "SCAN attempt"));
            assert_null(strstr(step, "USE TEMP B-TREE"));
        }
        assert_int_equal(sqlite3_finalize(s), SQLITE_OK);
        free(sql);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(statement_prepare__no_tables__fails_half_way),
        TEST(statement_step__rows__then_reset),
        TEST(statement_end__amid_rows__reset_and_unbound),
        TEST(statement_run__refused__says_why_and_is_reset),
        TEST(statement_bind__values__arrive_as_they_are),
        TEST(statement_text__column__copied),
        TEST(statement_prepare__plans__neither_scan_nor_sort),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
