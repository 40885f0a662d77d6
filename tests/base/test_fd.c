#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"

/* How many descriptors the process has open, below a small number. */
static int count_open(void)
{
    int n = 0;

    for (int fd = 0; fd < 64; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

static void fd_close__none__keeps_errno(void **state)
{
    int fd = -1;

    (void)state;
    errno = EDOM;
    fd_close(&fd);
    assert_int_equal(errno, EDOM);
    assert_int_equal(fd, -1);
}

static void fd_take__descriptor__leaves_none(void **state)
{
    int fd = 7;

    (void)state;
    assert_int_equal(fd_take(&fd), 7);
    assert_int_equal(fd, -1);
}

static void fd_socketpair__ends__are_close_on_exec(void **state)
{
    int pair[2];

    (void)state;
    assert_int_equal(fd_socketpair(SOCK_SEQPACKET, pair), 0);
    for (int i = 0; i < 2; i++) {
        assert_true(fcntl(pair[i], F_GETFD) & FD_CLOEXEC);
        assert_false(fcntl(pair[i], F_GETFL) & O_NONBLOCK);
    }
    assert_int_equal(fd_set_nonblocking(pair[0]), 0);
    assert_true(fcntl(pair[0], F_GETFL) & O_NONBLOCK);
    fd_close(&pair[0]);
    fd_close(&pair[1]);
    assert_int_equal(fd_set_nonblocking(-1), -EBADF);
}

static void fd_receive__bytes_and_descriptors__arrive(void **state)
{
    char data[16] = "";
    int fds[4];
    size_t count = 9;
    int pair[2];

    (void)state;
    assert_int_equal(fd_socketpair(SOCK_STREAM, pair), 0);
    const int sent[] = {STDIN_FILENO, pair[0]};
    assert_int_equal(fd_send(pair[0], "hello", 5, sent, 2), 5);
    assert_int_equal(fd_receive(pair[1], data, sizeof(data), fds, 4, &count),
                     5);
    assert_memory_equal(data, "hello", 5);
    assert_int_equal(count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_true(fcntl(fds[i], F_GETFD) & FD_CLOEXEC);
        fd_close(&fds[i]);
    }
    fd_close(&pair[0]);
    assert_int_equal(fd_receive(pair[1], data, sizeof(data), fds, 4, &count),
                     0); // the end
    assert_int_equal(count, 0);
    fd_close(&pair[1]);
}

static void fd_receive__nothing_there__says_again(void **state)
{
    char data[4];
    size_t count = 9;
    int pair[2];

    (void)state;
    assert_int_equal(fd_socketpair(SOCK_STREAM | SOCK_NONBLOCK, pair), 0);
    assert_int_equal(fd_receive(pair[0], data, sizeof(data), NULL, 0, &count),
                     -EAGAIN);
    assert_int_equal(count, 0);
    fd_close(&pair[0]);
    fd_close(&pair[1]);
}

static void fd_receive__more_descriptors_than_room__closes_them(void **state)
{
    int before = count_open();
    char data[4];
    int fds[1];
    size_t count = 9;
    int pair[2];

    (void)state;
    assert_int_equal(fd_socketpair(SOCK_STREAM, pair), 0);
    const int sent[] = {pair[0], pair[0], pair[0]};
    assert_int_equal(fd_send(pair[0], "x", 1, sent, 3), 1);
    assert_int_equal(fd_receive(pair[1], data, sizeof(data), fds, 1, &count),
                     -EMSGSIZE);
    assert_int_equal(count, 0);
    fd_close(&pair[0]);
    fd_close(&pair[1]);
    assert_int_equal(count_open(), before);
}

/* A close() of ours would let go of the process's locks on the file, as it
 * would wait for a FUSE file system that does not answer. */
static void fd_receive__no_room__never_has_the_descriptor(void **state)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    FILE *file = tmpfile();
    char name[32];
    char data[4];
    size_t count = 9;
    int pair[2];

    (void)state;
    assert_non_null(file);
    assert_int_equal(fcntl(fileno(file), F_SETLK, &lock), 0);
    assert_int_equal(fd_socketpair(SOCK_STREAM, pair), 0);
    const int sent[] = {fileno(file)};
    assert_int_equal(fd_send(pair[0], "x", 1, sent, 1), 1);
    assert_int_equal(fd_receive(pair[1], data, sizeof(data), NULL, 0, &count),
                     -EMSGSIZE);
    assert_int_equal(count, 0);

    // as seen by an opened file of its own
    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fileno(file));
    int other = open(name, O_RDWR | O_CLOEXEC);
    assert_true(other >= 0);
    assert_int_equal(fcntl(other, F_OFD_GETLK, &lock), 0);
    assert_int_equal(lock.l_type, F_WRLCK);
    fd_close(&other);
    fd_close(&pair[0]);
    fd_close(&pair[1]);
    assert_int_equal(fclose(file), 0);
}

