#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/memory.h"
#include "files/temporary.h"
#include "support/folder.h"

static const enum temporary_kind kinds[] = {TEMPORARY_UNNAMED, TEMPORARY_HIDDEN,
                                            TEMPORARY_LINKED};
#define KIND_COUNT (sizeof(kinds) / sizeof(kinds[0]))

struct fixture {
    char *folder;
    int fd; // of it, O_PATH
};

/* What was made durable, in order: 'f' a file that has no final name yet, 'n'
 * one that has, 'd' a folder. */
static char synced[16];
static int folder_sync_fails; // with this errno

/* In the place of libc's, for what the code under test calls. */
int fsync(int fd)
{
    struct stat st;
    char path[32];
    char name[256] = "";

    assert_int_equal(fstat(fd, &st), 0);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    assert_true(readlink(path, name, sizeof(name) - 1) > 0);
    size_t used = strlen(synced);
    assert_true(used + 1 < sizeof(synced));
    synced[used] = S_ISDIR(st.st_mode)     ? 'd'
                   : strstr(name, "/film") ? 'n'
                                           : 'f';
    if (S_ISDIR(st.st_mode) && folder_sync_fails) {
        errno = folder_sync_fails;
        return -1;
    }
    return (int)syscall(SYS_fsync, fd);
}

static int set_up(void **state)
{
    struct fixture *f = xcalloc(1, sizeof(*f));

    f->folder = folder_create();
    f->fd = open(f->folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    assert_true(f->fd >= 0);
    memset(synced, 0, sizeof(synced));
    folder_sync_fails = 0;
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    fd_close(&f->fd);
    folder_remove(f->folder);
    free(f);
    return 0;
}

static struct temporary new_temporary(const struct fixture *f,
                                      enum temporary_kind kind,
                                      const char *text)
{
    struct temporary t;
    struct error e = {0};

    print_message("kind %d\n", kind);
    assert_int_equal(temporary_create(&t, f->fd, kind, &e), 0);
    assert_int_equal(fd_write_all(t.fd, text, strlen(text)), 0);
    return t;
}

static void publish__under_a_free_name__is_all_that_is_seen(void **state)
{
    static const enum temporary_mode modes[] = {TEMPORARY_KEEP,
                                                TEMPORARY_REPLACE};
    struct fixture *f = *state;
    struct error e = {0};

    for (size_t i = 0; i < KIND_COUNT * 2; i++) {
        struct temporary t = new_temporary(f, kinds[i / 2], "new");
        assert_string_equal(folder_get(f->folder, "film"), "(none)");
        assert_int_equal(temporary_publish(&t, "film", modes[i % 2], &e), 0);
        temporary_fini(&t);
        assert_string_equal(folder_list(f->folder), "film");
        assert_string_equal(folder_get(f->folder, "film"), "new");
        assert_int_equal(unlink(folder_path(f->folder, "film")), 0);
    }
}

static void publish__any_way__syncs_the_file_before_its_name(void **state)
{
    static const enum temporary_mode modes[] = {TEMPORARY_KEEP,
                                                TEMPORARY_REPLACE};
    struct fixture *f = *state;
    struct error e = {0};

    for (size_t i = 0; i < KIND_COUNT * 2; i++) {
        if (modes[i % 2] == TEMPORARY_REPLACE)
            folder_put(f->folder, "film", "old");
        struct temporary t = new_temporary(f, kinds[i / 2], "new");
        memset(synced, 0, sizeof(synced));
        assert_int_equal(temporary_publish(&t, "film", modes[i % 2], &e), 0);
        temporary_fini(&t);
        assert_string_equal(synced, "fd");
        assert_int_equal(unlink(folder_path(f->folder, "film")), 0);
    }
}

static void
publish__folder_cannot_be_synced__fails_unless_none_can(void **state)
{
    static const struct {
        int code;
        int expect;
    } cases[] = {{EIO, -EIO}, {EINVAL, 0}, {EOPNOTSUPP, 0}};
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error e = {0};
        struct temporary t = new_temporary(f, TEMPORARY_UNNAMED, "new");

        folder_sync_fails = cases[i].code;
        assert_int_equal(temporary_publish(&t, "film", TEMPORARY_REPLACE, &e),
                         cases[i].expect);
        temporary_fini(&t);
        // whole, and not to be taken away again from who may have seen it
        assert_string_equal(folder_list(f->folder), "film");
    }
}

static void publish__keeping__never_replaces(void **state)
{
    struct fixture *f = *state;
    struct error e = {0};

    folder_put(f->folder, "film", "old");
    assert_int_equal(symlink("none", folder_path(f->folder, "link")), 0);
    for (size_t i = 0; i < KIND_COUNT; i++) {
        struct temporary t = new_temporary(f, kinds[i], "new");
        assert_int_equal(temporary_publish(&t, "film", TEMPORARY_KEEP, &e),
                         -EEXIST);
        assert_int_equal(temporary_publish(&t, "link", TEMPORARY_KEEP, &e),
                         -EEXIST);
        assert_string_equal(e.text, "File exists");
        temporary_fini(&t);
        assert_string_equal(folder_list(f->folder), "film link");
        assert_string_equal(folder_get(f->folder, "film"), "old");
    }
}

