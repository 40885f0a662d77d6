#include "connection.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "stream.h"
#include "wire/interface.h"

static void on_document(void *user, const char *text, size_t size, int *fds,
                        size_t fd_count);
static void on_ended(void *user, const struct error *e);

static const struct stream_ops stream_ops = {
    .document = on_document,
    .ended = on_ended,
};

struct connection *connection_create(uv_loop_t *loop, int fd,
                                     struct access_peer *peer,
                                     const struct stream_limits *limits,
                                     const struct connection_ops *ops,
                                     void *user)
{
    struct connection *c = xcalloc(1, sizeof(*c));
    struct error e = {0};

    list_init(&c->link);
    c->peer = *peer;
    c->ops = ops;
    c->user = user;
    if (stream_create(&c->stream, loop, fd, limits, &stream_ops, c, &e) < 0) {
        log_warning(NULL, "cannot serve a client: %s", e.text);
        access_peer_fini(&c->peer);
        free(c);
        return NULL;
    }
    return c;
}

/* Neither a client nor a call is left. */
static void forget(struct connection *c)
{
    list_remove(&c->link);
    c->ops->closed(c->user, c);
    access_peer_fini(&c->peer);
    free(c);
}

static void tell_hang_up(struct call *call)
{
    void (*hung_up)(void *user) = call->hung_up;

    call->hung_up = NULL;
    if (hung_up)
        hung_up(call->user);
}

void connection_destroy(struct connection *c)
{
    if (!c)
        return;
    if (c->call)
        tell_hang_up(c->call); // which may end it
    stream_destroy(c->stream);
    c->stream = NULL;
    // it counts as long as its call does, or a client that hangs up before
    // each answer could have any number of them under way
    if (!c->call)
        forget(c);
}

/* A client that does not know our limit learns it before it is hung up on. */
static void explain_size(struct connection *c)
{
    size_t size;
    json_t *parameters = json_pack("{s:s, s:o}", "field", "", "reason",
                                   json_sprintf("a message is larger than %d "
                                                "bytes",
                                                LIMITS_MESSAGE));
    char *text = message_format_error(INTERFACE_INVALID_JOB, parameters, &size);

    stream_part(c->stream, text, size);
    free(text);
    json_decref(parameters);
}

static void on_ended(void *user, const struct error *e)
{
    struct connection *c = user;

    if (e->code == -EMSGSIZE)
        explain_size(c);
    if (e->code)
        log_info(NULL, "hanging up on a client of uid %u: %s", c->peer.uid,
                 e->text);
    connection_destroy(c);
}

static struct call *call_create(struct connection *c,
                                struct message_call *message, int *fds,
                                size_t fd_count)
{
    struct call *call = xcalloc(1, sizeof(*call));

    call->connection = c;
    call->peer = c->peer;
    call->peer.groups =
        xmemdup(c->peer.groups, c->peer.group_count * sizeof(gid_t));
    call->message = *message;
    memcpy(call->fds, fds, fd_count * sizeof(int));
    call->fd_count = fd_count;
    list_init(&call->link);
    return call;
}

static void on_document(void *user, const char *text, size_t size, int *fds,
                        size_t fd_count)
{
    struct connection *c = user;
    struct message_call message;
    struct error e = {0};

    if (message_parse_call(&message, text, size, &e) < 0) {
        while (fd_count)
            fd_close(&fds[--fd_count]);
        error_wrap(&e, "no varlink call");
        e.code = -EPROTO;
        on_ended(c, &e);
        return;
    }
    c->call = call_create(c, &message, fds, fd_count);
    stream_hold(c->stream);
    c->ops->called(c->user, c->call);
}

void call_end(struct call *call)
{
    struct connection *c = call->connection;

    list_remove(&call->link);
    message_call_fini(&call->message);
    access_peer_fini(&call->peer);
    while (call->fd_count)
        fd_close(&call->fds[--call->fd_count]);
    free(call);
    c->call = NULL;
    if (c->stream)
        stream_release(c->stream);
    else
        forget(c);
}

/* Consumes @text. A client that leaves too much unread is hung up on. */
static void send_text(struct call *call, char *text, size_t size)
{
    struct connection *c = call->connection;

    if (!c->stream || call->message.oneway) {
        free(text);
        return;
    }
    int r = stream_send(c->stream, text, size, NULL, 0);
    if (r == -ENOBUFS) {
        log_info(NULL, "hanging up on a client of uid %u: it does not read",
                 c->peer.uid);
        stream_condemn(c->stream);
    }
}

void call_continue(struct call *call, const struct json_t *parameters)
{
    size_t size;
    char *text = message_format_reply(parameters, true, &size);

    send_text(call, text, size);
}

void call_reply(struct call *call, struct json_t *parameters)
{
    size_t size;
    char *text = message_format_reply(parameters, false, &size);

    json_decref(parameters);
    send_text(call, text, size);
    call_end(call);
}

void call_fail(struct call *call, const char *error, struct json_t *parameters)
{
    size_t size;
    char *text = message_format_error(error, parameters, &size);

    json_decref(parameters);
    send_text(call, text, size);
    call_end(call);
}

void call_hang_up(struct call *call, const char *why)
{
    if (call_is_heard(call)) {
        log_info(NULL, "hanging up on a client of uid %u: %s", call->peer.uid,
                 why);
        stream_condemn(call->connection->stream);
    }
    call_end(call);
}

size_t call_unread(const struct call *call)
{
    return call_is_heard(call) ? stream_unread(call->connection->stream) : 0;
}

bool call_is_heard(const struct call *call)
{
    return call->connection->stream;
}
