#include "opener.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"

static int send_request(int fd, const struct channel_request *q,
                        struct error *e)
{
    char packet[CHANNEL_MOST];
    size_t size = channel_format_request(q, packet);

    ssize_t n = fd_send(fd, packet, size, NULL, 0);
    if (n < 0)
        return error_set_errno(e, (int)n, "cannot ask for files");
    return 0;
}

static int receive_reply(int fd, struct channel_reply *ret, int *ret_fd,
                         struct error *e)
{
    char packet[CHANNEL_MOST];
    int fds[1] = {-1};
    size_t fd_count = 0;
    ssize_t n;

    do {
        n = fd_receive(fd, packet, sizeof(packet), fds, 1, &fd_count);
    } while (n == -EINTR);
    if (n == 0)
        return error_set(e, -ECONNRESET, "whoever opened the files is gone");
    if (n < 0)
        return error_set_errno(e, (int)n, "no answer about files");
    int r = channel_parse_reply(ret, packet, (size_t)n, e);
    if (r < 0) {
        if (fd_count)
            fd_close(&fds[0]);
        return r;
    }
    *ret_fd = fd_count ? fds[0] : -1;
    return 0;
}

static int same(const struct channel_request *a,
                const struct channel_request *b)
{
    return a->verb == b->verb && a->number == b->number &&
           (a->verb == CHANNEL_ATTEMPT ||
            (a->role == b->role && a->second == b->second));
}

/* The answer to @q; answers to somebody who asked before us are dropped. */
static int ask(int fd, const struct channel_request *q, int *ret_fd,
               struct error *e)
{
    struct channel_reply reply;
    int got = -1;

    int r = send_request(fd, q, e);
    if (r < 0)
        return r;
    for (;;) {
        r = receive_reply(fd, &reply, &got, e);
        if (r < 0)
            return r;
        if (same(&reply.request, q))
            break;
        fd_close(&got);
    }
    if (reply.code < 0) {
        fd_close(&got);
        return error_set(e, reply.code, "%s", reply.text);
    }
    *ret_fd = got;
    return 0;
}

int opener_attempt(int fd, int64_t attempt, struct error *e)
{
    struct channel_request q = {
        .verb = CHANNEL_ATTEMPT,
        .number = (int32_t)attempt,
        .second = -1,
    };
    int none = -1;
    int r = ask(fd, &q, &none, e);

    fd_close(&none);
    return r;
}

int opener_open(int fd, enum channel_role role, int number, int *ret_fd,
                struct error *e)
{
    struct channel_request q = {
        .verb = CHANNEL_OPEN,
        .role = role,
        .number = number,
        .second = -1,
    };
    int r = ask(fd, &q, ret_fd, e);

    if (r == 0 && *ret_fd < 0)
        r = error_set(e, -EPROTO, "no descriptor came for %s %d",
                      channel_role_name(role), number);
    return r;
}

int opener_done(int fd, enum channel_role role, int number, struct error *e)
{
    struct channel_request q = {
        .verb = CHANNEL_DONE,
        .role = role,
        .number = number,
        .second = -1,
    };
    int none = -1;
    int r = ask(fd, &q, &none, e);

    fd_close(&none);
    return r;
}
