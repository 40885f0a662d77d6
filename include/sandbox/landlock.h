/*
 * landlock: which files a process may still open by name.
 *
 * A rule names a file or a folder with all below it; what no rule names is
 * refused from then on, for the calling thread and those that it starts.
 * Descriptors that are open already, or come over a socket, work on. So does
 * what no open() is needed for: to ask whether a name exists, for one.
 *
 * Newer kernels also refuse TCP, ioctls of devices, abstract sockets outside
 * and signals to processes outside.
 */
#ifndef SANDBOX_LANDLOCK_H
#define SANDBOX_LANDLOCK_H

#include <stddef.h>

struct error;

enum landlock_access {
    LANDLOCK_READ,   // files and the names in folders; nothing is executed
    LANDLOCK_DEVICE, // read, write, ioctl
    LANDLOCK_WRITE,  // read, write, make and remove files
};

struct landlock_rule {
    const char *path; // need not exist
    enum landlock_access access;
};

/* The version that the kernel has, at least 1, or -errno: -ENOSYS where it has
 * none, -EOPNOTSUPP where it was switched off at boot. */
int landlock_version(void);

/*
 * Confine the calling thread. No new privileges must have been asked for
 * before. Rules whose path does not exist, or may not be looked at, are left
 * out. 0 or -errno.
 *
 * Descriptors of rules below /proc stay open: they keep what they name, which
 * that file system would otherwise make anew when memory is short, without the
 * rule.
 */
int landlock_confine(const struct landlock_rule *rules, size_t count,
                     struct error *e);

#endif
