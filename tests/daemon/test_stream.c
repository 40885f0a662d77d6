#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/memory.h"
#include "discard.h"

/* A stream, its other end, and what its owner was told. */
struct scene {
    uv_loop_t loop;
    struct stream *stream;
    struct discard *discard;
    int peer;
    char heard[512]; // documents, each followed by '|'
    size_t fds;      // that came
    int ended;       // times
    int code;        // with which
    bool holds;      // the owner keeps more back after each document
};

static void on_document(void *user, const char *text, size_t size, int *fds,
                        size_t fd_count)
{
    struct scene *s = user;

    assert_int_equal(strlen(text), size);
    (void)strcat(strcat(s->heard, text), "|");
    s->fds += fd_count;
    while (fd_count)
        fd_close(&fds[--fd_count]);
    if (s->holds)
        stream_hold(s->stream);
}

static void on_ended(void *user, const struct error *e)
{
    struct scene *s = user;

    s->ended++;
    s->code = e->code;
    stream_destroy(s->stream);
    s->stream = NULL;
}

static const struct stream_ops ops = {on_document, on_ended};

static int start(void **state)
{
    struct scene *s = xcalloc(1, sizeof(*s));
    const struct stream_limits limits = {.document = 100,
                                         .unread = 1 << 20,
                                         .fds = 2,
                                         .discard = discard_create()};
    int ends[2];

    assert_int_equal(uv_loop_init(&s->loop), 0);
    assert_int_equal(fd_socketpair(SOCK_STREAM, ends), 0);
    assert_int_equal(fd_set_nonblocking(ends[1]), 0);
    s->peer = ends[1];
    s->discard = limits.discard;
    assert_int_equal(
        stream_create(&s->stream, &s->loop, ends[0], &limits, &ops, s, NULL),
        0);
    *state = s;
    return 0;
}

static int stop(void **state)
{
    struct scene *s = *state;

    stream_destroy(s->stream);
    (void)uv_run(&s->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&s->loop), 0);
    discard_destroy(s->discard);
    fd_close(&s->peer);
    free(s);
    return 0;
}

static void turn(struct scene *s, int times)
{
    while (times--)
        (void)uv_run(&s->loop, UV_RUN_NOWAIT);
}

static void say(struct scene *s, const char *text, size_t size)
{
    assert_int_equal(write(s->peer, text, size), size);
}

#define SAY(s, text) say(s, text, sizeof(text) - 1)

static void documents__in_pieces_and_in_rows__come_whole(void **state)
{
    struct scene *s = *state;

    SAY(s, "on");
    turn(s, 1);
    assert_string_equal(s->heard, "");
    SAY(s, "e\0two\0thr");
    turn(s, 1);
    assert_string_equal(s->heard, "one|two|");
    SAY(s, "ee\0");
    turn(s, 1);
    assert_string_equal(s->heard, "one|two|three|");
    assert_int_equal(s->ended, 0);
}

static void hang_up__what_was_said_before__counts(void **state)
{
    struct scene *s = *state;

    SAY(s, "last\0");
    fd_close(&s->peer);
    turn(s, 3);
    assert_string_equal(s->heard, "last|");
    assert_int_equal(s->ended, 1);
    assert_int_equal(s->code, 0);
}

/* The kernel then marks our end as broken, which libuv tells as EBADF. */
static void hang_up__with_our_words_unread__what_was_said_counts(void **state)
{
    struct scene *s = *state;

    assert_int_equal(stream_send(s->stream, xstrdup("unread"), 7, NULL, 0), 0);
    SAY(s, "last\0");
    fd_close(&s->peer);
    turn(s, 3);
    assert_string_equal(s->heard, "last|");
    assert_int_equal(s->ended, 1);
    assert_int_equal(s->code, 0);
}

static void write__to_one_that_hung_up__what_it_said_counts(void **state)
{
    struct scene *s = *state;

    SAY(s, "last\0");
    fd_close(&s->peer);
    assert_int_equal(stream_send(s->stream, xstrdup("late"), 5, NULL, 0), 0);
    turn(s, 3);
    assert_string_equal(s->heard, "last|");
    assert_int_equal(s->ended, 1);
}

static void document__over_its_limit__ends(void **state)
{
    struct scene *s = *state;
    char big[200];

    memset(big, 'x', sizeof(big));
    SAY(s, "small\0");
    turn(s, 1);
    say(s, big, sizeof(big));
    turn(s, 3);
    assert_string_equal(s->heard, "small|");
    assert_int_equal(s->ended, 1);
    assert_int_equal(s->code, -EMSGSIZE);
}

static void descriptors__come_with_their_document(void **state)
{
    struct scene *s = *state;
    int two[] = {s->peer, s->peer};

    assert_int_equal(fd_send(s->peer, "a\0b", 4, two, 2), 4);
    turn(s, 2);
    assert_string_equal(s->heard, "a|b|");
    assert_int_equal(s->fds, 2);
}

