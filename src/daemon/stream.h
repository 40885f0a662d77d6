/*
 * stream: a connected socket on the loop, as whole documents ended by NUL
 * (wire/frame.h), with descriptors both ways. Under a client's connection and
 * under a worker's control socket alike.
 *
 * The owner gets each document by a callback and may destroy the stream in any
 * of them: the socket is closed at once, memory is freed when the loop has let
 * go of it.
 */
#ifndef DAEMON_STREAM_H
#define DAEMON_STREAM_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

struct discard;
struct error;
struct stream;

struct stream_ops {
    /* One document. It lives for the call; @fds are the callee's. */
    void (*document)(void *user, const char *text, size_t size, int *fds,
                     size_t fd_count);
    /* Nothing more will come: the other side hung up (e->code 0), or broke a
     * limit, or the socket failed. Called once; the owner destroys. */
    void (*ended)(void *user, const struct error *e);
};

struct stream_limits {
    size_t document; // bytes of one document from the other side
    size_t unread;   // bytes that we keep for the other side
    size_t fds;      // descriptors with one, at most LIMITS_FDS: Unix sockets
    struct discard *discard; // not owned; for what is none; NULL without fds
};

/* Consumes @fd, also on failure. Reads from the next turn of the loop on. */
int stream_create(struct stream **ret, uv_loop_t *loop, int fd,
                  const struct stream_limits *limits,
                  const struct stream_ops *ops, void *user, struct error *e);

/* NULL is allowed. What was not sent yet is lost. */
void stream_destroy(struct stream *s);

/*
 * Send @size bytes; consumes @text, from malloc. @fds stay the caller's and go
 * with the first byte. 0, or -ENOBUFS when the other side has left too much
 * unread, or -EPIPE: nothing of it will be sent then.
 */
int stream_send(struct stream *s, char *text, size_t size, const int *fds,
                size_t fd_count);

/* Bytes that the other side has not taken yet. */
size_t stream_unread(const struct stream *s);

/* From within `ended`: words on the way out, as far as they go at once. */
void stream_part(struct stream *s, const char *text, size_t size);

/* End it from within a callback: `ended` follows in the loop's next turn. */
void stream_condemn(struct stream *s);

/* Keep further documents back; a hang-up is still noticed. */
void stream_hold(struct stream *s);
void stream_release(struct stream *s);

/* Read what is there without waiting, up to the end or to @most bytes. */
void stream_drain(struct stream *s, size_t most);

#endif
