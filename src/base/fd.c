#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"

#define FD_MOST 16 // descriptors in one message, over all protocols of ours

union control {
    struct cmsghdr align;
    char bytes[CMSG_SPACE(FD_MOST * sizeof(int))];
};

void fd_close(int *fd)
{
    int saved = errno;

    if (*fd >= 0)
        (void)close(*fd); // nothing of ours rests on close's result
    *fd = -1;
    errno = saved;
}

int fd_take(int *fd)
{
    int taken = *fd;

    *fd = -1;
    return taken;
}

int fd_set_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return -errno;
    return 0;
}

int fd_socketpair(int type, int ret[2])
{
    int pair[2];

    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, pair) < 0)
        return -errno;
    ret[0] = pair[0];
    ret[1] = pair[1];
    return 0;
}

ssize_t fd_send(int fd, const void *data, size_t size, const int *fds,
                size_t fd_count)
{
    struct iovec part = {.iov_base = (void *)(size_t)data, .iov_len = size};
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
    union control control;

    if (fd_count > FD_MOST)
        return -E2BIG;
    if (fd_count) {
        memset(&control, 0, sizeof(control));
        m.msg_control = control.bytes;
        m.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
        struct cmsghdr *c = CMSG_FIRSTHDR(&m);
        c->cmsg_level = SOL_SOCKET;
        c->cmsg_type = SCM_RIGHTS;
        c->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
        memcpy(CMSG_DATA(c), fds, fd_count * sizeof(int));
    }

    ssize_t n;
    do {
        n = sendmsg(fd, &m, MSG_NOSIGNAL);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? -errno : n;
}

/* Moves the descriptors of @m to @fds, which has room for them; where something
 * was cut it closes them and returns -EMSGSIZE. */
static int collect(struct msghdr *m, int *fds, size_t *count)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
            continue;
        size_t size = c->cmsg_len - CMSG_LEN(0);
        memcpy(fds + *count, CMSG_DATA(c), size);
        *count += size / sizeof(int);
    }
    if (!(m->msg_flags & (MSG_CTRUNC | MSG_TRUNC)))
        return 0;
    while (*count)
        fd_close(&fds[--*count]);
    return -EMSGSIZE;
}

ssize_t fd_receive(int fd, void *data, size_t size, int *ret_fds,
                   size_t fd_room, size_t *ret_fd_count)
{
    struct iovec part = {.iov_base = data, .iov_len = size};
    union control control;
    struct msghdr m = {.msg_iov = &part, .msg_iovlen = 1};
    ssize_t n;

    // exactly as many as there is room for: what the kernel leaves out it drops
    // itself, while a close() of ours may wait for a stranger's file system
    if (fd_room) {
        m.msg_control = control.bytes;
        m.msg_controllen =
            CMSG_LEN((fd_room < FD_MOST ? fd_room : FD_MOST) * sizeof(int));
    }
    do {
        n = recvmsg(fd, &m, MSG_CMSG_CLOEXEC);
    } while (n < 0 && errno == EINTR);
    *ret_fd_count = 0;
    if (n < 0)
        return -errno;

    int r = collect(&m, ret_fds, ret_fd_count);
    return r < 0 ? r : n;
}

int fd_write_all(int fd, const void *data, size_t size)
{
    const char *p = data;

    while (size) {
        ssize_t n = write(fd, p, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        p += n;
        size -= (size_t)n;
    }
    return 0;
}

int fd_read_all(int fd, size_t max, char **ret, size_t *ret_size)
{
    size_t used = 0;
    size_t room = 0;
    char *text = NULL;
    int r = 0;

    for (;;) {
        text = xgrow(text, &room, used + 4096, 1);
        ssize_t n = read(fd, text + used, room - used - 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            r = -errno;
        if (n <= 0)
            break;
        used += (size_t)n;
        if (used > max) {
            r = -EFBIG;
            break;
        }
    }
    if (r < 0) {
        free(text);
        return r;
    }
    text[used] = '\0';
    *ret = text;
    *ret_size = used;
    return 0;
}

int fd_read_file(int dir, const char *path, size_t max, char **ret,
                 size_t *ret_size)
{
    // opening a FIFO that nobody writes to would wait for ever
    int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fcntl(fd, F_SETFL, 0) < 0) {
        int code = -errno;
        fd_close(&fd);
        return code;
    }

    int r = fd_read_all(fd, max, ret, ret_size);
    fd_close(&fd);
    return r;
}
