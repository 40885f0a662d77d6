#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "files/output.h"
#include "support/folder.h"

#define GROUP 4711 // that nobody is in

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

/* 0 or -errno; finished under its name then. */
static int make(const char *path, bool growing, enum temporary_kind kind,
                const struct output_sharing *sharing, struct error *e)
{
    const struct output_config config = {
        .path = path, .sharing = sharing, .growing = growing, .kind = kind};
    struct output *o = output_create(&config);

    int r = output_check(o, NULL, e);
    if (r == 0)
        r = output_open(o, e);
    if (r >= 0)
        r = output_finish(o, e);
    output_destroy(o);
    return r;
}

static const struct {
    bool growing;
    enum temporary_kind kind;
} ways[] = {
    {false, TEMPORARY_UNNAMED},
    {false, TEMPORARY_HIDDEN},
    {true, TEMPORARY_UNNAMED},
};

static void mode__any_way__is_not_the_umasks(void **state)
{
    static const struct output_sharing sharing = {OUTPUT_FOLDER_GROUP, 0664};
    const char *path = folder_path(*state, "film");
    mode_t before = umask(0077);

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        struct error e = {0};
        struct stat st;

        print_message("way %zu\n", i);
        assert_int_equal(make(path, ways[i].growing, ways[i].kind, NULL, &e),
                         0);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0600);
        assert_int_equal(unlink(path), 0);

        assert_int_equal(
            make(path, ways[i].growing, ways[i].kind, &sharing, &e), 0);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0664);
        assert_int_equal(unlink(path), 0);
    }
    (void)umask(before);
}

static void group__named_or_of_the_folder__is_given(void **state)
{
    static const struct output_sharing cases[] = {
        {OUTPUT_FOLDER_GROUP, 0664},
        {GROUP + 1, 0640},
    };
    const char *path = folder_path(*state, "film");

    if (geteuid() != 0) {
        print_message("needs root, to give files to any group\n");
        skip();
    }
    assert_int_equal(chown(*state, (uid_t)-1, GROUP), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        gid_t wanted = i == 0 ? GROUP : cases[i].group;
        struct error e = {0};
        struct stat st;

        assert_int_equal(make(path, false, TEMPORARY_UNNAMED, &cases[i], &e),
                         0);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_gid, wanted);
        assert_int_equal(st.st_mode & 07777, cases[i].mode);
        assert_int_equal(unlink(path), 0);
    }
}

/* As nobody, in a folder whose group nobody is not in: 0 when a named group is
 * refused with words, nothing is left, and the folder's is not insisted on. */
static int make_as_nobody(void *user)
{
    static const struct output_sharing named = {GROUP, 0664};
    static const struct output_sharing folders = {OUTPUT_FOLDER_GROUP, 0664};
    struct error e = {0};
    struct stat st;

    int r = make(user, true, TEMPORARY_UNNAMED, &named, &e);
    if (r != -EPERM || access(user, F_OK) == 0 ||
        !strstr(e.text, "cannot give it to the group 4711"))
        return 1;
    r = make(user, false, TEMPORARY_UNNAMED, &folders, &e);
    if (r < 0 || stat(user, &st) < 0 || st.st_gid == GROUP)
        return 2;
    return (st.st_mode & 07777) == 0664 ? 0 : 3;
}

static void group__that_one_is_not_in__is_refused_if_named(void **state)
{
    char path[4096];

    (void)snprintf(path, sizeof(path), "%s/film", (const char *)*state);
    if (geteuid() == 0) {
        assert_int_equal(chown(*state, (uid_t)-1, GROUP), 0);
        assert_int_equal(chmod(*state, 0777), 0);
    }
    int r = folder_as_nobody(make_as_nobody, path);
    if (r < 0) {
        print_message("needs root, to become nobody\n");
        skip();
    }
    assert_int_equal(r, 0);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(mode__any_way__is_not_the_umasks),
        IN_FOLDER(group__named_or_of_the_folder__is_given),
        IN_FOLDER(group__that_one_is_not_in__is_refused_if_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
