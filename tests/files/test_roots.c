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

#include "base/error.h"
#include "base/fd.h"
#include "files/roots.h"
#include "support/folder.h"

/*
 *  folder/in/film              folder/out/secret       folder/inside/film
 *  folder/in/deep/film         folder/in/link-in       -> deep/film
 *  folder/in/link-out          -> ../out/secret
 *  folder/in/link-absolute     -> FOLDER/in/film
 *  folder/in/folder-out        -> ../out
 */
static int set_up(void **state)
{
    char *folder = folder_create();

    assert_int_equal(mkdir(folder_path(folder, "in"), 0755), 0);
    assert_int_equal(mkdir(folder_path(folder, "in/deep"), 0755), 0);
    assert_int_equal(mkdir(folder_path(folder, "inside"), 0755), 0);
    assert_int_equal(mkdir(folder_path(folder, "out"), 0755), 0);
    folder_put(folder, "in/film", "film");
    folder_put(folder, "in/deep/film", "deep");
    folder_put(folder, "inside/film", "inside");
    folder_put(folder, "out/secret", "secret");
    assert_int_equal(symlink("deep/film", folder_path(folder, "in/link-in")),
                     0);
    assert_int_equal(
        symlink("../out/secret", folder_path(folder, "in/link-out")), 0);
    assert_int_equal(symlink(folder_path(folder, "in/film"),
                             folder_path(folder, "in/link-absolute")),
                     0);
    assert_int_equal(symlink("../out", folder_path(folder, "in/folder-out")),
                     0);
    *state = folder;
    return 0;
}

static int tear_down(void **state)
{
    folder_remove(*state);
    return 0;
}

/* What opening @path below @root reads, or says. */
static int read_below(const char *root, const char *path, char *ret,
                      size_t size, struct error *e)
{
    char copy[4096];
    char *folders[] = {copy};
    const struct files_roots roots = {.read = folders, .read_count = 1};

    (void)snprintf(copy, sizeof(copy), "%s", root);
    int fd = roots_open(&roots, ROOTS_READ, path, O_RDONLY, e);
    if (fd < 0)
        return fd;
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    ssize_t n = read(fd, ret, size - 1);
    ret[n > 0 ? n : 0] = '\0';
    fd_close(&fd);
    return 0;
}

static void open__below_a_root__follows_what_stays_there(void **state)
{
    static const struct {
        const char *root;
        const char *path;
        const char *text;
    } cases[] = {
        {"in", "in/film", "film"},           {"in/", "in/film", "film"},
        {"in//", "in//film", "film"},        {"in", "in/deep/film", "deep"},
        {"in/deep", "in/deep/film", "deep"}, {"in", "in/link-in", "deep"},
        {"in", "in/deep/../film", "film"},   {"", "out/secret", "secret"},
        {"", "in/link-out", "secret"}, // leads out of in, but not of this one
    };
    const char *folder = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error e = {0};
        char text[64];

        print_message("%s below %s\n", cases[i].path, cases[i].root);
        assert_int_equal(read_below(folder_path(folder, cases[i].root),
                                    folder_path(folder, cases[i].path), text,
                                    sizeof(text), &e),
                         0);
        assert_string_equal(text, cases[i].text);
    }
}

static void open__what_leads_out_of_a_root__is_refused(void **state)
{
    static const struct {
        const char *path;
        int code;
        const char *words;
    } cases[] = {
        {"out/secret", -EACCES, "below none of the roots"},
        {"inside/film", -EACCES, "below none of the roots"},
        {"in/../out/secret", -EACCES, "leads out of the root"},
        {"in/link-out", -EACCES, "leads out of the root"},
        {"in/folder-out/secret", -EACCES, "leads out of the root"},
        // its target is inside, but whether it is cannot be known in one step
        {"in/link-absolute", -EACCES, "leads out of the root"},
        {"in/none", -ENOENT, "No such file"},
        {"in/film/x", -ENOTDIR, "Not a directory"},
    };
    const char *folder = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *path = folder_path(folder, cases[i].path);
        struct error e = {0};
        char text[64];

        print_message("%s\n", cases[i].path);
        assert_int_equal(
            read_below(folder_path(folder, "in"), path, text, sizeof(text), &e),
            cases[i].code);
        print_message("  %s\n", e.text);
        assert_int_equal(e.code, cases[i].code);
        assert_non_null(strstr(e.text, path));
        assert_non_null(strstr(e.text, cases[i].words));
    }
}

