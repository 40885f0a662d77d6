#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/list.h"
#include "base/memory.h"
#include "discard.h"
#include "model/limits.h"
#include "wire/frame.h"

#define CHUNK      (64 << 10)
#define LAST_WORDS (1 << 20) // bytes read from one that hung up

struct packet {
    struct list link; // stream.unsent
    char *text;       // owned
    size_t size;
    size_t sent;
    int fds[LIMITS_FDS]; // owned copies
    size_t fd_count;
};

struct stream {
    uv_poll_t poll;
    int fd;
    struct frame_reader *reader; // owned
    struct list unsent;          // of packets, owned
    size_t unread;
    struct stream_limits limits;
    const struct stream_ops *ops;
    void *user;
    int watched;     // events that the loop watches
    bool held;       // documents stay in the reader
    bool waiting;    // released: whole documents may lie in the reader
    bool condemned;  // held for good, until the hang-up is seen
    bool ended;      // ops->ended was called, or the owner destroyed it
    bool delivering; // further up the stack
};

static void on_poll(uv_poll_t *poll, int status, int events);

static void packet_destroy(struct packet *p)
{
    list_remove(&p->link);
    while (p->fd_count)
        fd_close(&p->fds[--p->fd_count]);
    free(p->text);
    free(p);
}

/* The loop watches for what can be used now. A hang-up is always watched. */
static void watch(struct stream *s)
{
    int events = UV_DISCONNECT;

    if (s->ended)
        return;
    if (!s->held)
        events |= UV_READABLE;
    if (!list_empty(&s->unsent) || s->waiting)
        events |= UV_WRITABLE; // for `waiting` a turn of the loop
    if (events != s->watched && uv_poll_start(&s->poll, events, on_poll) == 0)
        s->watched = events;
}

static void end(struct stream *s, const struct error *e)
{
    if (s->ended)
        return;
    s->ended = true;
    (void)uv_poll_stop(&s->poll);
    s->ops->ended(s->user, e);
}

static void end_by(struct stream *s, int code, const char *what)
{
    struct error e = {0};

    (void)error_set_errno(&e, code, "%s", what);
    end(s, &e);
}

/* Give the owner what is whole. */
static void deliver(struct stream *s)
{
    const char *text;
    size_t size;
    int fds[LIMITS_FDS];
    size_t fd_count;

    s->waiting = false;
    s->delivering = true;
    while (!s->ended && !s->held &&
           frame_next(s->reader, &text, &size, fds, &fd_count) > 0)
        s->ops->document(s->user, text, size, fds, fd_count);
    s->delivering = false;
}

/* How many descriptors may come now. */
static size_t fd_room(const struct stream *s)
{
    return s->limits.fds && !discard_is_full(s->limits.discard) ? s->limits.fds
                                                                : 0;
}

/* One chunk: 1 there may be more, 0 not now, or the stream has ended. */
static int read_chunk(struct stream *s)
{
    char chunk[CHUNK];
    int fds[LIMITS_FDS];
    size_t fd_count = 0;

    ssize_t n =
        fd_receive(s->fd, chunk, sizeof(chunk), fds, fd_room(s), &fd_count);
    if (n == -EAGAIN)
        return 0;
    if (n == 0 || n == -ECONNRESET) {
        end(s, &(struct error){0});
        return 0;
    }
    if (n < 0) { // too many descriptors: not to be taken for a long message
        end_by(s, n == -EMSGSIZE ? -E2BIG : (int)n, "cannot receive");
        return 0;
    }
    if (discard_wants(fds, fd_count)) {
        discard_take(s->limits.discard, fds, fd_count);
        end_by(s, -ENOTSOCK, "descriptor refused");
        return 0;
    }
    int r = frame_push(s->reader, chunk, (size_t)n, fds, fd_count);
    if (r < 0)
        end_by(s, r, "message refused");
    else
        deliver(s);
    return 1;
}

/* Send one packet's rest: 1 all gone, 0 the socket is full, or -errno. */
static int send_packet(struct stream *s, struct packet *p)
{
    ssize_t n = fd_send(s->fd, p->text + p->sent, p->size - p->sent, p->fds,
                        p->fd_count);
    if (n == -EAGAIN)
        return 0;
    if (n < 0)
        return (int)n;
    while (p->fd_count) // they went with the first byte
        fd_close(&p->fds[--p->fd_count]);
    p->sent += (size_t)n;
    s->unread -= (size_t)n;
    return p->sent == p->size;
}

