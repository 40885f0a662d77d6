#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/memory.h"
#include "files/output.h"
#include "files/roots.h"
#include "support/folder.h"

static int set_up(void **state)
{
    *state = folder_create();
    return 0;
}

static int tear_down(void **state)
{
    folder_remove(*state);
    return 0;
}

enum how { PLAIN, OVERWRITE, GROWING, GROWING_OVERWRITE, HIDDEN, HOW_COUNT };

static struct output *new_output(const char *path, enum how how)
{
    const struct output_config config = {
        .path = path,
        .overwrite = how == OVERWRITE || how == GROWING_OVERWRITE,
        .growing = how == GROWING || how == GROWING_OVERWRITE,
        .kind = how == HIDDEN ? TEMPORARY_HIDDEN : TEMPORARY_UNNAMED,
    };

    print_message("'%s', way %d\n", path, how);
    return output_create(&config);
}

/* As a worker would: 0 or -errno. */
static int begin(struct output *o, const char *text, struct error *e)
{
    int r = output_check(o, NULL, e);
    if (r < 0)
        return r;
    int fd = output_open(o, e);
    if (fd < 0)
        return fd;
    assert_true(output_is_open(o));
    assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
    return 0;
}

static void finish__any_way__is_there_and_whole(void **state)
{
    const char *folder = *state;

    for (int how = 0; how < HOW_COUNT; how++) {
        const char *path = folder_path(folder, "film");
        struct output *o = new_output(path, (enum how)how);
        struct error e = {0};

        assert_int_equal(begin(o, "new", &e), 0);
        assert_int_equal(output_finish(o, &e), 0);
        assert_true(output_is_finished(o));
        output_abort(o); // too late
        output_destroy(o);
        assert_string_equal(folder_list(folder), "film");
        assert_string_equal(folder_get(folder, "film"), "new");
        assert_int_equal(unlink(path), 0);
    }
}

static void abort__any_way__leaves_nothing(void **state)
{
    const char *folder = *state;

    for (int how = 0; how < HOW_COUNT; how++) {
        struct output *o =
            new_output(folder_path(folder, "film"), (enum how)how);
        struct error e = {0};

        assert_int_equal(begin(o, "half", &e), 0);
        output_abort(o);
        assert_string_equal(folder_list(folder), "");
        // and it can be begun again
        assert_int_equal(begin(o, "half", &e), 0);
        output_destroy(o);
        assert_string_equal(folder_list(folder), "");
    }
}

static void growing__from_the_first_byte__has_its_name(void **state)
{
    const char *folder = *state;
    struct output *o = new_output(folder_path(folder, "film"), GROWING);
    struct error e = {0};

    assert_int_equal(begin(o, "half", &e), 0);
    assert_string_equal(folder_get(folder, "film"), "half");
    // a file that took its place is not ours to remove
    assert_int_equal(unlink(folder_path(folder, "film")), 0);
    folder_put(folder, "film", "another's");
    output_destroy(o);
    assert_string_equal(folder_get(folder, "film"), "another's");
}

static void growing__replacing_a_link__does_not_write_through_it(void **state)
{
    const char *folder = *state;
    struct output *o =
        new_output(folder_path(folder, "film"), GROWING_OVERWRITE);
    struct error e = {0};

    folder_put(folder, "target", "old");
    assert_int_equal(symlink("target", folder_path(folder, "film")), 0);
    assert_int_equal(begin(o, "new", &e), 0);
    assert_int_equal(output_finish(o, &e), 0);
    assert_string_equal(folder_get(folder, "film"), "new");
    assert_string_equal(folder_get(folder, "target"), "old");
    output_destroy(o);
}

/* Puts a thing of @kind at @path. */
static void put_thing(const char *path, mode_t kind)
{
    int r = -1;

    if (kind == S_IFDIR)
        r = mkdir(path, 0755);
    else if (kind == S_IFIFO)
        r = mkfifo(path, 0644);
    else if (kind == S_IFLNK)
        r = symlink("dangling", path);
    else if (kind == S_IFREG)
        r = close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644));
    assert_int_equal(r, 0);
}

