#include "files/output.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/memory.h"
#include "files/roots.h"

#define MARK      "user.transcoded.job"
#define MARK_MOST 255

struct output {
    struct output_config config;
    const char *name; // not owned; the last part of the path
    enum { CLOSED, OPEN, FINISHED } state;
    int folder;                // owned; O_PATH, -1 until looked for
    enum temporary_mode mode;  // how to take the name, as output_check() saw it
    struct temporary file;     // a growing one is never hidden
    struct identity published; // what we once gave the name to
};

struct output *output_create(const struct output_config *config)
{
    struct output *o = xcalloc(1, sizeof(*o));
    const char *slash = strrchr(config->path, '/');

    o->config = *config;
    o->name = slash ? slash + 1 : config->path;
    o->folder = -1;
    o->file.fd = -1;
    return o;
}

void output_destroy(struct output *o)
{
    if (!o)
        return;
    output_abort(o);
    fd_close(&o->folder);
    free(o);
}

static int fail(const struct output *o, int code, const char *why,
                struct error *e)
{
    return error_set(e, code, "cannot write '%s': %s", o->config.path, why);
}

static int open_folder(struct output *o, struct error *e)
{
    if (o->folder >= 0)
        return 0;
    if (!*o->name || strcmp(o->name, ".") == 0 || strcmp(o->name, "..") == 0)
        return fail(o, -EISDIR, "it names a folder", e);

    size_t length = (size_t)(o->name - o->config.path);
    char *path = xstrndup(o->config.path, length > 1 ? length - 1 : length);
    int fd =
        roots_open(o->config.roots, ROOTS_WRITE, path, O_PATH | O_DIRECTORY, e);
    if (fd == -ENOENT)
        (void)error_set(e, fd, "cannot write '%s': there is no folder '%s'",
                        o->config.path, path);
    else if (fd < 0)
        error_wrap(e, "cannot write '%s'", o->config.path);
    free(path);
    if (fd < 0)
        return fd;
    o->folder = fd;
    return 0;
}

