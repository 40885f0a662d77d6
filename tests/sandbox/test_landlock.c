#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "sandbox/landlock.h"
#include "support/folder.h"

/* What a test's rules allow, below its folder. */
#define READABLE "readable"
#define WRITABLE "writable"

struct fixture {
    char *folder; // owned
    int input;    // a file that no rule names, open for reading
};

static int set_up(void **state)
{
    static struct fixture f;

    if (landlock_version() < 0)
        return 0;
    f.folder = folder_create();
    assert_int_equal(mkdir(folder_path(f.folder, READABLE), 0755), 0);
    assert_int_equal(mkdir(folder_path(f.folder, WRITABLE), 0755), 0);
    folder_put(f.folder, READABLE "/library", "code");
    assert_int_equal(chmod(folder_path(f.folder, READABLE "/library"), 0755),
                     0);
    folder_put(f.folder, WRITABLE "/state", "old");
    folder_put(f.folder, "input", "media");
    f.input = open(folder_path(f.folder, "input"), O_RDONLY | O_CLOEXEC);
    assert_true(f.input >= 0);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    if (!f)
        return 0;
    close(f->input);
    folder_remove(f->folder);
    return 0;
}

static int confine(const struct fixture *f)
{
    char readable[256];
    char writable[256];
    struct error e = {0};

    (void)snprintf(readable, sizeof(readable), "%s/" READABLE, f->folder);
    (void)snprintf(writable, sizeof(writable), "%s/" WRITABLE, f->folder);
    const struct landlock_rule rules[] = {
        {readable, LANDLOCK_READ},       {writable, LANDLOCK_WRITE},
        {"/dev/null", LANDLOCK_DEVICE},  {"/proc/self", LANDLOCK_READ},
        {"/not/there", LANDLOCK_DEVICE},
    };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
        landlock_confine(rules, sizeof(rules) / sizeof(rules[0]), &e) < 0) {
        (void)fprintf(stderr, "%s\n", e.text);
        return -1;
    }
    return 0;
}

/* Run @act confined: what it returns, 0 or an errno. */
static int confined(const struct fixture *f,
                    int (*act)(const struct fixture *f, const void *what),
                    const void *what)
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) // paths are of the parent's folder, relative to it
        _exit(chdir(f->folder) < 0 || confine(f) < 0 ? 255 : act(f, what));
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

struct attempt {
    const char *path;
    int flags;
    int expected; // errno
};

static int open_it(const struct fixture *f, const void *what)
{
    const struct attempt *a = what;

    (void)f;
    return open(a->path, a->flags | O_CLOEXEC, 0600) < 0 ? errno : 0;
}

static void landlock_confine__opening__is_as_the_rules_say(void **state)
{
    static const struct attempt cases[] = {
        {READABLE "/library", O_RDONLY, 0},
        {READABLE, O_RDONLY | O_DIRECTORY, 0},
        {READABLE "/library", O_RDWR, EACCES},
        {READABLE "/new", O_WRONLY | O_CREAT, EACCES},
        {WRITABLE "/state", O_RDWR, 0},
        {WRITABLE "/state", O_WRONLY | O_TRUNC, 0},
        {WRITABLE "/new", O_WRONLY | O_CREAT | O_EXCL, 0},
        {"input", O_RDONLY, EACCES},
        {"beside", O_WRONLY | O_CREAT, EACCES},
        {".", O_RDONLY | O_DIRECTORY, EACCES},
        {READABLE "/../input", O_RDONLY, EACCES},
        {"/etc/passwd", O_RDONLY, EACCES},
        {"/proc/self/status", O_RDONLY, 0},
        {"/proc/self/root/etc/passwd", O_RDONLY, EACCES},
        {"/proc/1/status", O_RDONLY, EACCES},
        {"/dev/null", O_RDWR, 0},
        {"/dev/zero", O_RDONLY, EACCES},
    };

    if (!*state)
        skip(); // the kernel has no Landlock
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%s %o\n", cases[i].path, (unsigned)cases[i].flags);
        assert_int_equal(confined(*state, open_it, &cases[i]),
                         cases[i].expected);
    }
    assert_string_equal(folder_get(((struct fixture *)*state)->folder, "input"),
                        "media");
}

