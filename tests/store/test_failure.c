#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>

#include <sqlite3.h>

#include "base/error.h"
#include "store/failure.h"

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
    assert_int_equal(sqlite3_exec(db,
                                  "CREATE TABLE t (x INTEGER PRIMARY KEY);"
                                  "INSERT INTO t VALUES (1)",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            failure_set__what_went_wrong__has_its_number_and_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
