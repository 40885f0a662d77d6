#include "files/temporary.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "files/identity.h"

#define PREFIX ".transcoded-"
#define DIGITS 16
#define TRIES  16
#define MODE   0666 // the umask takes from it

static void make_name(char *ret, size_t size)
{
    uint64_t number = 0;

    // the name must be free, not secret: a short read does no harm
    (void)!getrandom(&number, sizeof(number), 0);
    (void)snprintf(ret, size, PREFIX "%016" PRIx64, number);
}

static bool is_name(const char *name)
{
    size_t prefix = strlen(PREFIX);

    return strncmp(name, PREFIX, prefix) == 0 &&
           strspn(name + prefix, "0123456789abcdef") == DIGITS &&
           name[prefix + DIGITS] == '\0';
}

/* Is @name in @folder the file that @fd is? */
static bool is_at(int fd, int folder, const char *name)
{
    struct stat ours;
    struct stat there;

    if (fstat(fd, &ours) < 0 ||
        fstatat(folder, name, &there, AT_SYMLINK_NOFOLLOW) < 0)
        return false;
    struct identity id = identity_of(&ours);
    return identity_matches(&id, &there);
}

/* Remove @name if nobody has it locked. */
static void remove_stale(int folder, const char *name)
{
    struct stat st;

    if (fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
        !S_ISREG(st.st_mode))
        return;
    int fd = openat(folder, name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && is_at(fd, folder, name))
        (void)unlinkat(folder, name, 0);
    fd_close(&fd);
}

static void sweep(int folder)
{
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return; // it may be written to but not read: nothing to be done
    DIR *d = fdopendir(fd);
    if (!d) {
        fd_close(&fd);
        return;
    }
    for (const struct dirent *entry; (entry = readdir(d));) {
        if (is_name(entry->d_name))
            remove_stale(folder, entry->d_name);
    }
    (void)closedir(d);
}

static bool lacks_unnamed(int code)
{
    return code == -EOPNOTSUPP || code == -EISDIR || code == -EINVAL ||
           code == -ENOSYS;
}

static int create_unnamed(struct temporary *t)
{
    t->fd = openat(t->folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, MODE);
    return t->fd < 0 ? -errno : 0;
}

/* Another one's sweep may have taken it before the lock: then it is not at its
 * name any more. A file system without locks has no sweeps either. */
static bool lock_hidden(const struct temporary *t)
{
    if (flock(t->fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)
        return false;
    return is_at(t->fd, t->folder, t->name);
}

static int create_hidden(struct temporary *t)
{
    sweep(t->folder);
    for (int i = 0; i < TRIES; i++) {
        make_name(t->name, sizeof(t->name));
        t->fd =
            openat(t->folder, t->name,
                   O_CREAT | O_EXCL | O_NOFOLLOW | O_RDWR | O_CLOEXEC, MODE);
        if (t->fd < 0 && errno != EEXIST)
            return -errno;
        if (t->fd >= 0 && lock_hidden(t))
            return 0;
        fd_close(&t->fd);
    }
    return -EEXIST;
}

/* The folder is held by a descriptor: that it has no names any more is the one
 * way in which nothing can be found in it. */
static int explain(int code, struct error *e)
{
    return error_set(e, code, "%s",
                     code == -ENOENT ? "its folder has been removed"
                                     : strerror(-code));
}

int temporary_create(struct temporary *ret, int folder,
                     enum temporary_kind kind, struct error *e)
{
    struct temporary t = {.folder = folder, .fd = -1, .kind = kind};
    int r = -EOPNOTSUPP;

    if (kind == TEMPORARY_UNNAMED)
        r = create_unnamed(&t);
    if (lacks_unnamed(r))
        r = create_hidden(&t);
    if (r < 0)
        return explain(r, e);
    *ret = t;
    return 0;
}

static int link_unnamed(const struct temporary *t, const char *name)
{
    char path[40];

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", t->fd);
    if (linkat(AT_FDCWD, path, t->folder, name, AT_SYMLINK_FOLLOW) < 0)
        return -errno;
    return 0;
}

/* Give an unnamed file a hidden name, from which it can replace another. */
static int hide(struct temporary *t)
{
    int r = -EEXIST;

    (void)flock(t->fd, LOCK_EX | LOCK_NB); // before anybody can sweep it
    sweep(t->folder);
    for (int i = 0; r == -EEXIST && i < TRIES; i++) {
        make_name(t->name, sizeof(t->name));
        r = link_unnamed(t, t->name);
    }
    if (r < 0)
        t->name[0] = '\0';
    return r;
}

static int rename_keeping(const struct temporary *t, const char *name)
{
    return renameat2(t->folder, t->name, t->folder, name, RENAME_NOREPLACE) < 0
               ? -errno
               : 0;
}

static int link_keeping(const struct temporary *t, const char *name)
{
    if (linkat(t->folder, t->name, t->folder, name, 0) < 0)
        return -errno;
    (void)unlinkat(t->folder, t->name, 0);
    return 0;
}

/* Not every file system (NFS, some of FUSE) knows RENAME_NOREPLACE; those have
 * hard links, which never replace either. */
static int publish_keeping(const struct temporary *t, const char *name)
{
    if (!t->name[0])
        return link_unnamed(t, name);

    int r = t->kind == TEMPORARY_LINKED ? -EINVAL : rename_keeping(t, name);
    return r == -EINVAL || r == -ENOSYS || r == -EOPNOTSUPP
               ? link_keeping(t, name)
               : r;
}

static int publish_replacing(struct temporary *t, const char *name)
{
    if (!t->name[0]) {
        int r = link_unnamed(t, name);
        if (r != -EEXIST)
            return r; // nothing had the name, so none was needed on the way
        r = hide(t);
        if (r < 0)
            return r;
    }
    return renameat(t->folder, t->name, t->folder, name) < 0 ? -errno : 0;
}

int temporary_sync_folder(int folder)
{
    // one that may be written to but not read can only be left to the kernel
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == EACCES ? 0 : -errno;

    int r = fsync(fd) < 0 ? -errno : 0;
    fd_close(&fd);
    return r == -EINVAL || r == -EOPNOTSUPP ? 0 : r;
}

int temporary_publish(struct temporary *t, const char *name,
                      enum temporary_mode mode, struct error *e)
{
    int r = fsync(t->fd) < 0 ? -errno : 0;

    if (r == 0)
        r = mode == TEMPORARY_KEEP ? publish_keeping(t, name)
                                   : publish_replacing(t, name);
    if (r < 0)
        return explain(r, e);

    t->name[0] = '\0'; // what has the final name is no temporary any more
    r = temporary_sync_folder(t->folder);
    if (r < 0)
        return error_set_errno(e, r, "cannot make its name durable");
    return 0;
}

void temporary_fini(struct temporary *t)
{
    if (t->fd >= 0 && t->name[0] && is_at(t->fd, t->folder, t->name))
        (void)unlinkat(t->folder, t->name, 0);
    t->name[0] = '\0';
    fd_close(&t->fd);
}
