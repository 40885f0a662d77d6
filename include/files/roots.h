/*
 * roots: opening names, anywhere or only below certain folders.
 */
#ifndef FILES_ROOTS_H
#define FILES_ROOTS_H

#include <stddef.h>

struct error;

struct files_roots {
    char **read; // not owned; absolute folders
    size_t read_count;
    char **write; // not owned
    size_t write_count;
};

enum roots_use { ROOTS_READ, ROOTS_WRITE };

/*
 * Open the absolute @path with @flags (O_CLOEXEC is added). With @roots NULL as
 * open() does; else below one of the roots for @use: nothing on the way, and no
 * symbolic link, may lead out of it. A descriptor, or -errno with words.
 */
int roots_open(const struct files_roots *roots, enum roots_use use,
               const char *path, int flags, struct error *e);

#endif
