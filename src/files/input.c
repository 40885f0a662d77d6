#include "files/input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/error.h"
#include "base/fd.h"
#include "files/roots.h"

/* Find it, without opening it: a descriptor for reopen(). */
static int find(const struct files_roots *roots, const char *path,
                struct stat *ret, struct error *e)
{
    int fd = roots_open(roots, ROOTS_READ, path, O_PATH, e);
    if (fd < 0)
        return fd;

    int r = 0;
    if (fstat(fd, ret) < 0)
        r = error_set_errno(e, -errno, "cannot look at '%s'", path);
    else if (!S_ISREG(ret->st_mode) && !S_ISFIFO(ret->st_mode))
        r = error_set(e, S_ISDIR(ret->st_mode) ? -EISDIR : -EINVAL,
                      "'%s' is %s: an input must be a file or a FIFO", path,
                      identity_kind(ret->st_mode));
    if (r < 0) {
        fd_close(&fd);
        return r;
    }
    return fd;
}

/* Open for reading what @found has found, and nothing that was put into its
 * place since. */
static int reopen(int found, const char *path, struct error *e)
{
    char name[40];

    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", found);
    int fd = open(name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(e, -errno, "cannot open '%s'", path);
    return fd;
}

static int clear_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) < 0)
        return -errno;
    return 0;
}

int input_open(const struct files_roots *roots, const char *path,
               struct error *e)
{
    struct stat st;

    int found = find(roots, path, &st, e);
    if (found < 0)
        return found;
    int fd = reopen(found, path, e);
    fd_close(&found);
    if (fd < 0)
        return fd;

    int r = clear_nonblocking(fd);
    if (r < 0) {
        fd_close(&fd);
        return error_set_errno(e, r, "cannot open '%s'", path);
    }
    return fd;
}

int input_check(const struct files_roots *roots, const char *path,
                struct identity *ret, struct error *e)
{
    struct stat st;
    int r = 0;

    int found = find(roots, path, &st, e);
    if (found < 0)
        return found;
    if (S_ISREG(st.st_mode)) {
        int fd = reopen(found, path, e);
        r = fd < 0 ? fd : 0;
        fd_close(&fd);
    }
    fd_close(&found);
    if (r == 0 && ret)
        *ret = identity_of(&st);
    return r;
}