static int read_input(const struct fixture *f, const void *what)
{
    char text[8];

    (void)what;
    return pread(f->input, text, sizeof(text), 0) == strlen("media") ? 0 : EIO;
}

static int reopen_input(const struct fixture *f, const void *what)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", f->input);
    return open(path, *(const int *)what) < 0 ? errno : 0;
}

static void landlock_confine__open_descriptor__works_and_opens_nothing(void **s)
{
    static const int reading = O_RDONLY;
    static const int writing = O_RDWR;

    if (!*s)
        skip(); // the kernel has no Landlock
    assert_int_equal(confined(*s, read_input, NULL), 0);
    assert_int_equal(confined(*s, reopen_input, &reading), EACCES);
    assert_int_equal(confined(*s, reopen_input, &writing), EACCES);
}

/* Other ways to a file than to open it. */
static int rename_it(const struct fixture *f, const void *what)
{
    (void)f;
    (void)what;
    if (rename(READABLE "/library", WRITABLE "/library") == 0 ||
        link("input", WRITABLE "/input") == 0 || unlink("input") == 0 ||
        mkdir("folder", 0700) == 0 || truncate("input", 0) == 0 ||
        symlink("/", "link") == 0)
        return 0;
    return errno;
}

static void landlock_confine__names__are_not_changed_elsewhere(void **state)
{
    if (!*state)
        skip(); // the kernel has no Landlock
    assert_int_not_equal(confined(*state, rename_it, NULL), 0);
    assert_string_equal(folder_list(((struct fixture *)*state)->folder),
                        "input " READABLE " " WRITABLE);
}

static int run_a_program(const struct fixture *f, const void *what)
{
    (void)f;
    (void)what;
    (void)execl("/bin/true", "true", (char *)NULL);
    return errno;
}

/* Its format is unknown, which only one who may run it is told. */
static int run_a_library(const struct fixture *f, const void *what)
{
    (void)f;
    (void)what;
    (void)execl(READABLE "/library", "library", (char *)NULL);
    return errno;
}

static int bind_a_port(const struct fixture *f, const void *what)
{
    const struct sockaddr_in any = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)f;
    (void)what;
    if (fd < 0)
        return EACCES; // no network at all
    return bind(fd, (const struct sockaddr *)&any, sizeof(any)) < 0 ? errno : 0;
}

static int signal_the_parent(const struct fixture *f, const void *what)
{
    (void)f;
    (void)what;
    return kill(getppid(), 0) < 0 ? errno : 0;
}

static void landlock_confine__all_else__is_refused_where_known(void **state)
{
    static const struct {
        const char *what;
        int since; // version
        int (*act)(const struct fixture *f, const void *what);
        int expected;
    } cases[] = {
        {"a program", 1, run_a_program, EACCES},
        {"what may be read", 1, run_a_library, EACCES},
        {"a port", 4, bind_a_port, EACCES},
        {"a signal", 6, signal_the_parent, EPERM},
    };

    if (!*state)
        skip(); // the kernel has no Landlock
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        print_message("%s\n", cases[i].what);
        if (landlock_version() >= cases[i].since)
            assert_int_equal(confined(*state, cases[i].act, NULL),
                             cases[i].expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            landlock_confine__opening__is_as_the_rules_say, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            landlock_confine__open_descriptor__works_and_opens_nothing, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(
            landlock_confine__names__are_not_changed_elsewhere, set_up,
            tear_down),
        cmocka_unit_test_setup_teardown(
            landlock_confine__all_else__is_refused_where_known, set_up,
            tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
