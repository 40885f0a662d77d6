#include "files/roots.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/openat2.h>

#include "base/error.h"
#include "base/fd.h"

static const char *const use_names[] = {
    [ROOTS_READ] = "read",
    [ROOTS_WRITE] = "write",
};

static int open_beneath(int folder, const char *name, int flags)
{
    struct open_how how = {
        .flags = (uint64_t)(unsigned)(flags | O_CLOEXEC),
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    long fd;

    do {
        // EAGAIN: a rename raced with the kernel's own check of ".."
        fd = syscall(SYS_openat2, folder, name, &how, sizeof(how));
    } while (fd < 0 && (errno == EINTR || errno == EAGAIN));
    return fd < 0 ? -errno : (int)fd;
}

/* What follows @root in @path, "." when they are the same; NULL when @path is
 * not below it. */
static const char *name_below(const char *root, const char *path)
{
    size_t length = strlen(root);

    while (length && root[length - 1] == '/')
        length--;
    if (strncmp(root, path, length) != 0)
        return NULL;
    if (path[length] != '/' && path[length] != '\0')
        return NULL;
    const char *name = path + length + strspn(path + length, "/");
    return *name ? name : ".";
}

static int open_below_root(const char *root, const char *name, int flags,
                           struct error *e)
{
    int folder = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return error_set_errno(e, -errno, "cannot open the root '%s'", root);

    int fd = open_beneath(folder, name, flags);
    fd_close(&folder);
    if (fd == -EXDEV)
        return error_set(e, -EACCES, "a link in it leads out of the root '%s'",
                         root);
    if (fd == -ENOSYS)
        return error_set(e, fd, "roots need openat2(), Linux 5.6 or later");
    if (fd < 0)
        return error_set(e, fd, "%s", strerror(-fd));
    return fd;
}

int roots_open(const struct files_roots *roots, enum roots_use use,
               const char *path, int flags, struct error *e)
{
    if (!roots) {
        int fd = open(path, flags | O_CLOEXEC);
        if (fd < 0)
            return error_set_errno(e, -errno, "cannot open '%s'", path);
        return fd;
    }

    char *const *folders = use == ROOTS_READ ? roots->read : roots->write;
    size_t count = use == ROOTS_READ ? roots->read_count : roots->write_count;
    int r = error_set(e, -EACCES,
                      count ? "it is below none of the roots for it "
                              "(setting 'roots.%s')"
                            : "the service has no roots for it (setting "
                              "'roots.%s')",
                      use_names[use]);
    for (size_t i = 0; i < count; i++) {
        const char *name = name_below(folders[i], path);
        if (!name)
            continue;
        r = open_below_root(folders[i], name, flags, e);
        if (r >= 0)
            return r;
    }
    error_wrap(e, "cannot open '%s'", path);
    return r;
}
