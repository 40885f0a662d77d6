/*
 * connection: one client on the socket, and the call that it waits for.
 *
 * A connection has one call at a time, as varlink's replies come in order; what
 * else it sends waits. A call lives from its message to its last reply, also
 * when its client is gone meanwhile: then what it is told goes nowhere.
 */
#ifndef DAEMON_CONNECTION_H
#define DAEMON_CONNECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "access.h"
#include "base/list.h"
#include "model/limits.h"
#include "wire/message.h"

struct connection;
struct json_t;
struct stream_limits;

struct call {
    struct connection *connection; // not owned; outlives the call
    struct access_peer peer;       // a copy, its groups owned
    struct message_call message;   // owned
    int fds[LIMITS_FDS];           // owned
    size_t fd_count;
    /* The client hung up, or reads too slowly: whoever keeps the call ends it
     * with call_end(), now or later. NULL: nobody needs to know. */
    void (*hung_up)(void *user);
    void *user;
    struct list link; // of whoever keeps it
};

struct connection_ops {
    /* A call has come; the callee replies, now or later. */
    void (*called)(void *user, struct call *call);
    /* Its client and its call are gone, and it is about to be freed. */
    void (*closed)(void *user, struct connection *c);
};

struct connection {
    struct list link; // server.connections
    struct access_peer peer;
    struct stream *stream; // owned; NULL: it hung up, its call goes on
    struct call *call;     // not owned; under way, or NULL
    const struct connection_ops *ops;
    void *user;
};

/* Consumes @fd and @peer. NULL with a reason logged where it cannot be. */
struct connection *connection_create(uv_loop_t *loop, int fd,
                                     struct access_peer *peer,
                                     const struct stream_limits *limits,
                                     const struct connection_ops *ops,
                                     void *user);
/* Hangs up, and frees it when its call has ended. NULL is allowed. */
void connection_destroy(struct connection *c);

/* The last reply; @parameters are consumed, NULL stands for {}. Frees @call. */
void call_reply(struct call *call, struct json_t *parameters);
/* One of several; @parameters are borrowed. */
void call_continue(struct call *call, const struct json_t *parameters);
/* The last reply, an error such as "io.transcoded.NoSuchJob"; @parameters are
 * consumed. Frees @call. */
void call_fail(struct call *call, const char *error, struct json_t *parameters);
/* No reply: its client is gone. Frees @call. */
void call_end(struct call *call);
/* No reply: its client broke the rules, and is hung up on. Frees @call. */
void call_hang_up(struct call *call, const char *why);

/* Is the client still there? */
bool call_is_heard(const struct call *call);

/* Bytes that its client has not read. */
size_t call_unread(const struct call *call);

#endif
