/*
 * fd: file descriptors. Every one is close-on-exec from birth; -1 is none.
 */
#ifndef BASE_FD_H
#define BASE_FD_H

#include <stddef.h>
#include <sys/types.h>

/* Close *@fd unless it is -1, and set it to -1. errno is kept. */
void fd_close(int *fd);

/* Give the descriptor away: returns *@fd and sets it to -1. */
int fd_take(int *fd);

/* 0 or -errno. */
int fd_set_nonblocking(int fd);

/* A connected pair of @type (SOCK_STREAM, SOCK_SEQPACKET, with SOCK_NONBLOCK
 * where wanted), close-on-exec. 0 or -errno. */
int fd_socketpair(int type, int ret[2]);

/*
 * One sendmsg/recvmsg with descriptors. @fds is @fd_count long; receive sets
 * *@ret_fd_count to how many came, at most @fd_room.
 *
 * Both return bytes (0 is end of stream) or -errno: -EAGAIN, -EPIPE (no
 * SIGPIPE is raised), and from receive -EMSGSIZE when descriptors or data were
 * cut (what had come was closed). No more descriptors than there is room for
 * are ever ours, not even for a moment: closing a stranger's can block.
 * fd_receive owns nothing: the descriptors are the caller's.
 */
ssize_t fd_send(int fd, const void *data, size_t size, const int *fds,
                size_t fd_count);
ssize_t fd_receive(int fd, void *data, size_t size, int *ret_fds,
                   size_t fd_room, size_t *ret_fd_count);

/* Write all of it, through EINTR and short writes. 0 or -errno. */
int fd_write_all(int fd, const void *data, size_t size);

/*
 * Read to the end, or a whole file: at most @max bytes; *@ret is NUL-terminated
 * and the caller frees it. A file that is a FIFO without a writer is empty. 0,
 * -EFBIG when there is more, or -errno.
 */
int fd_read_all(int fd, size_t max, char **ret, size_t *ret_size);
int fd_read_file(int dir, const char *path, size_t max, char **ret,
                 size_t *ret_size);

#endif