static void open__magic_link__is_refused(void **state)
{
    struct error e = {0};
    char text[64];
    char path[64];
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    (void)state;
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    assert_int_equal(
        read_below("/proc", "/proc/self/cwd/Makefile", text, sizeof(text), &e),
        -ELOOP);
    assert_int_equal(read_below("/proc", path, text, sizeof(text), &e), -ELOOP);
    fd_close(&fd);
}

static void open__several_roots__are_tried_in_turn(void **state)
{
    const char *folder = *state;
    char *folders[] = {(char *)(size_t)folder_path(folder, "in/none"),
                       (char *)(size_t)folder_path(folder, "in"),
                       (char *)(size_t)folder_path(folder, "out")};
    const struct files_roots roots = {.read = folders, .read_count = 3};
    struct error e = {0};

    int fd = roots_open(&roots, ROOTS_READ, folder_path(folder, "out/secret"),
                        O_RDONLY, &e);
    assert_true(fd >= 0);
    fd_close(&fd);
    // a root that is gone does not hide one that is there
    folders[1] = (char *)(size_t)folder;
    folders[0] = (char *)(size_t)folder_path(folder, "in");
    fd = roots_open(&roots, ROOTS_READ, folder_path(folder, "in/link-out"),
                    O_RDONLY, &e);
    assert_true(fd >= 0);
    fd_close(&fd);
}

static void open__roots_for_reading__are_none_for_writing(void **state)
{
    const char *folder = *state;
    char *folders[] = {(char *)(size_t)folder};
    const struct files_roots roots = {.read = folders, .read_count = 1};
    struct error e = {0};

    assert_int_equal(roots_open(&roots, ROOTS_WRITE, folder_path(folder, "in"),
                                O_PATH | O_DIRECTORY, &e),
                     -EACCES);
    assert_non_null(strstr(e.text, "no roots"));
    assert_non_null(strstr(e.text, "'roots.write'"));
}

static void open__root_that_is_gone__is_named(void **state)
{
    const char *folder = *state;
    struct error e = {0};
    char text[64];

    assert_int_equal(read_below(folder_path(folder, "gone"),
                                folder_path(folder, "gone/film"), text,
                                sizeof(text), &e),
                     -ENOENT);
    assert_non_null(strstr(e.text, "cannot open the root"));
}

static void open__without_roots__is_as_open(void **state)
{
    const char *folder = *state;
    struct error e = {0};

    int fd = roots_open(NULL, ROOTS_READ, folder_path(folder, "in/link-out"),
                        O_RDONLY, &e);
    assert_true(fd >= 0);
    fd_close(&fd);
    assert_int_equal(
        roots_open(NULL, ROOTS_READ, folder_path(folder, "none"), O_RDONLY, &e),
        -ENOENT);
    assert_non_null(strstr(e.text, "/none': No such file"));
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(open__below_a_root__follows_what_stays_there),
        IN_FOLDER(open__what_leads_out_of_a_root__is_refused),
        IN_FOLDER(open__magic_link__is_refused),
        IN_FOLDER(open__several_roots__are_tried_in_turn),
        IN_FOLDER(open__roots_for_reading__are_none_for_writing),
        IN_FOLDER(open__root_that_is_gone__is_named),
        IN_FOLDER(open__without_roots__is_as_open),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
