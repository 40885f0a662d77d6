#include "support/caller.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "connection.h"
#include "stream.h"

static void on_called(void *user, struct call *call)
{
    ((struct caller *)user)->call = call;
}

static void on_closed(void *user, struct connection *c)
{
    (void)c;
    ((struct caller *)user)->connection = NULL;
}

static const struct connection_ops ops = {on_called, on_closed};

static bool has_called(const void *one)
{
    return ((const struct caller *)one)->call;
}

static void begin(struct callers *c, struct caller *one)
{
    static const char call[] = "{\"method\":\"io.transcoded.Cancel\"}";
    static const struct stream_limits limits = {.document = 1024,
                                                .unread = 1 << 20};
    struct access_peer peer = {.uid = 1000};
    int ends[2];

    assert_int_equal(fd_socketpair(SOCK_STREAM, ends), 0);
    one->fd = ends[1];
    one->connection =
        connection_create(&c->loop.uv, ends[0], &peer, &limits, &ops, one);
    assert_non_null(one->connection);
    assert_int_equal(fd_write_all(one->fd, call, sizeof(call)), 0);
    loop_run_until(&c->loop, has_called, one);
}

void callers_init(struct callers *c)
{
    *c = (struct callers){0};
    loop_init(&c->loop);
    for (size_t i = 0; i < CALLERS; i++)
        begin(c, &c->list[i]);
}

void callers_fini(struct callers *c)
{
    for (size_t i = 0; i < CALLERS; i++) {
        connection_destroy(c->list[i].connection);
        fd_close(&c->list[i].fd);
    }
    loop_fini(&c->loop);
}

static bool can_hear(const void *one)
{
    char byte;

    return recv(((const struct caller *)one)->fd, &byte, 1,
                MSG_DONTWAIT | MSG_PEEK) >= 0;
}

const char *callers_hear(struct callers *c, size_t i)
{
    struct caller *one = &c->list[i];

    for (size_t size = 0; size < sizeof(one->heard); size++) {
        loop_run_until(&c->loop, can_hear, one);
        assert_int_equal(recv(one->fd, &one->heard[size], 1, 0), 1);
        if (one->heard[size] == '\0')
            return one->heard;
    }
    fail_msg("a reply is longer than %zu bytes", sizeof(one->heard));
    return NULL;
}

static bool has_said_all(const void *one)
{
    const struct connection *c = ((const struct caller *)one)->connection;

    return !c || !c->stream || stream_unread(c->stream) == 0;
}

void callers_assert_silence(struct callers *c, size_t i)
{
    loop_run_until(&c->loop, has_said_all, &c->list[i]);
    assert_false(can_hear(&c->list[i]));
}

static bool is_gone(const void *one)
{
    const struct connection *c = ((const struct caller *)one)->connection;

    return !c || !c->stream;
}

void callers_hang_up(struct callers *c, size_t i)
{
    fd_close(&c->list[i].fd);
    loop_run_until(&c->loop, is_gone, &c->list[i]);
}
