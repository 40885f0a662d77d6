#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/fd.h"
#include "base/memory.h"
#include "store/database.h"
#include "store/schema.h"
#include "support/sql.h"
#include "support/store.h"

static sqlite3 *open_file(const struct store_fixture *f)
{
    sqlite3 *db = NULL;
    char *path = store_fixture_path(f, DATABASE_FILE);

    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    free(path);
    return db;
}

static void store_open__new__is_marked_and_durable(void **state)
{
    struct store_fixture *f = *state;

    sqlite3 *db = open_file(f); // while the store is open: it may be looked at
    assert_int_equal(sql_ask(db, "PRAGMA application_id"),
                     SCHEMA_APPLICATION_ID);
    assert_int_equal(sql_ask(db, "PRAGMA user_version"), schema_step_count);
    assert_int_equal(sql_ask(db, "SELECT count(*) FROM pragma_journal_mode"
                                 " WHERE journal_mode = 'wal'"),
                     1);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

/* What a file is refused for, and what it holds before and after. */
static void assert_refused(struct store_fixture *f, const char *sql, int code,
                           const char *words)
{
    char *before;
    char *after;
    size_t size;
    size_t size_after;

    store_fixture_close(f);
    sqlite3 *db = open_file(f);
    sql_run(db, sql);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);

    char *path = store_fixture_path(f, DATABASE_FILE);
    assert_int_equal(fd_read_file(AT_FDCWD, path, 1 << 20, &before, &size), 0);
    assert_int_equal(store_fixture_open(f), code);
    print_message("%s\n", f->error.text);
    assert_non_null(strstr(f->error.text, words));
    assert_non_null(strstr(f->error.text, path));
    assert_int_equal(fd_read_file(AT_FDCWD, path, 1 << 20, &after, &size_after),
                     0);
    assert_int_equal(size, size_after);
    assert_memory_equal(before, after, size);
    free(before);
    free(after);
    free(path);
}

static void store_open__newer_version__refused_and_untouched(void **state)
{
    assert_refused(*state, "PRAGMA user_version = 1000", -ENOTSUP,
                   "version 1000");
}

static void store_open__negative_version__refused(void **state)
{
    assert_refused(*state, "PRAGMA user_version = -1", -ENOTSUP, "version -1");
}

static void store_open__foreign_database__refused_and_untouched(void **state)
{
    assert_refused(*state, "PRAGMA application_id = 252006674", -EINVAL,
                   "another program's");
}

static void store_open__no_database__refused_and_untouched(void **state)
{
    static const char noise[] = "These are words of a person, and no pages of "
                                "SQLite, however long one looks at them: a "
                                "hundred bytes and more of them, all in vain.";
    struct store_fixture *f = *state;
    char *after;
    size_t size;

    store_fixture_close(f);
    char *path = store_fixture_path(f, DATABASE_FILE);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(noise, file) >= 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(store_fixture_open(f), -EBADMSG);
    assert_non_null(strstr(f->error.text, "no database"));
    assert_int_equal(fd_read_file(AT_FDCWD, path, 4096, &after, &size), 0);
    assert_string_equal(after, noise);
    free(after);
    free(path);
}