static void check__something_has_the_name__says_what_is_in_the_way(void **state)
{
    static const struct {
        mode_t kind;
        enum how how;
        int code;
        const char *words;
    } cases[] = {
        {S_IFREG, PLAIN, -EEXIST, "it exists, and the job does not overwrite"},
        {S_IFLNK, PLAIN, -EEXIST, "it exists, and the job does not overwrite"},
        {S_IFREG, GROWING, -EEXIST, "does not overwrite"},
        {S_IFDIR, PLAIN, -EISDIR, "it is a directory"},
        {S_IFDIR, OVERWRITE, -EISDIR, "it is a directory"},
        {S_IFDIR, GROWING_OVERWRITE, -EISDIR, "it is a directory"},
        {S_IFIFO, OVERWRITE, -EEXIST, "it is a FIFO"},
        {S_IFIFO, PLAIN, -EEXIST, "it is a FIFO"},
        {S_IFREG, OVERWRITE, 0, ""},
        {S_IFLNK, OVERWRITE, 0, ""},
    };
    const char *folder = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *path = folder_path(folder, "film");
        struct output *o = new_output(path, cases[i].how);
        struct error e = {0};

        put_thing(path, cases[i].kind);
        assert_int_equal(output_check(o, NULL, &e), cases[i].code);
        assert_non_null(strstr(e.text, cases[i].words));
        if (cases[i].code < 0)
            assert_non_null(strstr(e.text, path));
        output_destroy(o);
        assert_int_equal(remove(path), 0);
    }
}

static void check__folder_missing_or_no_folder__names_it(void **state)
{
    static const struct {
        const char *path;
        int code;
        const char *words;
    } cases[] = {
        {"none/film", -ENOENT, "there is no folder '"},
        {"file/film", -ENOTDIR, "Not a directory"},
        {"file/", -ENOTDIR, ""},
        {"", -EISDIR, "it names a folder"},
        {".", -EISDIR, "it names a folder"},
        {"..", -EISDIR, "it names a folder"},
    };
    const char *folder = *state;

    folder_put(folder, "file", "");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct output *o =
            new_output(folder_path(folder, cases[i].path), PLAIN);
        struct error e = {0};
        int r = output_check(o, NULL, &e);

        print_message("  %s\n", e.text);
        assert_true(r == cases[i].code || (r == -EISDIR && !*cases[i].words));
        assert_non_null(strstr(e.text, cases[i].words));
        output_destroy(o);
    }
}

static void check__input_by_any_name__is_refused(void **state)
{
    static const char *const names[] = {"film", "hard", "soft"};
    const char *folder = *state;
    struct stat st;

    folder_put(folder, "film", "the input");
    assert_int_equal(
        link(folder_path(folder, "film"), folder_path(folder, "hard")), 0);
    assert_int_equal(symlink("film", folder_path(folder, "soft")), 0);
    assert_int_equal(stat(folder_path(folder, "film"), &st), 0);
    const struct identity input = identity_of(&st);
    for (size_t i = 0; i < 3; i++) {
        struct output *o = new_output(folder_path(folder, names[i]), OVERWRITE);
        struct error e = {0};

        assert_int_equal(output_check(o, &input, &e), -EINVAL);
        assert_non_null(strstr(e.text, "it is the input"));
        output_destroy(o);
    }
}

static void check__begun_already__is_busy(void **state)
{
    struct output *o = new_output(folder_path(*state, "film"), PLAIN);
    struct error e = {0};

    assert_int_equal(begin(o, "half", &e), 0);
    assert_int_equal(output_check(o, NULL, &e), -EBUSY);
    assert_int_equal(output_finish(o, &e), 0);
    assert_int_equal(output_check(o, NULL, &e), -EBUSY);
    output_destroy(o);
}

static void finish__not_begun__is_refused(void **state)
{
    struct output *o = new_output(folder_path(*state, "film"), PLAIN);
    struct error e = {0};

    assert_int_equal(output_finish(o, &e), -EINVAL);
    assert_int_equal(begin(o, "new", &e), 0);
    assert_int_equal(output_finish(o, &e), 0);
    assert_int_equal(output_finish(o, &e), -EINVAL);
    output_destroy(o);
}

static void finish__name_taken_meanwhile__keeps_the_other(void **state)
{
    const char *folder = *state;
    struct output *o = new_output(folder_path(folder, "film"), PLAIN);
    struct error e = {0};

    assert_int_equal(begin(o, "new", &e), 0);
    folder_put(folder, "film", "another's");
    assert_int_equal(output_finish(o, &e), -EEXIST);
    print_message("%s\n", e.text);
    assert_non_null(strstr(e.text, "cannot complete"));
    output_destroy(o);
    assert_string_equal(folder_list(folder), "film");
    assert_string_equal(folder_get(folder, "film"), "another's");
}

static void finish__no_file_has_the_name__is_not_replaced(void **state)
{
    const char *folder = *state;
    struct output *o = new_output(folder_path(folder, "film"), OVERWRITE);
    struct error e = {0};

    assert_int_equal(begin(o, "new", &e), 0);
    assert_int_equal(mkfifo(folder_path(folder, "film"), 0644), 0);
    assert_int_equal(output_finish(o, &e), -EEXIST);
    assert_non_null(strstr(e.text, "it is a FIFO"));
    output_destroy(o);
    assert_string_equal(folder_list(folder), "film");
}