static void publish__replacing__takes_the_name_and_no_more(void **state)
{
    struct fixture *f = *state;
    struct error e = {0};
    struct stat st;

    for (size_t i = 0; i < KIND_COUNT; i++) {
        folder_put(f->folder, "target", "old");
        (void)unlink(folder_path(f->folder, "film"));
        assert_int_equal(symlink("target", folder_path(f->folder, "film")), 0);
        struct temporary t = new_temporary(f, kinds[i], "new");
        assert_int_equal(temporary_publish(&t, "film", TEMPORARY_REPLACE, &e),
                         0);
        temporary_fini(&t);
        assert_int_equal(lstat(folder_path(f->folder, "film"), &st), 0);
        assert_true(S_ISREG(st.st_mode));
        assert_string_equal(folder_get(f->folder, "film"), "new");
        assert_string_equal(folder_get(f->folder, "target"), "old");
        assert_string_equal(folder_list(f->folder), "film target");
    }
}

static void publish__over_a_folder__fails_and_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    struct error e = {0};

    assert_int_equal(mkdir(folder_path(f->folder, "film"), 0755), 0);
    for (size_t i = 0; i < KIND_COUNT; i++) {
        struct temporary t = new_temporary(f, kinds[i], "new");
        assert_int_equal(temporary_publish(&t, "film", TEMPORARY_REPLACE, &e),
                         -EISDIR);
        temporary_fini(&t);
        assert_string_equal(folder_list(f->folder), "film");
    }
}

static void publish__folder_removed__fails_in_words(void **state)
{
    struct fixture *f = *state;
    struct error e = {0};

    assert_int_equal(mkdir(folder_path(f->folder, "gone"), 0755), 0);
    int gone = open(folder_path(f->folder, "gone"), O_PATH | O_CLOEXEC);
    struct temporary t;
    assert_int_equal(temporary_create(&t, gone, TEMPORARY_UNNAMED, &e), 0);
    assert_int_equal(rmdir(folder_path(f->folder, "gone")), 0);
    assert_int_equal(temporary_publish(&t, "film", TEMPORARY_KEEP, &e),
                     -ENOENT);
    assert_string_equal(e.text, "its folder has been removed");
    temporary_fini(&t);
    assert_int_equal(temporary_create(&t, gone, TEMPORARY_HIDDEN, &e), -ENOENT);
    fd_close(&gone);
}

static void fini__not_published__leaves_nothing(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < KIND_COUNT; i++) {
        struct temporary t = new_temporary(f, kinds[i], "new");
        temporary_fini(&t);
        temporary_fini(&t); // twice is harmless
        assert_string_equal(folder_list(f->folder), "");
    }
}

static void fini__name_taken_over__leaves_the_other(void **state)
{
    struct fixture *f = *state;
    struct temporary t = new_temporary(f, TEMPORARY_HIDDEN, "ours");

    folder_put(f->folder, "other", "theirs");
    assert_int_equal(renameat(f->fd, "other", f->fd, t.name), 0);
    temporary_fini(&t);
    assert_string_not_equal(folder_list(f->folder), "");
}