static int flush(struct stream *s)
{
    while (!list_empty(&s->unsent)) {
        struct packet *p = list_entry(s->unsent.next, struct packet, link);
        int r = send_packet(s, p);
        if (r <= 0)
            return r;
        packet_destroy(p);
    }
    return 0;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct stream *s = poll->data;

    if (status == 0 && (events & UV_WRITABLE))
        status = flush(s);
    if (status < 0) {
        // it hung up with our words unread; what it said before still counts
        if (!s->held)
            stream_drain(s, LAST_WORDS);
        end(s, &(struct error){0});
        return;
    }
    if (s->waiting)
        deliver(s);
    if ((events & UV_READABLE) && !s->held && !s->ended)
        (void)read_chunk(s);
    else if (events & UV_DISCONNECT)
        end(s, &(struct error){0});
    watch(s);
}

int stream_create(struct stream **ret, uv_loop_t *loop, int fd,
                  const struct stream_limits *limits,
                  const struct stream_ops *ops, void *user, struct error *e)
{
    struct stream *s = xcalloc(1, sizeof(*s));

    int r = uv_poll_init(loop, &s->poll, fd); // makes it non-blocking too
    if (r < 0) {
        fd_close(&fd);
        free(s);
        return error_set_errno(e, r, "cannot watch a socket");
    }
    s->poll.data = s;
    s->fd = fd;
    s->reader = frame_reader_create(limits->document, limits->fds);
    list_init(&s->unsent);
    s->limits = *limits;
    s->ops = ops;
    s->user = user;
    watch(s);
    *ret = s;
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct stream *s = handle->data;

    frame_reader_destroy(s->reader);
    list_foreach (link, next, &s->unsent)
        packet_destroy(list_entry(link, struct packet, link));
    free(s);
}

void stream_destroy(struct stream *s)
{
    if (!s)
        return;
    s->ended = true;
    (void)uv_poll_stop(&s->poll);
    fd_close(&s->fd);
    uv_close((uv_handle_t *)&s->poll, on_closed);
}

static struct packet *packet_create(char *text, size_t size, const int *fds,
                                    size_t fd_count)
{
    struct packet *p = xcalloc(1, sizeof(*p));

    p->text = text;
    p->size = size;
    for (; p->fd_count < fd_count; p->fd_count++)
        p->fds[p->fd_count] = fds[p->fd_count];
    return p;
}

int stream_send(struct stream *s, char *text, size_t size, const int *fds,
                size_t fd_count)
{
    int copies[LIMITS_FDS];
    size_t copied = 0;
    int r = 0;

    if (s->ended)
        r = -EPIPE;
    else if (s->unread + size > s->limits.unread)
        r = -ENOBUFS;
    for (; r == 0 && copied < fd_count; copied++) {
        copies[copied] = fcntl(fds[copied], F_DUPFD_CLOEXEC, 0);
        if (copies[copied] < 0) {
            r = -errno;
            break;
        }
    }
    if (r < 0) {
        while (copied)
            fd_close(&copies[--copied]);
        free(text);
        return r;
    }

    struct packet *p = packet_create(text, size, copies, copied);
    list_append(&s->unsent, &p->link);
    s->unread += size;
    // most go out at once; a failure shows up as a hang-up soon
    if (s->unread == size)
        (void)flush(s);
    watch(s);
    return 0;
}

size_t stream_unread(const struct stream *s)
{
    return s->unread;
}

void stream_part(struct stream *s, const char *text, size_t size)
{
    if (list_empty(&s->unsent)) // or it would be in the middle of others
        (void)fd_send(s->fd, text, size, NULL, 0);
}

void stream_condemn(struct stream *s)
{
    s->condemned = true;
    s->held = true;
    (void)shutdown(s->fd, SHUT_RDWR); // the loop sees a hang-up
}

void stream_hold(struct stream *s)
{
    s->held = true;
    watch(s);
}

void stream_release(struct stream *s)
{
    if (s->condemned)
        return;
    s->held = false;
    s->waiting = !s->delivering; // not from here: the caller is not prepared
    watch(s);
}

void stream_drain(struct stream *s, size_t most)
{
    size_t chunks = most / CHUNK + 1;

    while (!s->ended && chunks-- && read_chunk(s) > 0)
        ;
}
