#include "sandbox/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"

/* The kernel's interface, for the headers of a distribution know less of it
 * than the kernel that is booted. The numbers are the same on every machine. */
#define CALL_CREATE_RULESET 444
#define CALL_ADD_RULE       445
#define CALL_RESTRICT_SELF  446
#define CREATE_VERSION      1U
#define RULE_PATH_BENEATH   1

#define FS(n)               (UINT64_C(1) << (n))
#define FS_EXECUTE          FS(0)
#define FS_WRITE_FILE       FS(1)
#define FS_READ_FILE        FS(2)
#define FS_READ_DIR         FS(3)
#define FS_REMOVE_DIR       FS(4)
#define FS_REMOVE_FILE      FS(5)
#define FS_MAKE_DIR         FS(7)
#define FS_MAKE_REG         FS(8)
#define FS_TRUNCATE         FS(14)
#define FS_IOCTL_DEV        FS(15)
#define FS_OF_FILES \
    (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

#define NET_TCP      3U // bind and connect
#define SCOPE_BEYOND 3U // abstract sockets and signals

struct ruleset_attributes {
    uint64_t fs;
    uint64_t net;    // version 4
    uint64_t scoped; // version 6
};

struct path_attributes {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

/* The rights on files that versions know: all up to FS(last). */
static const struct {
    int since;
    unsigned last;
} generations[] = {{1, 12}, {2, 13}, {3, 14}, {5, 15}};

static const uint64_t rights[] = {
    [LANDLOCK_READ] = FS_READ_FILE | FS_READ_DIR,
    [LANDLOCK_DEVICE] = FS_READ_FILE | FS_WRITE_FILE | FS_IOCTL_DEV,
    [LANDLOCK_WRITE] = FS_READ_FILE | FS_READ_DIR | FS_WRITE_FILE |
                       FS_TRUNCATE | FS_MAKE_REG | FS_MAKE_DIR |
                       FS_REMOVE_FILE | FS_REMOVE_DIR,
};

int landlock_version(void)
{
    long version = syscall(CALL_CREATE_RULESET, NULL, 0, CREATE_VERSION);

    return version < 0 ? -errno : (int)version;
}

/* All that this kernel can refuse is refused, but for what rules allow. */
static struct ruleset_attributes handled(int version)
{
    struct ruleset_attributes a = {0};

    for (size_t i = 0; i < sizeof(generations) / sizeof(generations[0]); i++) {
        if (version >= generations[i].since)
            a.fs = FS(generations[i].last + 1) - 1;
    }
    if (version >= 4)
        a.net = NET_TCP;
    if (version >= 6)
        a.scoped = SCOPE_BEYOND;
    return a;
}

static bool is_proc(const char *path)
{
    return strncmp(path, "/proc/", strlen("/proc/")) == 0;
}

static int add_rule(int ruleset, const struct landlock_rule *rule, uint64_t fs)
{
    struct stat st;
    int fd = open(rule->path, O_PATH | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) < 0) {
        fd_close(&fd);
        return 0; // nothing there to be allowed
    }
    struct path_attributes a = {
        .allowed = rights[rule->access] & fs,
        .parent = fd,
    };
    if (!S_ISDIR(st.st_mode))
        a.allowed &= FS_OF_FILES;
    int r = syscall(CALL_ADD_RULE, ruleset, RULE_PATH_BENEATH, &a, 0) < 0
                ? -errno
                : 0;
    if (r < 0 || !is_proc(rule->path))
        fd_close(&fd);
    return r;
}

static int add_rules(int ruleset, const struct landlock_rule *rules,
                     size_t count, uint64_t fs, struct error *e)
{
    for (size_t i = 0; i < count; i++) {
        int r = add_rule(ruleset, &rules[i], fs);
        if (r < 0)
            return error_set_errno(e, r, "cannot allow '%s'", rules[i].path);
    }
    return 0;
}

int landlock_confine(const struct landlock_rule *rules, size_t count,
                     struct error *e)
{
    int version = landlock_version();

    if (version < 0)
        return error_set_errno(e, version, "the kernel has no Landlock");
    const struct ruleset_attributes a = handled(version);
    int ruleset = (int)syscall(CALL_CREATE_RULESET, &a, sizeof(a), 0);
    if (ruleset < 0)
        return error_set_errno(e, -errno, "cannot make a ruleset");
    int r = add_rules(ruleset, rules, count, a.fs, e);
    if (r == 0 && syscall(CALL_RESTRICT_SELF, ruleset, 0) < 0)
        r = error_set_errno(e, -errno, "cannot restrict itself");
    fd_close(&ruleset);
    return r;
}
