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
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "files/input.h"
#include "support/folder.h"

static int set_up(void **state)
{
    char *folder = folder_create();

    folder_put(folder, "film", "film");
    assert_int_equal(mkfifo(folder_path(folder, "fifo"), 0644), 0);
    assert_int_equal(symlink("film", folder_path(folder, "link")), 0);
    assert_int_equal(symlink("none", folder_path(folder, "dangling")), 0);
    *state = folder;
    return 0;
}

static int tear_down(void **state)
{
    folder_remove(*state);
    return 0;
}

static void assert_refused(const char *path, int code, const char *words)
{
    struct identity id;
    struct error e = {0};

    print_message("%s\n", path);
    assert_int_equal(input_open(NULL, path, &e), code);
    assert_non_null(strstr(e.text, path));
    assert_non_null(strstr(e.text, words));
    assert_int_equal(input_check(NULL, path, &id, &e), code);
    assert_non_null(strstr(e.text, words));
}

static void input__neither_file_nor_fifo__is_refused_in_words(void **state)
{
    const char *folder = *state;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s",
                   folder_path(folder, "socket"));
    assert_int_equal(
        bind(listener, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_refused(folder, -EISDIR, "is a directory");
    assert_refused("/dev/null", -EINVAL, "is a device");
    assert_refused(folder_path(folder, "socket"), -EINVAL, "is a socket");
    assert_refused(folder_path(folder, "none"), -ENOENT, "No such file");
    assert_refused(folder_path(folder, "dangling"), -ENOENT, "No such file");
    assert_refused(folder_path(folder, "film/x"), -ENOTDIR, "Not a directory");
    fd_close(&listener);
}

static void input__file__is_read_only_and_each_time_its_own(void **state)
{
    const char *folder = *state;
    struct error e = {0};
    char text[8] = "";

    int one = input_open(NULL, folder_path(folder, "film"), &e);
    int other = input_open(NULL, folder_path(folder, "link"), &e);
    assert_true(one >= 0 && other >= 0);
    assert_int_equal(read(one, text, 3), 3);
    assert_int_equal(read(other, text, sizeof(text)), 4);
    assert_memory_equal(text, "film", 4);
    assert_int_equal(fcntl(one, F_GETFL) & (O_ACCMODE | O_NONBLOCK), O_RDONLY);
    assert_int_equal(fcntl(one, F_GETFD), FD_CLOEXEC);
    fd_close(&one);
    fd_close(&other);
}

static void input__check__knows_a_file_by_all_its_names(void **state)
{
    const char *folder = *state;
    struct identity one;
    struct identity other;
    struct error e = {0};

    assert_int_equal(input_check(NULL, folder_path(folder, "film"), &one, &e),
                     0);
    assert_int_equal(input_check(NULL, folder_path(folder, "link"), &other, &e),
                     0);
    assert_true(one.device == other.device && one.inode == other.inode);
    assert_int_equal(input_check(NULL, folder_path(folder, "fifo"), &other, &e),
                     0);
    assert_true(one.inode != other.inode);
    assert_int_equal(input_check(NULL, folder_path(folder, "film"), NULL, &e),
                     0);
}

static void input__fifo_without_writer__does_not_wait(void **state)
{
    const char *path = folder_path(*state, "fifo");
    struct error e = {0};
    char text[8];

    (void)alarm(10); // instead of hanging for ever
    int fd = input_open(NULL, path, &e);
    assert_true(fd >= 0);
    int writer = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(writer >= 0);
    assert_int_equal(write(writer, "live", 4), 4);
    assert_int_equal(read(fd, text, sizeof(text)), 4);
    fd_close(&writer);
    assert_int_equal(read(fd, text, sizeof(text)), 0);
    assert_int_equal(fcntl(fd, F_GETFL) & O_NONBLOCK, 0);
    fd_close(&fd);
    (void)alarm(0);
}

static void input__fifo_that_is_checked__gets_no_reader(void **state)
{
    const char *path = folder_path(*state, "fifo");
    struct error e = {0};

    int reader = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    int writer = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    assert_true(reader >= 0 && writer >= 0);
    fd_close(&reader);
    assert_int_equal(input_check(NULL, path, NULL, &e), 0);
    fd_close(&writer);
    assert_int_equal(open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC), -1);
    assert_int_equal(errno, ENXIO);
}

static int open_as_nobody(void *user)
{
    struct error e = {0};
    struct identity id;

    if (input_check(NULL, user, &id, &e) != -EACCES)
        return 1;
    return input_open(NULL, user, &e) == -EACCES &&
                   strstr(e.text, "Permission denied")
               ? 0
               : 2;
}

static void input__not_readable__is_refused(void **state)
{
    char path[4096];

    (void)snprintf(path, sizeof(path), "%s/film", (const char *)*state);
    assert_int_equal(chmod(path, 0600), 0);
    int r = folder_as_nobody(open_as_nobody, path);
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
        IN_FOLDER(input__neither_file_nor_fifo__is_refused_in_words),
        IN_FOLDER(input__file__is_read_only_and_each_time_its_own),
        IN_FOLDER(input__check__knows_a_file_by_all_its_names),
        IN_FOLDER(input__fifo_without_writer__does_not_wait),
        IN_FOLDER(input__fifo_that_is_checked__gets_no_reader),
        IN_FOLDER(input__not_readable__is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