static void growing__name_taken_since_the_check__is_refused(void **state)
{
    const char *folder = *state;
    const char *path = folder_path(folder, "film");
    struct output *o = new_output(path, GROWING);
    struct error e = {0};

    folder_put(folder, "theirs", "old");
    assert_int_equal(output_check(o, NULL, &e), 0);
    assert_int_equal(symlink("theirs", path), 0);
    assert_int_equal(output_open(o, &e), -EEXIST);
    assert_int_equal(unlink(path), 0);
    folder_put(folder, "film", "another's");
    assert_int_equal(output_open(o, &e), -EEXIST);
    output_destroy(o);
    assert_string_equal(folder_get(folder, "film"), "another's");
}

static int syncs;

/* In the place of libc's, for what the code under test calls. */
int fsync(int fd)
{
    syncs++;
    return (int)syscall(SYS_fsync, fd);
}

static void finish__any_way__syncs_the_file_and_its_folder(void **state)
{
    const char *folder = *state;

    for (int how = 0; how < HOW_COUNT; how++) {
        struct output *o =
            new_output(folder_path(folder, "film"), (enum how)how);
        struct error e = {0};

        assert_int_equal(begin(o, "new", &e), 0);
        syncs = 0;
        assert_int_equal(output_finish(o, &e), 0);
        assert_int_equal(syncs, 2);
        output_destroy(o);
        assert_int_equal(unlink(folder_path(folder, "film")), 0);
    }
}

static void finish__folder_removed__says_so(void **state)
{
    const char *folder = *state;
    struct error e = {0};

    assert_int_equal(mkdir(folder_path(folder, "gone"), 0755), 0);
    struct output *o = new_output(folder_path(folder, "gone/film"), PLAIN);
    assert_int_equal(begin(o, "new", &e), 0);
    assert_int_equal(rmdir(folder_path(folder, "gone")), 0);
    assert_int_equal(output_finish(o, &e), -ENOENT);
    assert_non_null(strstr(e.text, "its folder has been removed"));
    output_destroy(o);
}

static void reset__finished_before__may_be_replaced_by_ourselves(void **state)
{
    const char *folder = *state;

    for (int how = 0; how < HOW_COUNT; how++) {
        const char *path = folder_path(folder, "film");
        struct output *o = new_output(path, (enum how)how);
        struct error e = {0};

        assert_int_equal(begin(o, "first", &e), 0);
        assert_int_equal(output_finish(o, &e), 0);
        output_reset(o);
        assert_string_equal(folder_get(folder, "film"), "first");
        assert_int_equal(begin(o, "second", &e), 0);
        assert_int_equal(output_finish(o, &e), 0);
        assert_string_equal(folder_get(folder, "film"), "second");
        output_reset(o);
        // but not what somebody else has put there since
        folder_put(folder, "other", "another's");
        assert_int_equal(rename(folder_path(folder, "other"), path), 0);
        assert_int_equal(
            output_check(o, NULL, &e),
            how == OVERWRITE || how == GROWING_OVERWRITE ? 0 : -EEXIST);
        output_destroy(o);
        assert_int_equal(unlink(path), 0);
    }
}

static int try_mark(const char *path, const char *mark)
{
    const struct output_config config = {.path = path, .mark = mark};
    struct output *o = output_create(&config);
    struct error e = {0};

    int r = begin(o, "new", &e);
    if (r == 0)
        r = output_finish(o, &e);
    output_destroy(o);
    return r;
}

static void mark__of_the_same_job__lets_it_be_replaced(void **state)
{
    const char *folder = *state;
    const char *path = folder_path(folder, "film");

    folder_put(folder, "probe", "");
    if (setxattr(folder_path(folder, "probe"), "user.x", "", 0, 0) < 0) {
        print_message("the file system has no attributes\n");
        skip();
    }
    assert_int_equal(try_mark(path, "job 17"), 0);
    assert_int_equal(try_mark(path, "job 17"), 0);
    assert_int_equal(try_mark(path, "job 1"), -EEXIST);
    assert_int_equal(try_mark(path, "job 171"), -EEXIST);
    assert_int_equal(try_mark(path, NULL), -EEXIST);
    assert_int_equal(removexattr(path, "user.transcoded.job"), 0);
    assert_int_equal(try_mark(path, "job 17"), -EEXIST);
}

