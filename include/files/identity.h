/*
 * identity: which file it is, whatever its names.
 */
#ifndef FILES_IDENTITY_H
#define FILES_IDENTITY_H

#include <stdbool.h>
#include <sys/stat.h>

/* Zeroed: no file. */
struct identity {
    dev_t device;
    ino_t inode;
};

static inline struct identity identity_of(const struct stat *st)
{
    return (struct identity){.device = st->st_dev, .inode = st->st_ino};
}

static inline bool identity_matches(const struct identity *i,
                                    const struct stat *st)
{
    return i->inode && i->inode == st->st_ino && i->device == st->st_dev;
}

/* "a directory", "a device", …: what kind of thing is in the way. */
const char *identity_kind(mode_t mode);

#endif
