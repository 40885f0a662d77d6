#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "support/database.h"
#include "support/folder.h"
#include "support/sql.h"

#define JOBS "SELECT count(*) FROM job"

static void database_open__new_folder__files_are_ours_alone(void **state)
{
    struct database_fixture *f = *state;
    static const char *const names[] = {DATABASE_FILE, DATABASE_LOCK,
                                        DATABASE_FILE "-wal"};
    char *fresh = folder_create();
    struct database *db = NULL;
    struct stat st;

    mode_t before = umask(0);
    assert_int_equal(database_open(&db, fresh, &f->error), 0);
    (void)umask(before);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        print_message("%s\n", names[i]);
        assert_int_equal(stat(folder_path(fresh, names[i]), &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
    }
    database_close(db);
    folder_remove(fresh);
}

static void database_open__new__is_set_up_to_last(void **state)
{
    static const struct {
        const char *sql;
        const char *expect;
    } cases[] = {
        {"PRAGMA journal_mode", "wal"},  {"PRAGMA synchronous", "2"},
        {"PRAGMA foreign_keys", "1"},    {"PRAGMA cache_size", "-8192"},
        {"PRAGMA trusted_schema", "0"},  {"PRAGMA temp_store", "2"},
        {"PRAGMA busy_timeout", "2000"},
    };
    struct database_fixture *f = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%s\n", cases[i].sql);
        char *value = sql_read(f->handle, cases[i].sql);
        assert_string_equal(value, cases[i].expect);
        free(value);
    }
    for (int i = 0; i < STATEMENT_COUNT; i++)
        assert_non_null(database_statement(f->db, (enum statement)i));
    for (int i = 0; i < STATE_COUNT; i++)
        assert_int_equal(database_counts(f->db)[i], 0);
}

static void no_such_folder(const char *folder)
{
    assert_int_equal(rmdir(folder), 0);
}

static void link_for_lock(const char *folder)
{
    folder_put(folder, "other", "not yours");
    assert_int_equal(symlink("other", folder_path(folder, DATABASE_LOCK)), 0);
}

static void link_for_file(const char *folder)
{
    folder_put(folder, "other", "");
    assert_int_equal(symlink("other", folder_path(folder, DATABASE_FILE)), 0);
}

static void folder_for_file(const char *folder)
{
    assert_int_equal(mkdir(folder_path(folder, DATABASE_FILE), 0700), 0);
}

static void noise_for_file(const char *folder)
{
    folder_put(folder, DATABASE_FILE, "a hundred words that are no database");
}

static void database_open__bad_folder__says_what_and_gives_nothing(void **state)
{
    static const struct {
        void (*spoil)(const char *folder);
        int expect;
        const char *words;
    } cases[] = {
        {no_such_folder, -ENOENT, DATABASE_LOCK "': No such file"},
        {link_for_lock, -ELOOP, DATABASE_LOCK "': Too many levels"},
        {link_for_file, -ELOOP, DATABASE_FILE "': Too many levels"},
        {folder_for_file, -EISDIR, DATABASE_FILE "': Is a directory"},
        {noise_for_file, -EBADMSG, "it is no database"},
    };
    struct database_fixture *f = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct database *db = f->db; // stays what it is
        char *folder = folder_create();
        cases[i].spoil(folder);
        print_message("%s\n", cases[i].words);
        assert_int_equal(database_open(&db, folder, &f->error),
                         cases[i].expect);
        assert_non_null(strstr(f->error.text, cases[i].words));
        assert_ptr_equal(db, f->db);
        (void)mkdir(folder, 0700);
        folder_remove(folder);
    }
}

static void database_open__in_use__busy_until_it_is_closed(void **state)
{
    struct database_fixture *f = *state;
    struct database *second = NULL;

    assert_int_equal(database_open(&second, f->folder, &f->error), -EBUSY);
    assert_non_null(strstr(f->error.text, "another daemon"));
    assert_null(second);
    database_fixture_close(f);
    assert_int_equal(database_open(&second, f->folder, &f->error), 0);
    database_close(second);
    database_close(NULL);
}