static void create__mode__is_what_the_umask_leaves(void **state)
{
    struct fixture *f = *state;
    struct stat st;
    mode_t before = umask(0027);

    for (size_t i = 0; i < KIND_COUNT; i++) {
        struct temporary t = new_temporary(f, kinds[i], "new");
        assert_int_equal(fstat(t.fd, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0640);
        assert_int_equal(fcntl(t.fd, F_GETFL) & O_ACCMODE, O_RDWR);
        assert_int_equal(fcntl(t.fd, F_GETFD), FD_CLOEXEC);
        temporary_fini(&t);
    }
    (void)umask(before);
}

/* A child that makes a temporary, publishes nothing and dies by SIGKILL. */
static void die_with(const struct fixture *f, enum temporary_kind kind)
{
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        (void)new_temporary(f, kind, "half");
        (void)raise(SIGKILL);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
}

static void killed__unnamed__leaves_nothing(void **state)
{
    struct fixture *f = *state;

    die_with(f, TEMPORARY_UNNAMED);
    assert_string_equal(folder_list(f->folder), "");
}

static void killed__hidden__is_removed_by_the_next_one(void **state)
{
    struct fixture *f = *state;
    struct error e = {0};

    die_with(f, TEMPORARY_HIDDEN);
    die_with(f, TEMPORARY_HIDDEN);
    assert_memory_equal(folder_list(f->folder), ".transcoded-", 12);

    struct temporary alive = new_temporary(f, TEMPORARY_HIDDEN, "alive");
    assert_string_equal(folder_list(f->folder), alive.name);

    // replacing needs a hidden name for a moment, and looks around, too
    die_with(f, TEMPORARY_HIDDEN);
    folder_put(f->folder, "film", "old");
    struct temporary t = new_temporary(f, TEMPORARY_UNNAMED, "new");
    assert_int_equal(temporary_publish(&t, "film", TEMPORARY_REPLACE, &e), 0);
    temporary_fini(&t);
    assert_int_equal(unlink(folder_path(f->folder, "film")), 0);
    assert_string_equal(folder_list(f->folder), alive.name);
    temporary_fini(&alive);
    assert_string_equal(folder_list(f->folder), "");
}

static void sweep__what_is_not_ours__stays(void **state)
{
    static const char *const others[] = {
        ".transcoded-0123456789abcde",
        ".transcoded-0123456789abcdef0",
        ".transcoded-0123456789abcdef.mp4",
        ".transcoded-0123456789ABCDEF",
        ".transcoded-",
        "transcoded-0123456789abcdef",
        ".hidden",
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        folder_put(f->folder, others[i], "theirs");
    // neither files that we may open nor such as ours are
    assert_int_equal(
        mkfifo(folder_path(f->folder, ".transcoded-0123456789abcdef"), 0644),
        0);
    assert_int_equal(
        mkdir(folder_path(f->folder, ".transcoded-1123456789abcdef"), 0755), 0);
    assert_int_equal(
        symlink(".hidden",
                folder_path(f->folder, ".transcoded-2123456789abcdef")),
        0);
    const char *before = folder_list(f->folder);
    struct temporary t = new_temporary(f, TEMPORARY_HIDDEN, "ours");
    temporary_fini(&t);
    assert_string_equal(folder_list(f->folder), before);
}

/* In a folder that may be written to but not read: 0 when all goes well. */
static int drop_into(void *user)
{
    const struct fixture *f = user;
    struct error e = {0};
    struct temporary t;

    for (size_t i = 0; i < KIND_COUNT; i++) {
        if (temporary_create(&t, f->fd, kinds[i], &e) < 0)
            return 1;
        if (temporary_publish(&t, "film", TEMPORARY_REPLACE, &e) < 0)
            return 2;
        temporary_fini(&t);
    }
    return 0;
}

static void create__in_a_drop_box__works(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(
        chown(f->folder, geteuid() ? geteuid() : NOBODY, getegid()), 0);
    assert_int_equal(chmod(f->folder, 0300), 0);
    int r = folder_as_nobody(drop_into, f);
    assert_int_equal(chmod(f->folder, 0700), 0);
    if (r < 0) {
        print_message("needs root, to become nobody\n");
        skip();
    }
    assert_int_equal(r, 0);
    assert_string_equal(folder_list(f->folder), "film");
}

/* In a mount namespace of its own, with a file system of one free inode: 0 when
 * the words say that it is full. */
static int fill(const char *folder)
{
    struct error e = {0};
    struct temporary one;
    struct temporary other;
    int r = 0;

    if (unshare(CLONE_NEWNS) < 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("none", folder, "tmpfs", 0, "nr_inodes=2") < 0)
        return 100;
    int fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; i < KIND_COUNT && r == 0; i++) {
        if (temporary_create(&one, fd, kinds[i], &e) < 0)
            return 1;
        r = temporary_create(&other, fd, kinds[i], &e) == -ENOSPC &&
                    strcmp(e.text, "No space left on device") == 0
                ? 0
                : 2;
        temporary_fini(&one);
    }
    return r;
}

static void create__disk_full__says_so(void **state)
{
    struct fixture *f = *state;
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0)
        _exit(fill(f->folder));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 100) {
        print_message("may not mount a small file system\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(publish__under_a_free_name__is_all_that_is_seen),
        IN_FOLDER(publish__any_way__syncs_the_file_before_its_name),
        IN_FOLDER(publish__folder_cannot_be_synced__fails_unless_none_can),
        IN_FOLDER(publish__keeping__never_replaces),
        IN_FOLDER(publish__replacing__takes_the_name_and_no_more),
        IN_FOLDER(publish__over_a_folder__fails_and_leaves_nothing),
        IN_FOLDER(publish__folder_removed__fails_in_words),
        IN_FOLDER(fini__not_published__leaves_nothing),
        IN_FOLDER(fini__name_taken_over__leaves_the_other),
        IN_FOLDER(create__mode__is_what_the_umask_leaves),
        IN_FOLDER(killed__unnamed__leaves_nothing),
        IN_FOLDER(killed__hidden__is_removed_by_the_next_one),
        IN_FOLDER(sweep__what_is_not_ours__stays),
        IN_FOLDER(create__in_a_drop_box__works),
        IN_FOLDER(create__disk_full__says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
