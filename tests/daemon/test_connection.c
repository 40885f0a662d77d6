#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connection.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"
#include "stream.h"

/* A connection, its other end, and a server that keeps calls. */
struct scene {
    uv_loop_t loop;
    struct connection *connection;
    int peer;
    struct call *call; // that came last
    int hang_ups;      // that the call was told of
    int closed;
};

static void on_called(void *user, struct call *call)
{
    ((struct scene *)user)->call = call;
}

static void on_closed(void *user, struct connection *c)
{
    struct scene *s = user;

    (void)c;
    s->closed++;
    s->connection = NULL;
}

static const struct connection_ops ops = {on_called, on_closed};

static int start(void **state)
{
    struct scene *s = xcalloc(1, sizeof(*s));
    static const struct stream_limits limits = {.document = 100,
                                                .unread = 1 << 20};
    struct access_peer peer = {.uid = 1000};
    int ends[2];

    assert_int_equal(uv_loop_init(&s->loop), 0);
    assert_int_equal(fd_socketpair(SOCK_STREAM, ends), 0);
    s->peer = ends[1];
    s->connection =
        connection_create(&s->loop, ends[0], &peer, &limits, &ops, s);
    assert_non_null(s->connection);
    *state = s;
    return 0;
}

static int stop(void **state)
{
    struct scene *s = *state;

    connection_destroy(s->connection);
    (void)uv_run(&s->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&s->loop), 0);
    fd_close(&s->peer);
    free(s);
    return 0;
}

static void turn(struct scene *s, int times)
{
    while (times--)
        (void)uv_run(&s->loop, UV_RUN_NOWAIT);
}

static void ask(struct scene *s)
{
    static const char text[] = "{\"method\":\"a.B\"}";

    assert_int_equal(write(s->peer, text, sizeof(text)), sizeof(text));
    turn(s, 2);
    assert_non_null(s->call);
}

static void hang_up(struct scene *s)
{
    fd_close(&s->peer);
    turn(s, 2);
}

static void end_on_hang_up(void *user)
{
    struct scene *s = user;

    s->hang_ups++;
    call_end(s->call);
    s->call = NULL;
}

static void count_hang_up(void *user)
{
    ((struct scene *)user)->hang_ups++;
}

static void call__is_answered__and_the_next_one_comes(void **state)
{
    struct scene *s = *state;
    char reply[64] = "";

    for (int i = 0; i < 2; i++) {
        ask(s);
        assert_true(call_is_heard(s->call));
        call_reply(s->call, NULL);
        s->call = NULL;
        assert_true(read(s->peer, reply, sizeof(reply)) > 0);
        assert_non_null(strstr(reply, "parameters"));
    }
    hang_up(s);
    assert_int_equal(s->closed, 1);
}

/* Or a client that never waits for an answer has any number of calls. */
static void hang_up__under_a_call__counts_until_the_call_ends(void **state)
{
    struct scene *s = *state;

    ask(s);
    s->call->hung_up = count_hang_up;
    s->call->user = s;
    hang_up(s);
    assert_int_equal(s->hang_ups, 1);
    assert_int_equal(s->closed, 0);
    assert_false(call_is_heard(s->call));
    assert_int_equal(call_unread(s->call), 0);
    call_continue(s->call, NULL); // to nobody
    call_reply(s->call, NULL);
    assert_int_equal(s->closed, 1);
    assert_int_equal(s->hang_ups, 1);
}

static void hang_up__may_end_the_call_at_once(void **state)
{
    struct scene *s = *state;

    ask(s);
    s->call->hung_up = end_on_hang_up;
    s->call->user = s;
    hang_up(s);
    assert_int_equal(s->hang_ups, 1);
    assert_int_equal(s->closed, 1);
}

static void call_hang_up__ends_both(void **state)
{
    struct scene *s = *state;
    char byte;

    ask(s);
    call_hang_up(s->call, "a test wants it");
    turn(s, 2);
    assert_int_equal(s->closed, 1);
    assert_int_equal(read(s->peer, &byte, 1), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(call__is_answered__and_the_next_one_comes),
        TEST(hang_up__under_a_call__counts_until_the_call_ends),
        TEST(hang_up__may_end_the_call_at_once),
        TEST(call_hang_up__ends_both),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
