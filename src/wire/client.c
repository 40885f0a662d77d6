#include "wire/client.h"

#include <errno.h>
#include <grp.h>
#include <libgen.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/memory.h"
#include "wire/frame.h"

#define SYSTEM_SOCKET "/run/transcoded/io.transcoded"
#define REPLY_MOST    (16 << 20) // bytes of one reply; the daemon sends less
#define CHUNK         (64 << 10)

struct client {
    int fd;                      // owned
    struct frame_reader *reader; // owned
};

char *client_socket_path(const char *named)
{
    const char *variable = getenv("TRANSCODED_SOCKET");
    const char *runtime = getenv("XDG_RUNTIME_DIR");

    if (named)
        return xstrdup(named);
    if (variable && *variable)
        return xstrdup(variable);
    if (geteuid() != 0 && runtime && *runtime == '/')
        return xasprintf("%s/transcoded/io.transcoded", runtime);
    return xstrdup(SYSTEM_SOCKET);
}

/* The group that @path is for; its folder's where it cannot be looked at. */
static bool find_group(const char *path, char *ret, size_t size)
{
    struct stat st;
    char *copy = xstrdup(path);
    bool found = stat(path, &st) == 0 || stat(dirname(copy), &st) == 0;

    free(copy);
    if (!found)
        return false;
    const struct group *g = getgrgid(st.st_gid);
    if (g)
        (void)snprintf(ret, size, "'%s'", g->gr_name);
    else
        (void)snprintf(ret, size, "%u", (unsigned)st.st_gid);
    return true;
}

static int explain_connect(int code, const char *path, struct error *e)
{
    char group[64];

    switch (code) {
    case -ENOENT:
        return error_set(e, code,
                         "there is no socket '%s': is transcoded running? "
                         "Start it, or name its socket with --socket or "
                         "TRANSCODED_SOCKET",
                         path);
    case -ECONNREFUSED:
        return error_set(e, code,
                         "nobody listens on '%s': transcoded has ended, start "
                         "it again",
                         path);
    case -EACCES:
    case -EPERM:
        if (find_group(path, group, sizeof(group)))
            return error_set(e, code,
                             "not allowed to connect to '%s': it is for "
                             "members of group %s",
                             path, group);
        break;
    case -ENOTSOCK:
    case -EPROTOTYPE:
        return error_set(e, code, "'%s' is no socket of transcoded", path);
    default:
        break;
    }
    return error_set_errno(e, code, "cannot connect to '%s'", path);
}

static int connect_to(int fd, const char *path, struct error *e)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (strlen(path) >= sizeof(address.sun_path))
        return error_set(e, -ENAMETOOLONG,
                         "the socket's path is longer than the %zu bytes that "
                         "the system allows: '%s'",
                         sizeof(address.sun_path) - 1, path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
        return explain_connect(-errno, path, e);
    return 0;
}

int client_connect(struct client **ret, const char *path, struct error *e)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return error_set_errno(e, -errno, "cannot make a socket");

    int r = connect_to(fd, path, e);
    if (r < 0) {
        fd_close(&fd);
        return r;
    }
    struct client *c = xcalloc(1, sizeof(*c));
    c->fd = fd;
    c->reader = frame_reader_create(REPLY_MOST, 0);
    *ret = c;
    return 0;
}

void client_close(struct client *c)
{
    if (!c)
        return;
    fd_close(&c->fd);
    frame_reader_destroy(c->reader);
    free(c);
}

int client_fd(const struct client *c)
{
    return c->fd;
}

int client_call(struct client *c, const char *method,
                const struct json_t *parameters, bool more, const int *fds,
                size_t fd_count, struct error *e)
{
    size_t size;
    char *text = message_format_call(method, parameters, more, &size);
    ssize_t n = 0;

    for (size_t sent = 0; sent < size; sent += (size_t)n) {
        // descriptors go with the first byte
        n = fd_send(c->fd, text + sent, size - sent, fds, sent ? 0 : fd_count);
        if (n < 0)
            break;
    }
    free(text);
    if (n == -EPIPE || n == -ECONNRESET)
        return error_set(e, (int)n, "transcoded hung up");
    if (n < 0)
        return error_set_errno(e, (int)n, "cannot send to transcoded");
    return 0;
}

/* 1 when something can be read before @deadline (µs, -1: none), -EAGAIN when
 * not, or -errno. */
static int wait_readable(int fd, int64_t deadline)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    struct timespec left = {0};

    if (deadline >= 0) {
        int64_t us = deadline - clock_now();
        if (us < 0)
            us = 0;
        left.tv_sec = (time_t)(us / SECOND);
        left.tv_nsec = (long)(us % SECOND * 1000);
    }
    int n = ppoll(&p, 1, deadline >= 0 ? &left : NULL, NULL);
    if (n < 0)
        return -errno;
    return n ? 1 : -EAGAIN;
}

/* As client_receive(), but 1 means that bytes have come. */
static int receive_chunk(struct client *c, int64_t deadline, struct error *e)
{
    char chunk[CHUNK];
    size_t fds;

    int r = wait_readable(c->fd, deadline);
    if (r < 0)
        return error_set_errno(e, r, "no reply from transcoded");
    ssize_t n = fd_receive(c->fd, chunk, sizeof(chunk), NULL, 0, &fds);
    if (n == 0 || n == -ECONNRESET)
        return 0;
    if (n < 0)
        return error_set_errno(e, (int)n, "cannot read from transcoded");
    r = frame_push(c->reader, chunk, (size_t)n, NULL, 0);
    if (r < 0)
        return error_set(e, r, "a reply of transcoded is over %d bytes",
                         REPLY_MOST);
    return 1;
}

int client_receive(struct client *c, long timeout, struct message_reply *ret,
                   struct error *e)
{
    int64_t deadline = timeout < 0 ? -1 : clock_now() + timeout;
    const char *text;
    size_t size;
    size_t fds;

    while (frame_next(c->reader, &text, &size, NULL, &fds) == 0) {
        int r = receive_chunk(c, deadline, e);
        if (r <= 0)
            return r;
    }
    int r = message_parse_reply(ret, text, size, e);
    if (r < 0) {
        error_wrap(e, "transcoded sent no valid reply");
        return r;
    }
    return 1;
}