static void fd_receive__packet_is_cut__closes_its_descriptor(void **state)
{
    int before = count_open();
    char data[4];
    int fds[4];
    size_t count = 9;
    int pair[2];

    (void)state;
    assert_int_equal(fd_socketpair(SOCK_SEQPACKET, pair), 0);
    assert_int_equal(fd_send(pair[0], "too long", 8, &pair[0], 1), 8);
    assert_int_equal(fd_receive(pair[1], data, sizeof(data), fds, 4, &count),
                     -EMSGSIZE);
    fd_close(&pair[0]);
    fd_close(&pair[1]);
    assert_int_equal(count_open(), before);
}

static void fd_send__peer_is_gone__is_an_error_and_no_signal(void **state)
{
    int pair[2];

    (void)state;
    assert_int_equal(fd_socketpair(SOCK_STREAM, pair), 0);
    fd_close(&pair[1]);
    assert_int_equal(fd_send(pair[0], "x", 1, NULL, 0), -EPIPE);
    fd_close(&pair[0]);
}

static void fd_send__too_many_descriptors__is_refused(void **state)
{
    int many[64] = {0};

    (void)state;
    assert_int_equal(fd_send(-1, "x", 1, many, 64), -E2BIG);
}

static void fd_write_all__file__holds_it(void **state)
{
    char path[] = "/tmp/test_fd.XXXXXX";
    int fd = mkstemp(path);
    char *text = NULL;
    size_t size = 0;
    static char data[10000];

    (void)state;
    memset(data, 'a', sizeof(data));
    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, data, sizeof(data)), 0);
    fd_close(&fd);
    assert_int_equal(fd_read_file(AT_FDCWD, path, sizeof(data), &text, &size),
                     0);
    assert_int_equal(size, sizeof(data));
    assert_memory_equal(text, data, size);
    assert_int_equal(text[size], '\0');
    free(text);
    assert_int_equal(
        fd_read_file(AT_FDCWD, path, sizeof(data) - 1, &text, &size), -EFBIG);
    (void)unlink(path);
    assert_int_equal(fd_read_file(AT_FDCWD, path, 1, &text, &size), -ENOENT);
    assert_int_equal(fd_write_all(-1, "x", 1), -EBADF);
}

static void fd_read_all__pipe__is_read_to_its_end_or_bound(void **state)
{
    static const struct {
        size_t most;
        int expect;
    } cases[] = {{6, 0}, {5, -EFBIG}, {0, -EFBIG}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *text = NULL;
        size_t size = 0;
        int ends[2];

        print_message("at most %zu\n", cases[i].most);
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        assert_int_equal(fd_write_all(ends[1], "piped!", 6), 0);
        fd_close(&ends[1]);
        assert_int_equal(fd_read_all(ends[0], cases[i].most, &text, &size),
                         cases[i].expect);
        if (cases[i].expect == 0)
            assert_string_equal(text, "piped!");
        free(text);
        fd_close(&ends[0]);
    }
}

static void fd_read_file__folder_or_fifo__does_not_wait(void **state)
{
    char folder[] = "/tmp/test_fd.XXXXXX";
    char *text = NULL;
    size_t size = 0;

    (void)state;
    assert_non_null(mkdtemp(folder));
    assert_int_equal(fd_read_file(AT_FDCWD, folder, 99, &text, &size), -EISDIR);
    char *fifo = xasprintf("%s/fifo", folder);
    assert_int_equal(mkfifo(fifo, 0600), 0);
    // nobody will ever write to it
    assert_int_equal(fd_read_file(AT_FDCWD, fifo, 99, &text, &size), 0);
    assert_int_equal(size, 0);
    free(text);
    (void)unlink(fifo);
    (void)rmdir(folder);
    free(fifo);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fd_close__none__keeps_errno),
        cmocka_unit_test(fd_take__descriptor__leaves_none),
        cmocka_unit_test(fd_socketpair__ends__are_close_on_exec),
        cmocka_unit_test(fd_receive__bytes_and_descriptors__arrive),
        cmocka_unit_test(fd_receive__nothing_there__says_again),
        cmocka_unit_test(fd_receive__more_descriptors_than_room__closes_them),
        cmocka_unit_test(fd_receive__no_room__never_has_the_descriptor),
        cmocka_unit_test(fd_receive__packet_is_cut__closes_its_descriptor),
        cmocka_unit_test(fd_send__peer_is_gone__is_an_error_and_no_signal),
        cmocka_unit_test(fd_send__too_many_descriptors__is_refused),
        cmocka_unit_test(fd_write_all__file__holds_it),
        cmocka_unit_test(fd_read_all__pipe__is_read_to_its_end_or_bound),
        cmocka_unit_test(fd_read_file__folder_or_fifo__does_not_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
