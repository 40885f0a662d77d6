#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "store/database.h"
#include "support/store.h"

#define ALICE 1000

static void store_open__in_use__second_daemon_is_refused(void **state)
{
    struct store_fixture *f = *state;
    struct store *second = NULL;
    struct error e;

    assert_int_equal(store_open(&second, f->folder, &e), -EBUSY);
    assert_non_null(strstr(e.text, "another daemon"));
    assert_null(second);
    assert_int_equal(store_fixture_add(f, ALICE, NULL, DOCUMENT), 1);
}

static void store_open__no_folder__says_so(void **state)
{
    struct store *s = NULL;
    struct error e;

    (void)state;
    assert_int_equal(store_open(&s, "/nonexistent/folder", &e), -ENOENT);
    assert_non_null(strstr(e.text, "/nonexistent/folder"));
}

static void store_open__new__readable_by_its_owner_only(void **state)
{
    static const char *const names[] = {DATABASE_FILE, DATABASE_FILE "-wal",
                                        DATABASE_LOCK};
    struct store_fixture *f = *state;

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        struct stat st;
        char *path = store_fixture_path(f, names[i]);
        print_message("%s\n", names[i]);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 077, 0);
        free(path);
    }
}

/* Runs as nobody where we are root, for root may write anything. */
static int open_read_only(struct store_fixture *f, const char *path,
                          mode_t mode)
{
    int status;

    store_fixture_close(f);
    char *file = store_fixture_path(f, DATABASE_FILE);
    char *lock = store_fixture_path(f, DATABASE_LOCK);
    if (geteuid() == 0) {
        assert_int_equal(chown(f->folder, 65534, 65534), 0);
        assert_int_equal(chown(file, 65534, 65534), 0);
        assert_int_equal(chown(lock, 65534, 65534), 0);
    }
    assert_int_equal(chmod(path ? path : file, mode), 0);
    pid_t child = fork();
    if (child == 0) {
        if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
            _exit(255);
        _exit(-store_fixture_open(f));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(chmod(path ? path : file, 0700), 0);
    free(file);
    free(lock);
    return WIFEXITED(status) ? -WEXITSTATUS(status) : -1000;
}

static void store_open__read_only__refused(void **state)
{
    struct store_fixture *f = *state;

    assert_int_equal(open_read_only(f, NULL, 0400), -EACCES);
    assert_int_equal(open_read_only(f, NULL, 0600), 0);
    char *lock = store_fixture_path(f, DATABASE_LOCK);
    assert_int_equal(unlink(lock), 0);
    free(lock);
    store_fixture_reopen(f);
}

static void on_acknowledged(void *user, int result, int64_t id,
                            const struct error *e)
{
    const int *pipe_end = user;

    (void)e;
    if (result == 0)
        (void)fd_write_all(*pipe_end, &id, sizeof(id));
}

/* A daemon that adds and tells what was acknowledged, until it is killed. */
static void add_until_killed(struct store_fixture *f, int pipe_end)
{
    struct pollfd p = {.events = POLLIN};

    if (store_fixture_open(f) < 0)
        _exit(1);
    p.fd = store_fd(f->store);
    for (int i = 0; i < 10000; i++) {
        store_add(f->store,
                  &(struct store_new){.uid = ALICE, .document = DOCUMENT},
                  on_acknowledged, &pipe_end);
        if (i % 16 == 0)
            store_dispatch(f->store);
    }
    for (;;) {
        (void)poll(&p, 1, -1);
        store_dispatch(f->store);
    }
}

static void assert_is_there(struct store_fixture *f, int64_t id)
{
    struct store_record r;

    assert_int_equal(store_fixture_get(f, &r, id), 0);
    assert_int_equal(r.job.id, id);
    store_record_fini(&r);
}

static void
store_open__after_sigkill__every_acknowledged_job_is_there(void **state)
{
    struct store_fixture *f = *state;
    int ends[2];
    int64_t id;
    int64_t acknowledged = 0;

    store_fixture_close(f);
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        (void)close(ends[0]);
        add_until_killed(f, ends[1]);
    }
    (void)close(ends[1]);
    while (read(ends[0], &id, sizeof(id)) == (ssize_t)sizeof(id)) {
        acknowledged = id;
        if (acknowledged == 3000)
            (void)kill(child, SIGKILL);
    }
    (void)close(ends[0]);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_true(acknowledged >= 3000);

    store_fixture_reopen(f);
    int64_t counts[STATE_COUNT];
    store_counts(f->store, counts);
    print_message("%lld acknowledged, %lld there\n", (long long)acknowledged,
                  (long long)counts[STATE_QUEUED]);
    for (id = 1; id <= acknowledged; id += 97)
        assert_is_there(f, id);
    assert_true(counts[STATE_QUEUED] >= acknowledged);
}

#define TEST(name) \
    cmocka_unit_test_setup_teardown(name, store_fixture_setup, \
                                    store_fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(store_open__in_use__second_daemon_is_refused),
        cmocka_unit_test(store_open__no_folder__says_so),
        TEST(store_open__new__readable_by_its_owner_only),
        TEST(store_open__read_only__refused),
        TEST(store_open__after_sigkill__every_acknowledged_job_is_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