static void collides__same_folder_by_another_way__is_seen(void **state)
{
    const char *folder = *state;
    struct error e = {0};

    assert_int_equal(mkdir(folder_path(folder, "one"), 0755), 0);
    assert_int_equal(symlink("one", folder_path(folder, "two")), 0);
    struct output *a = new_output(folder_path(folder, "one/film"), OVERWRITE);
    struct output *b = new_output(folder_path(folder, "two/film"), OVERWRITE);
    struct output *c = new_output(folder_path(folder, "one/other"), OVERWRITE);
    struct output *d = new_output(folder_path(folder, "film"), OVERWRITE);
    assert_false(output_collides(a, b)); // not looked for yet
    assert_int_equal(output_check(a, NULL, &e), 0);
    assert_int_equal(output_check(b, NULL, &e), 0);
    assert_int_equal(output_check(c, NULL, &e), 0);
    assert_int_equal(output_check(d, NULL, &e), 0);
    assert_true(output_collides(a, b));
    assert_false(output_collides(a, c));
    assert_false(output_collides(a, d));
    output_destroy(a);
    output_destroy(b);
    output_destroy(c);
    output_destroy(d);
}

static void roots__for_the_folder__hold(void **state)
{
    const char *folder = *state;
    char *folders[] = {xasprintf("%s/in", folder)};
    const struct files_roots roots = {.write = folders, .write_count = 1};
    static const struct {
        const char *path;
        int code;
    } cases[] = {
        {"in/film", 0},
        {"film", -EACCES},
        {"in/out/film", -EACCES},
        {"in/../film", -EACCES},
    };

    assert_int_equal(mkdir(folders[0], 0755), 0);
    assert_int_equal(symlink("..", folder_path(folder, "in/out")), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct output_config config = {
            .path = folder_path(folder, cases[i].path), .roots = &roots};
        struct output *o = output_create(&config);
        struct error e = {0};

        print_message("%s\n", cases[i].path);
        assert_int_equal(begin(o, "new", &e), cases[i].code);
        output_destroy(o);
        assert_string_equal(folder_list(folder), "in");
    }
    free(folders[0]);
}

static int check_as_nobody(void *user)
{
    const struct output_config config = {.path = user};
    struct output *o = output_create(&config);
    struct error e = {0};

    int r = output_check(o, NULL, &e);
    output_destroy(o);
    return r == -EACCES && strstr(e.text, "Permission denied") ? 0 : 1;
}

static void check__folder_not_writable__is_refused(void **state)
{
    char path[4096];

    (void)snprintf(path, sizeof(path), "%s/film", (const char *)*state);
    int r = folder_as_nobody(check_as_nobody, path);
    if (r < 0) {
        print_message("needs root, to become nobody\n");
        skip();
    }
    assert_int_equal(r, 0);
}

/* In a mount namespace of its own, where @folder is read-only: 0 when the words
 * say so. */
static int check_read_only(const char *folder)
{
    const struct output_config config = {.path = folder_path(folder, "film")};
    struct error e = {0};

    if (unshare(CLONE_NEWNS) < 0 ||
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("none", folder, "tmpfs", MS_RDONLY, NULL) < 0)
        return 100;
    struct output *o = output_create(&config);
    int r = output_check(o, NULL, &e);
    output_destroy(o);
    return r == -EROFS && strstr(e.text, "Read-only file system") ? 0 : 1;
}

static void check__read_only_file_system__is_refused(void **state)
{
    int status;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0)
        _exit(check_read_only(*state));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 100) {
        print_message("may not mount a file system\n");
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(finish__any_way__is_there_and_whole),
        IN_FOLDER(abort__any_way__leaves_nothing),
        IN_FOLDER(growing__from_the_first_byte__has_its_name),
        IN_FOLDER(growing__replacing_a_link__does_not_write_through_it),
        IN_FOLDER(check__something_has_the_name__says_what_is_in_the_way),
        IN_FOLDER(check__folder_missing_or_no_folder__names_it),
        IN_FOLDER(check__input_by_any_name__is_refused),
        IN_FOLDER(check__begun_already__is_busy),
        IN_FOLDER(finish__not_begun__is_refused),
        IN_FOLDER(finish__name_taken_meanwhile__keeps_the_other),
        IN_FOLDER(finish__no_file_has_the_name__is_not_replaced),
        IN_FOLDER(growing__name_taken_since_the_check__is_refused),
        IN_FOLDER(finish__any_way__syncs_the_file_and_its_folder),
        IN_FOLDER(finish__folder_removed__says_so),
        IN_FOLDER(reset__finished_before__may_be_replaced_by_ourselves),
        IN_FOLDER(mark__of_the_same_job__lets_it_be_replaced),
        IN_FOLDER(collides__same_folder_by_another_way__is_seen),
        IN_FOLDER(roots__for_the_folder__hold),
        IN_FOLDER(check__folder_not_writable__is_refused),
        IN_FOLDER(check__read_only_file_system__is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