/* A newer daemon was killed: its journal is not ours to carry out. */
static void store_open__newer_version_with_a_journal__left_alone(void **state)
{
    struct store_fixture *f = *state;
    struct stat before;
    struct stat after;

    store_fixture_close(f);
    sqlite3 *db = open_file(f);
    sql_run(db, "PRAGMA user_version = 1000; CREATE TABLE later (x)");
    char *journal = store_fixture_path(f, DATABASE_FILE "-wal");
    char *kept = store_fixture_path(f, "kept");
    assert_int_equal(link(journal, kept), 0);
    assert_int_equal(
        sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_int_equal(stat(journal, &before), 0);

    assert_int_equal(store_fixture_open(f), -ENOTSUP);
    assert_int_equal(stat(journal, &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_int_equal(before.st_size, after.st_size);
    assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
    free(journal);
    free(kept);
}

// Steps of a store that lives in these tests alone.
static const char *const steps[] = {
    "CREATE TABLE film (name TEXT); INSERT INTO film VALUES ('first');",
    "ALTER TABLE film ADD COLUMN year INTEGER NOT NULL DEFAULT 1900;",
    "INSERT INTO film VALUES ('second', 2000);",
};

static void schema_migrate__from_each_version__keeps_what_is_there(void **state)
{
    (void)state;
    for (size_t from = 0; from <= 3; from++) {
        sqlite3 *db = NULL;
        struct error e;

        print_message("from %zu\n", from);
        assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
        assert_int_equal(schema_check(db, 3, &e), 0);
        assert_int_equal(schema_migrate(db, steps, from, &e), 0);
        if (from > 0)
            sql_run(db, "UPDATE film SET name = 'ours' WHERE name = 'first'");
        assert_int_equal(schema_migrate(db, steps, 3, &e), 0);
        assert_int_equal(sql_ask(db, "PRAGMA user_version"), 3);
        assert_int_equal(sql_ask(db, "SELECT count(*) FROM film"), 2);
        assert_int_equal(sql_ask(db, "SELECT count(*) FROM film"
                                     " WHERE name = 'ours' AND year = 1900"),
                         from > 0);
        assert_int_equal(schema_check(db, 3, &e), 0);
        assert_int_equal(schema_check(db, 2, &e), -ENOTSUP);
        assert_int_equal(sqlite3_close(db), SQLITE_OK);
    }
}

static void schema_migrate__store_of_version_1__keeps_its_jobs(void **state)
{
    sqlite3 *db = NULL;
    struct error e;

    (void)state;
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    assert_int_equal(schema_migrate(db, schema_steps, 1, &e), 0);
    sql_run(db, "INSERT INTO job (uid, state, outcome, priority, attached,"
                " created) VALUES (1, 'queued', 'none', 'normal', 0, 5);"
                "INSERT INTO attempt (job, number, device, started, ended,"
                " outcome) VALUES (1, 1, 'cpu', 6, 7, 'crashed')");
    assert_int_equal(schema_migrate(db, schema_steps, schema_step_count, &e),
                     0);
    assert_int_equal(
        sql_ask(db, "SELECT count(*) FROM job WHERE hardware = 'auto'"), 1);
    assert_int_equal(sql_ask(db, "SELECT count(*) FROM attempt WHERE given IS"
                                 " NULL AND why IS NULL AND fallback IS NULL"),
                     1);
    // nothing is told of hours that nobody watched
    assert_int_equal(sql_ask(db, "SELECT count(*) FROM reading"), 0);
    assert_int_equal(sql_ask(db, "SELECT count(*) FROM tally"), 0);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void schema_migrate__failing_step__leaves_the_old_version(void **state)
{
    const char *const broken[] = {steps[0], steps[1], "CREATE NONSENSE"};
    sqlite3 *db = NULL;
    struct error e;

    (void)state;
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    assert_int_equal(schema_migrate(db, broken, 1, &e), 0);
    assert_true(schema_migrate(db, broken, 3, &e) < 0);
    assert_non_null(strstr(e.text, "NONSENSE"));
    assert_int_equal(sql_ask(db, "PRAGMA user_version"), 1);
    assert_int_equal(
        sql_ask(db, "SELECT count(*) FROM pragma_table_info('film')"), 1);
    assert_int_equal(schema_migrate(db, steps, 3, &e), 0);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, store_fixture_setup, \
                                    store_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(store_open__new__is_marked_and_durable),
        TEST(store_open__newer_version__refused_and_untouched),
        TEST(store_open__negative_version__refused),
        TEST(store_open__foreign_database__refused_and_untouched),
        TEST(store_open__no_database__refused_and_untouched),
        TEST(store_open__newer_version_with_a_journal__left_alone),
        cmocka_unit_test(
            schema_migrate__from_each_version__keeps_what_is_there),
        cmocka_unit_test(schema_migrate__store_of_version_1__keeps_its_jobs),
        cmocka_unit_test(schema_migrate__failing_step__leaves_the_old_version),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
