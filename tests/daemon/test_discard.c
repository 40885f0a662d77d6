#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "discard.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"

#define THREADS 8 // from here on it is full

static void discard_wants__all_but_unix_sockets(void **state)
{
    int pair[2];
    int pipes[2];

    (void)state;
    assert_int_equal(fd_socketpair(SOCK_SEQPACKET, pair), 0);
    assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
    int internet = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int path = open("/tmp", O_PATH | O_CLOEXEC);
    assert_true(internet >= 0 && path >= 0);

    assert_false(discard_wants(NULL, 0));
    assert_false(discard_wants(pair, 2));
    assert_true(discard_wants(pipes, 1));
    assert_true(discard_wants(&internet, 1));
    assert_true(discard_wants(&path, 1));
    assert_true(discard_wants((int[]){pair[0], pipes[0]}, 2));

    int *const all[] = {&pair[0],  &pair[1],  &pipes[0],
                        &pipes[1], &internet, &path};
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
        fd_close(all[i]);
}

/* A socket whose close() waits until the peer, *@ret_peer, has gone: what was
 * sent is to arrive first, and nobody reads. */
static int open_lingering(int *ret_peer)
{
    static const char chunk[1 << 16];
    const struct linger linger = {.l_onoff = 1, .l_linger = 60};
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct sockaddr *a = (struct sockaddr *)&address;
    socklen_t size = sizeof(address);

    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(listener, a, size), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, a, &size), 0);
    assert_int_equal(connect(fd, a, size), 0);
    *ret_peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    assert_true(*ret_peer >= 0);
    fd_close(&listener);

    assert_int_equal(fd_set_nonblocking(fd), 0);
    while (send(fd, chunk, sizeof(chunk), MSG_NOSIGNAL) > 0)
        ;
    assert_int_equal(
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
    return fd;
}

static void discard_take__closing_waits__caller_does_not(void **state)
{
    struct discard *d = discard_create();
    int peers[THREADS];

    (void)state;
    for (int i = 0; i < THREADS; i++) {
        assert_false(discard_is_full(d));
        int fd = open_lingering(&peers[i]);
        discard_take(d, &fd, 1);
    }
    assert_true(discard_is_full(d));
    for (int i = 0; i < THREADS; i++)
        fd_close(&peers[i]);
    while (discard_is_full(d))
        (void)sched_yield();
    discard_destroy(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(discard_wants__all_but_unix_sockets),
        cmocka_unit_test(discard_take__closing_waits__caller_does_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
