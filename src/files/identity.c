#include "files/identity.h"

#include <stddef.h>

const char *identity_kind(mode_t mode)
{
    static const struct {
        mode_t type;
        const char *name;
    } kinds[] = {
        {S_IFREG, "a file"},          {S_IFDIR, "a directory"},
        {S_IFLNK, "a symbolic link"}, {S_IFIFO, "a FIFO"},
        {S_IFSOCK, "a socket"},       {S_IFBLK, "a device"},
        {S_IFCHR, "a device"},
    };

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if ((mode & S_IFMT) == kinds[i].type)
            return kinds[i].name;
    }
    return "something unknown";
}