/* As uv_spawn's child does between fork and exec when the daemon is killed. */
static void
database_open__a_dead_daemons_child_has_the_lock__waits(void **state)
{
    struct database_fixture *f = *state;
    struct database *next = NULL;
    int go[2];
    char c;

    assert_int_equal(pipe(go), 0);
    pid_t child = fork();
    if (child == 0) {
        const struct timespec moment = {.tv_nsec = 200000000};
        (void)close(go[1]);
        (void)!read(go[0], &c, 1);
        (void)nanosleep(&moment, NULL); // the time is the subject
        _exit(0);
    }
    assert_true(child > 0);
    database_fixture_close(f); // the child's copy still holds it
    (void)close(go[0]);
    (void)close(go[1]);
    assert_int_equal(database_open(&next, f->folder, &f->error), 0);
    database_close(next);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

/*
 * A script of letters: b begin, c commit, r rollback, s savepoint, l release,
 * u undo, + a job (and its count).
 */
static void play(struct database_fixture *f, const char *script)
{
    static int64_t id;

    for (; *script; script++) {
        int r = 0;
        switch (*script) {
        case 'b':
            r = database_begin(f->db, &f->error);
            break;
        case 'c':
            r = database_commit(f->db, &f->error);
            break;
        case 'r':
            database_rollback(f->db);
            break;
        case 's':
            r = database_savepoint(f->db, &f->error);
            break;
        case 'l':
            r = database_release(f->db, &f->error);
            break;
        case 'u':
            r = database_undo(f->db, &f->error);
            break;
        default:
            database_fixture_put_job(f, ++id, STATE_QUEUED);
            database_counts(f->db)[STATE_QUEUED]++;
        }
        assert_int_equal(r, 0);
    }
}

static void database_begin__to_its_end__rows_and_counts_agree(void **state)
{
    static const struct {
        const char *script;
        int64_t kept;
        bool open; // is the transaction, at the end of the script
    } cases[] = {
        {"b", 0, true},
        {"b+c", 1, false},
        {"b+r", 0, false},
        {"b+cb+r", 1, false}, // back to this beginning, not to the first
        {"b+s+lc", 2, false},
        {"b+s+uc", 1, false},
        {"b+s+u", 1, true},      // undoing one leaves the others
        {"b+s+us+lc", 2, false}, // and room for the next
        {"b+s+ls+uc", 2, false},
        {"b+s+r", 0, false},
        {"b+s+lr", 0, false},
    };
    struct database_fixture *f = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%s\n", cases[i].script);
        play(f, cases[i].script);
        assert_int_equal(database_in_transaction(f->db), cases[i].open);
        assert_int_equal(sql_ask(f->handle, JOBS), cases[i].kept);
        assert_int_equal(database_counts(f->db)[STATE_QUEUED], cases[i].kept);

        if (cases[i].open)
            database_rollback(f->db);
        sql_run(f->handle, "DELETE FROM job");
        database_counts(f->db)[STATE_QUEUED] = 0;
    }
}

static void database_begin__out_of_order__refused_and_undone(void **state)
{
    struct database_fixture *f = *state;

    assert_true(database_commit(f->db, &f->error) < 0);
    assert_true(f->error.text[0] != '\0');
    play(f, "b+");
    assert_true(database_begin(f->db, &f->error) < 0);
    assert_true(database_release(f->db, &f->error) < 0);
    database_rollback(f->db);
    assert_int_equal(sql_ask(f->handle, JOBS), 0);
    play(f, "b+c"); // it can be used as before
    assert_int_equal(sql_ask(f->handle, JOBS), 1);
}

static void database_undo__its_savepoint__is_gone(void **state)
{
    struct database_fixture *f = *state;

    play(f, "b+s+u");
    assert_true(database_release(f->db, &f->error) < 0);
    assert_non_null(strstr(f->error.text, "no such savepoint"));
}

static void database_close__in_a_transaction__undoes_it(void **state)
{
    struct database_fixture *f = *state;

    play(f, "b+cb+");
    database_fixture_reopen(f);
    assert_int_equal(sql_ask(f->handle, JOBS), 1);
}

static void database_changes__last_statement__its_rows(void **state)
{
    struct database_fixture *f = *state;

    play(f, "+++");
    assert_int_equal(database_changes(f->db), 1);
    sql_run(f->handle, "UPDATE job SET held = 1");
    assert_int_equal(database_changes(f->db), 3);
    sql_run(f->handle, "UPDATE job SET held = 1 WHERE id = -1");
    assert_int_equal(database_changes(f->db), 0);
}

static void database_check__what_open_would_say__touching_nothing(void **state)
{
    static const struct {
        const char *sql; // makes it so; NULL: there is no file
        int expect;
        const char *words;
    } cases[] = {
        {NULL, 0, ""},
        {"PRAGMA user_version = 1", 0, ""},
        {"PRAGMA user_version = 1000", -ENOTSUP, "version 1000"},
        {"PRAGMA application_id = 1", -EINVAL, "another program's"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *outer = folder_create();
        char *folder = strdup(folder_path(outer, "50% of #1?"));
        struct error e = {0};
        struct database *db = NULL;
        sqlite3 *handle;

        print_message("%s\n", cases[i].sql ? cases[i].sql : "no file");
        assert_int_equal(mkdir(folder, 0700), 0);
        if (cases[i].sql) {
            assert_int_equal(database_open(&db, folder, &e), 0);
            database_close(db);
            assert_int_equal(
                sqlite3_open(folder_path(folder, DATABASE_FILE), &handle),
                SQLITE_OK);
            sql_run(handle, cases[i].sql);
            assert_int_equal(sqlite3_close(handle), SQLITE_OK);
        }
        char *before = strdup(folder_list(folder));
        assert_int_equal(database_check(folder, &e), cases[i].expect);
        assert_non_null(strstr(e.text, cases[i].words));
        assert_string_equal(folder_list(folder), before);
        free(before);
        free(folder);
        folder_remove(outer);
    }
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, database_fixture_setup, \
                                    database_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(database_open__new_folder__files_are_ours_alone),
        TEST(database_open__new__is_set_up_to_last),
        TEST(database_open__bad_folder__says_what_and_gives_nothing),
        cmocka_unit_test(database_check__what_open_would_say__touching_nothing),
        TEST(database_open__in_use__busy_until_it_is_closed),
        TEST(database_open__a_dead_daemons_child_has_the_lock__waits),
        TEST(database_begin__to_its_end__rows_and_counts_agree),
        TEST(database_begin__out_of_order__refused_and_undone),
        TEST(database_undo__its_savepoint__is_gone),
        TEST(database_close__in_a_transaction__undoes_it),
        TEST(database_changes__last_statement__its_rows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