/* Does the file that has our name bear the mark of our job? */
static bool has_our_mark(const struct output *o)
{
    char value[MARK_MOST + 1];

    if (!o->config.mark)
        return false;
    int fd = openat(o->folder, o->name,
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return false;
    ssize_t n = fgetxattr(fd, MARK, value, sizeof(value));
    fd_close(&fd);
    return n >= 0 && (size_t)n == strlen(o->config.mark) &&
           memcmp(value, o->config.mark, (size_t)n) == 0;
}

/* Is @st, which has our name, the input, or a link that leads to it? */
static bool is_input(const struct output *o, const struct stat *st,
                     const struct identity *input)
{
    struct stat target;

    if (!input)
        return false;
    if (!S_ISLNK(st->st_mode))
        return identity_matches(input, st);
    return fstatat(o->folder, o->name, &target, 0) == 0 &&
           identity_matches(input, &target);
}

/*
 * Look at what has our name. 0 with how to take the name, or -errno with words
 * for what must not be replaced.
 */
static int look(const struct output *o, const struct identity *input,
                enum temporary_mode *ret, struct error *e)
{
    struct stat st;

    *ret = o->config.overwrite ? TEMPORARY_REPLACE : TEMPORARY_KEEP;
    if (fstatat(o->folder, o->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : fail(o, -errno, strerror(errno), e);
    if (is_input(o, &st, input))
        return fail(o, -EINVAL, "it is the input", e);
    if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
        return error_set(e, S_ISDIR(st.st_mode) ? -EISDIR : -EEXIST,
                         "cannot write '%s': it is %s", o->config.path,
                         identity_kind(st.st_mode));
    if (o->config.overwrite)
        return 0;
    if (!identity_matches(&o->published, &st) &&
        !(S_ISREG(st.st_mode) && has_our_mark(o)))
        return fail(o, -EEXIST, "it exists, and the job does not overwrite", e);
    *ret = TEMPORARY_REPLACE;
    return 0;
}

int output_check(struct output *o, const struct identity *input,
                 struct error *e)
{
    if (o->state != CLOSED)
        return fail(o, -EBUSY, "it has been begun already", e);
    int r = open_folder(o, e);
    if (r == 0)
        r = look(o, input, &o->mode, e);
    if (r == 0 && faccessat(o->folder, ".", W_OK | X_OK, AT_EACCESS) < 0)
        r = fail(o, -errno, strerror(errno), e);
    return r;
}

static int create_growing(struct output *o, struct error *e)
{
    if (o->mode == TEMPORARY_REPLACE && unlinkat(o->folder, o->name, 0) < 0 &&
        errno != ENOENT)
        return error_set(e, -errno, "%s", strerror(errno));
    int fd = openat(o->folder, o->name,
                    O_CREAT | O_EXCL | O_NOFOLLOW | O_RDWR | O_CLOEXEC, 0666);
    if (fd < 0)
        return error_set(e, -errno, "%s", strerror(errno));
    o->file = (struct temporary){.folder = o->folder, .fd = fd};
    return 0;
}

/* A file system may have no attributes: see files_set_mark(). */
static void put_mark(const struct output *o)
{
    if (o->config.mark)
        (void)fsetxattr(o->file.fd, MARK, o->config.mark,
                        strlen(o->config.mark), 0);
}

/* The folder's group is a courtesy: a process may only give files to groups
 * that it is in. */
static int give_to_group(const struct output *o, gid_t wanted, struct error *e)
{
    struct stat st;
    gid_t group = wanted;

    if (wanted == OUTPUT_FOLDER_GROUP) {
        if (fstat(o->folder, &st) < 0)
            return error_set(e, -errno, "%s", strerror(errno));
        group = st.st_gid;
    }
    if (fchown(o->file.fd, (uid_t)-1, group) == 0 ||
        wanted == OUTPUT_FOLDER_GROUP)
        return 0;
    return error_set_errno(e, -errno, "cannot give it to the group %u",
                           (unsigned)group);
}

static int share(const struct output *o, struct error *e)
{
    if (!o->config.sharing)
        return 0;
    int r = give_to_group(o, o->config.sharing->group, e);
    // where a file system has no modes there is nothing to be set
    if (r == 0)
        (void)fchmod(o->file.fd, o->config.sharing->mode);
    return r;
}

int output_open(struct output *o, struct error *e)
{
    assert(o->state == CLOSED && o->folder >= 0);
    int r = o->config.growing
                ? create_growing(o, e)
                : temporary_create(&o->file, o->folder, o->config.kind, e);
    if (r == 0) {
        o->state = OPEN;
        r = share(o, e);
    }
    if (r < 0) {
        error_wrap(e, "cannot write '%s'", o->config.path);
        output_abort(o);
        return r;
    }
    put_mark(o);
    return o->file.fd;
}

static int finish_growing(struct output *o, struct error *e)
{
    int r = fsync(o->file.fd) < 0 ? -errno : temporary_sync_folder(o->folder);

    return r < 0 ? error_set(e, r, "%s", strerror(-r)) : 0;
}

static int finish_complete(struct output *o, struct error *e)
{
    // it may have changed since: hours ago the output was begun
    int r = look(o, NULL, &o->mode, e);

    return r < 0 ? r : temporary_publish(&o->file, o->name, o->mode, e);
}

int output_finish(struct output *o, struct error *e)
{
    struct stat st;

    if (o->state != OPEN)
        return fail(o, -EINVAL, "it has not been begun", e);
    int r = fstat(o->file.fd, &st) < 0
                ? error_set(e, -errno, "%s", strerror(errno))
                : 0;
    if (r == 0)
        r = o->config.growing ? finish_growing(o, e) : finish_complete(o, e);
    if (r < 0) {
        error_wrap(e, "cannot complete '%s'", o->config.path);
        return r;
    }
    o->published = identity_of(&st);
    o->state = FINISHED;
    temporary_fini(&o->file);
    return 0;
}

void output_keep(struct output *o)
{
    struct error e = {0};
    struct stat st;

    // what cannot be made durable is there all the same
    if (o->state == OPEN && o->config.growing && fstat(o->file.fd, &st) == 0 &&
        st.st_size > 0 && output_finish(o, &e) < 0) {
        temporary_fini(&o->file);
        o->state = FINISHED;
    }
}

/* Take the name of a growing output back, if it is still ours. */
static void remove_growing(const struct output *o)
{
    struct stat ours;
    struct stat there;

    if (fstat(o->file.fd, &ours) < 0 ||
        fstatat(o->folder, o->name, &there, AT_SYMLINK_NOFOLLOW) < 0)
        return;
    struct identity id = identity_of(&ours);
    if (identity_matches(&id, &there))
        (void)unlinkat(o->folder, o->name, 0);
}

void output_abort(struct output *o)
{
    if (o->state != OPEN)
        return;
    if (o->config.growing)
        remove_growing(o);
    temporary_fini(&o->file);
    o->state = CLOSED;
}

void output_reset(struct output *o)
{
    output_abort(o);
    fd_close(&o->folder); // the next attempt resolves the path again
    o->state = CLOSED;
}

bool output_is_open(const struct output *o)
{
    return o->state == OPEN;
}

bool output_is_finished(const struct output *o)
{
    return o->state == FINISHED;
}

bool output_collides(const struct output *a, const struct output *b)
{
    struct stat one;
    struct stat other;

    if (a->folder < 0 || b->folder < 0 || strcmp(a->name, b->name) != 0 ||
        fstat(a->folder, &one) < 0 || fstat(b->folder, &other) < 0)
        return false;
    struct identity id = identity_of(&one);
    return identity_matches(&id, &other);
}
