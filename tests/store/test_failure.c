#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include <sqlite3.h>

#include "base/error.h"
#include "store/failure.h"
#include "support/folder.h"
#include "support/sql.h"

static void failure_set__what_went_wrong__has_its_number_and_words(void **state)
{
    static const struct {
        const char *sql;
        int expect;
        const char *words;
    } cases[] = {
        {"ATTACH '/none/of/it' AS a", -ENOENT,
         "store: No such file or directory"},
        // no number of the system's, and not the one before
        {"INSERT INTO t VALUES (1)", -EIO,
         "store: UNIQUE constraint failed: t.x"},
        {"ATTACH '/dev/null/it' AS a", -ENOTDIR, "store: Not a directory"},
        {"SELECT zeroblob(2000000000)", -EMSGSIZE,
         "store: string or blob too big"},
        {"no SQL", -EIO, "store: near \"no\": syntax error"},
    };
    sqlite3 *db = NULL;

    (void)state;
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    (void)sqlite3_extended_result_codes(db, 1);
    sql_run(db, "CREATE TABLE t (x INTEGER PRIMARY KEY);"
                "INSERT INTO t VALUES (1)");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error e = {0};

        print_message("%s\n", cases[i].sql);
        assert_int_not_equal(sqlite3_exec(db, cases[i].sql, NULL, NULL, NULL),
                             SQLITE_OK);
        assert_int_equal(failure_set(&e, db, "store"), cases[i].expect);
        assert_int_equal(e.code, cases[i].expect);
        assert_string_equal(e.text, cases[i].words);
    }
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static sqlite3 *open_file(const char *folder, const char *name)
{
    sqlite3 *db = NULL;

    assert_int_equal(sqlite3_open(folder_path(folder, name), &db), SQLITE_OK);
    (void)sqlite3_extended_result_codes(db, 1); // as database.c has it
    return db;
}

/* In a file of its own, with another connection to it. */
static void failure_set__state_of_the_file__is_told(void **state)
{
    static const struct {
        const char *before; // on this connection
        const char *beside; // and on the other
        const char *sql;    // what fails
        int expect;
        const char *words;
    } cases[] = {
        {"PRAGMA max_page_count = 3", "",
         "INSERT INTO t VALUES (zeroblob(100000))", -ENOSPC,
         "store: the disk is full"},
        {"PRAGMA query_only = 1", "", "INSERT INTO t VALUES (1)", -EROFS,
         "store: it is read-only"},
        {"", "BEGIN EXCLUSIVE", "INSERT INTO t VALUES (1)", -EBUSY,
         "store: another process has locked it"},
        // one of the codes that only an extended one tells apart
        {"PRAGMA journal_mode = WAL; BEGIN; SELECT * FROM t",
         "INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)", -EBUSY,
         "store: another process has locked it"},
        {"PRAGMA writable_schema = 1;"
         "UPDATE sqlite_schema SET rootpage = 999;"
         "PRAGMA writable_schema = RESET",
         "", "SELECT * FROM t", -EBADMSG, "store: it is damaged"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error e = {0};
        char *folder = folder_create();
        sqlite3 *db = open_file(folder, "file");
        sqlite3 *other = open_file(folder, "file");

        print_message("%s\n", cases[i].words);
        sql_run(db, "CREATE TABLE t (x)");
        sql_run(db, cases[i].before);
        sql_run(other, cases[i].beside);
        assert_int_not_equal(sqlite3_exec(db, cases[i].sql, NULL, NULL, NULL),
                             SQLITE_OK);
        assert_int_equal(failure_set(&e, db, "store"), cases[i].expect);
        assert_string_equal(e.text, cases[i].words);
        assert_int_equal(failure_set(NULL, db, "store"), cases[i].expect);

        assert_int_equal(sqlite3_close(other), SQLITE_OK);
        assert_int_equal(sqlite3_close(db), SQLITE_OK);
        folder_remove(folder);
    }
}

static void failure_set__noise__no_database(void **state)
{
    struct error e = {0};
    char *folder = folder_create();

    (void)state;
    folder_put(folder, "file", "words of a person, and no pages of SQLite's");
    sqlite3 *db = open_file(folder, "file");
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE t (x)", NULL, NULL, NULL),
                     SQLITE_NOTADB);
    assert_int_equal(failure_set(&e, db, "cannot open"), -EBADMSG);
    assert_string_equal(e.text, "cannot open: it is no database");
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    folder_remove(folder);
}

static void failure_set__own_statement_in_the_way__busy(void **state)
{
    struct error e = {0};
    sqlite3 *db = NULL;
    sqlite3_stmt *reader = NULL;

    (void)state;
    assert_int_equal(sqlite3_open(":memory:", &db), SQLITE_OK);
    sql_run(db, "CREATE TABLE t (x); INSERT INTO t VALUES (1), (2)");
    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT x FROM t", -1, &reader, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(reader), SQLITE_ROW);
    assert_int_equal(sqlite3_exec(db, "DROP TABLE t", NULL, NULL, NULL),
                     SQLITE_LOCKED);
    assert_int_equal(failure_set(&e, db, "store"), -EBUSY);
    assert_string_equal(e.text, "store: database table is locked");
    assert_int_equal(sqlite3_finalize(reader), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            failure_set__what_went_wrong__has_its_number_and_words),
        cmocka_unit_test(failure_set__state_of_the_file__is_told),
        cmocka_unit_test(failure_set__noise__no_database),
        cmocka_unit_test(failure_set__own_statement_in_the_way__busy),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
