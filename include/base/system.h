/*
 * system: files of the kernel's and the administrator's, /proc, /sys, /dev and
 * a few below /run and /etc.
 *
 * TRANSCODED_SYSTEM_ROOT, which is for tests alone, puts another folder before
 * these names, so that a machine can be made up and broken. Nothing that
 * guards anything may go through here.
 */
#ifndef BASE_SYSTEM_H
#define BASE_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>

/* Where the file @path (absolute) is to be found. The caller frees. */
char *system_path(const char *path);

bool system_exists(const char *path);

/* The first line of the file, without its end, cut to @size. 0 or -errno. */
int system_read_line(const char *path, char *ret, size_t size);

/* The last part of what the link @path names: "nvidia" of
 * "../../bus/pci/drivers/nvidia". 0 or -errno. */
int system_read_link(const char *path, char *ret, size_t size);

/* All of a small file, at most @most bytes. The caller frees. 0 or -errno. */
int system_read(const char *path, size_t most, char **ret);

/* Call @each for every entry of the folder @path but "." and "..", in the
 * order of their names. None where it cannot be read. */
void system_each(const char *path, void (*each)(void *user, const char *name),
                 void *user);

#endif
