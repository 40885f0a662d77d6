#include "cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"

#define WORKER       "worker-"
#define OWN          "daemon" // where this process goes
#define WEIGHT_BATCH "10"     // of 100, as nice 10 is
#define MEMBERS_MOST (64 << 10)

struct cgroup {
    int fd; // owned; the service's folder, -1: not available
    struct cgroup_limits limits;
};

size_t cgroup_find_path(const char *text, const char **ret)
{
    for (const char *line = text; line && *line;) {
        const char *end = strchr(line, '\n');
        if (strncmp(line, "0::/", 4) == 0) {
            *ret = line + 3;
            return end ? (size_t)(end - *ret) : strlen(*ret);
        }
        line = end ? end + 1 : NULL;
    }
    return 0;
}

/* Where groups of version 2 are mounted: alone, or beside those of version 1.
 */
static const char *find_mount(void)
{
    static const char *const usual[] = {"/sys/fs/cgroup",
                                        "/sys/fs/cgroup/unified"};
    struct statfs fs;

    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
        if (statfs(usual[i], &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC)
            return usual[i];
    }
    return NULL;
}

/* Has the service manager left what is below to us? It says so by a mark. */
static bool is_delegated(int fd)
{
    char mark = 0;

    return fgetxattr(fd, "user.delegate", &mark, 1) == 1 && mark == '1';
}

static int put(int folder, const char *name, const char *value)
{
    int fd = openat(folder, name, O_WRONLY | O_CLOEXEC);

    if (fd < 0)
        return -errno;
    int r = write(fd, value, strlen(value)) < 0 ? -errno : 0;
    fd_close(&fd);
    return r;
}

static int put_number(int folder, const char *name, int64_t number)
{
    char text[32];

    (void)snprintf(text, sizeof(text), "%" PRId64, number);
    return put(folder, name, number ? text : "max");
}

/* The folder of this process's group, or -errno with words. */
static int open_own(struct error *e)
{
    const char *mount = find_mount();
    const char *path;
    char *text = NULL;
    size_t size;

    if (!mount)
        return error_set(e, -ENOSYS, "no control groups of version 2");
    int r =
        fd_read_file(AT_FDCWD, "/proc/self/cgroup", MEMBERS_MOST, &text, &size);
    if (r < 0)
        return error_set_errno(e, r, "cannot read /proc/self/cgroup");
    size_t length = cgroup_find_path(text, &path);
    char *folder = xasprintf("%s%.*s", mount, (int)length, path);
    free(text);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        fd = error_set_errno(e, -errno, "cannot open '%s'", folder);
    free(folder);
    return fd;
}

static int move_self(int fd, struct error *e)
{
    if (mkdirat(fd, OWN, 0755) < 0 && errno != EEXIST)
        return error_set_errno(e, -errno, "cannot make a group");
    int r = put(fd, OWN "/cgroup.procs", "0");
    return r < 0 ? error_set_errno(e, r, "cannot move into a group") : 0;
}

/* What cannot be handed down is no limit of workers, and no reason not to have
 * groups. */
static void hand_down(int fd)
{
    static const char *const controllers[] = {"memory", "pids", "cpu"};
    char missing[64] = "";

    for (size_t i = 0; i < sizeof(controllers) / sizeof(controllers[0]); i++) {
        char word[16];
        (void)snprintf(word, sizeof(word), "+%s", controllers[i]);
        if (put(fd, "cgroup.subtree_control", word) < 0)
            (void)strcat(strcat(missing, " "), controllers[i]);
    }
    log_info(NULL, "each worker has a control group%s%s",
             missing[0] ? "; not available:" : "", missing);
}

struct cgroup *cgroup_create(int folder, const struct cgroup_limits *limits)
{
    struct cgroup *g = xcalloc(1, sizeof(*g));

    g->fd = folder;
    g->limits = *limits;
    return g;
}

struct cgroup *cgroup_open(const struct cgroup_limits *limits)
{
    struct error e = {0};
    int fd = open_own(&e);
    int r = fd;

    if (r >= 0 && !is_delegated(fd))
        r = error_set(&e, -EPERM, "none is delegated to this service");
    if (r >= 0)
        r = move_self(fd, &e);
    if (r >= 0) {
        hand_down(fd);
    } else {
        log_info(NULL, "control groups for workers are not available: %s",
                 e.text);
        if (fd >= 0)
            fd_close(&fd);
        fd = -1;
    }
    return cgroup_create(fd, limits);
}

void cgroup_configure(struct cgroup *g, const struct cgroup_limits *limits)
{
    g->limits = *limits;
}

void cgroup_close(struct cgroup *g)
{
    if (!g)
        return;
    fd_close(&g->fd);
    free(g);
}

/* A file of a leaf; 0 or -errno. */
static int put_in(const struct cgroup_leaf *l, const char *file,
                  const char *value)
{
    char name[64];

    (void)snprintf(name, sizeof(name), "%s/%s", l->name, file);
    return put(l->group->fd, name, value);
}

static void limit(const struct cgroup_leaf *l)
{
    const struct cgroup_limits *limits = &l->group->limits;
    int folder =
        openat(l->group->fd, l->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (folder < 0)
        return;
    // a controller that is missing has been told of
    (void)put_number(folder, "memory.max", limits->memory);
    (void)put_number(folder, "pids.max", limits->tasks);
    fd_close(&folder);
}

/* Groups of those who left somebody behind, who took a moment to die. What does
 * not die goes with the service. */
static void sweep(const struct cgroup *g)
{
    int fd = openat(g->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *folder = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;

    if (!folder) {
        fd_close(&fd);
        return;
    }
    while ((entry = readdir(folder))) {
        if (strncmp(entry->d_name, WORKER, strlen(WORKER)) == 0)
            (void)unlinkat(g->fd, entry->d_name, AT_REMOVEDIR); // or not yet
    }
    (void)closedir(folder);
}

void cgroup_adopt(const struct cgroup *g, int pid, struct cgroup_leaf *ret)
{
    struct cgroup_leaf l = {.group = g};
    char text[16];

    *ret = (struct cgroup_leaf){0};
    if (!g || g->fd < 0)
        return;
    sweep(g);
    (void)snprintf(l.name, sizeof(l.name), WORKER "%d", pid);
    (void)snprintf(text, sizeof(text), "%d", pid);
    if (mkdirat(g->fd, l.name, 0755) < 0 && errno != EEXIST) {
        log_warning(NULL, "no control group for worker %d: %s", pid,
                    strerror(errno));
        return;
    }
    limit(&l);
    int r = put_in(&l, "cgroup.procs", text);
    if (r < 0 && r != -ESRCH) // it may have died already
        log_warning(NULL, "worker %d is not in its control group: %s", pid,
                    strerror(-r));
    *ret = l;
}

void cgroup_stand_back(const struct cgroup_leaf *l)
{
    if (l->group)
        (void)put_in(l, "cpu.weight", WEIGHT_BATCH);
}

void cgroup_kill(const struct cgroup_leaf *l)
{
    if (l->group)
        (void)put_in(l, "cgroup.kill", "1");
}

void cgroup_release(struct cgroup_leaf *l)
{
    if (!l->group)
        return;
    if (unlinkat(l->group->fd, l->name, AT_REMOVEDIR) < 0 && errno == EBUSY)
        cgroup_kill(l); // it left somebody behind
    *l = (struct cgroup_leaf){0};
}