/* Its close() would be answered by a file system of whoever sent it. */
static void descriptors__that_are_no_sockets__end(void **state)
{
    struct scene *s = *state;
    int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    int mixed[] = {s->peer, file};

    assert_true(file >= 0);
    assert_int_equal(fd_send(s->peer, "a", 2, mixed, 2), 2);
    turn(s, 2);
    assert_string_equal(s->heard, "");
    assert_int_equal(s->ended, 1);
    assert_int_equal(s->code, -ENOTSOCK);
    fd_close(&file);
}

static void descriptors__too_many__end(void **state)
{
    struct scene *s = *state;
    int three[] = {0, 1, 2};

    assert_int_equal(fd_send(s->peer, "a", 2, three, 3), 2);
    turn(s, 2);
    assert_int_equal(s->ended, 1);
    assert_int_equal(s->code, -E2BIG);
}

static void hold__keeps_documents_back_until_release(void **state)
{
    struct scene *s = *state;

    s->holds = true;
    SAY(s, "one\0two\0three\0");
    turn(s, 3);
    assert_string_equal(s->heard, "one|");
    stream_release(s->stream);
    assert_string_equal(s->heard, "one|"); // not from within
    turn(s, 2);
    assert_string_equal(s->heard, "one|two|");
    s->holds = false;
    stream_release(s->stream);
    turn(s, 2);
    assert_string_equal(s->heard, "one|two|three|");
}

static void hold__hang_up__is_noticed(void **state)
{
    struct scene *s = *state;

    stream_hold(s->stream);
    SAY(s, "never heard\0");
    fd_close(&s->peer);
    turn(s, 3);
    assert_string_equal(s->heard, "");
    assert_int_equal(s->ended, 1);
}

static void send__more_than_the_socket_takes__arrives_in_order(void **state)
{
    enum { COUNT = 500, SIZE = 2000 };
    struct scene *s = *state;
    static char buffer[COUNT * SIZE];
    size_t got = 0;

    for (int i = 0; i < COUNT; i++) {
        char *text = xcalloc(1, SIZE);
        memset(text, 'a' + i % 26, SIZE - 1);
        assert_int_equal(stream_send(s->stream, text, SIZE, NULL, 0), 0);
    }
    assert_true(stream_unread(s->stream) > 0);
    for (int i = 0; i < 10000 && got < sizeof(buffer); i++) {
        ssize_t n = read(s->peer, buffer + got, sizeof(buffer) - got);
        got += n > 0 ? (size_t)n : 0;
        turn(s, 1);
    }
    assert_int_equal(got, sizeof(buffer));
    assert_int_equal(stream_unread(s->stream), 0);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(buffer[i * SIZE], 'a' + i % 26);
        assert_int_equal(buffer[i * SIZE + SIZE - 1], '\0');
    }
}

static void send__to_one_that_does_not_read__is_bounded(void **state)
{
    struct scene *s = *state;
    int r = 0;

    for (int i = 0; i < 100 && r == 0; i++)
        r = stream_send(s->stream, xcalloc(1, 65536), 65536, NULL, 0);
    assert_int_equal(r, -ENOBUFS);
    assert_true(stream_unread(s->stream) <= 1 << 20);
    assert_int_equal(s->ended, 0); // that is for the owner to decide
}

static void send__descriptors__are_copies(void **state)
{
    struct scene *s = *state;
    char text[16];
    int fds[2];
    size_t count;
    int mine = open("/dev/null", O_RDONLY | O_CLOEXEC);

    assert_int_equal(stream_send(s->stream, xstrdup("x"), 2, &mine, 1), 0);
    assert_int_equal(fcntl(mine, F_GETFD), FD_CLOEXEC); // still ours
    assert_int_equal(fd_receive(s->peer, text, sizeof(text), fds, 2, &count),
                     2);
    assert_int_equal(count, 1);
    fd_close(&fds[0]);
    fd_close(&mine);
}

static void condemn__ends_later_and_delivers_no_more(void **state)
{
    struct scene *s = *state;

    s->holds = true;
    SAY(s, "one\0two\0");
    turn(s, 1);
    stream_condemn(s->stream);
    stream_release(s->stream); // of no use any more
    assert_int_equal(s->ended, 0);
    turn(s, 3);
    assert_string_equal(s->heard, "one|");
    assert_int_equal(s->ended, 1);
}

int main(void)
{
#define SCENE(test) cmocka_unit_test_setup_teardown(test, start, stop)
    const struct CMUnitTest tests[] = {
        SCENE(documents__in_pieces_and_in_rows__come_whole),
        SCENE(hang_up__what_was_said_before__counts),
        SCENE(hang_up__with_our_words_unread__what_was_said_counts),
        SCENE(write__to_one_that_hung_up__what_it_said_counts),
        SCENE(document__over_its_limit__ends),
        SCENE(descriptors__come_with_their_document),
        SCENE(descriptors__that_are_no_sockets__end),
        SCENE(descriptors__too_many__end),
        SCENE(hold__keeps_documents_back_until_release),
        SCENE(hold__hang_up__is_noticed),
        SCENE(send__more_than_the_socket_takes__arrives_in_order),
        SCENE(send__to_one_that_does_not_read__is_bounded),
        SCENE(send__descriptors__are_copies),
        SCENE(condemn__ends_later_and_delivers_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
