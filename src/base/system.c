#include "base/system.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"

char *system_path(const char *path)
{
    const char *root = getenv("TRANSCODED_SYSTEM_ROOT");

    return xasprintf("%s%s", root ? root : "", path);
}

bool system_exists(const char *path)
{
    char *where = system_path(path);
    bool exists = access(where, F_OK) == 0;

    free(where);
    return exists;
}

int system_read(const char *path, size_t most, char **ret)
{
    char *where = system_path(path);
    size_t size;

    int r = fd_read_file(AT_FDCWD, where, most, ret, &size);
    free(where);
    return r;
}

int system_read_line(const char *path, char *ret, size_t size)
{
    char *text;

    int r = system_read(path, 64 << 10, &text);
    if (r < 0)
        return r;
    (void)snprintf(ret, size, "%.*s", (int)strcspn(text, "\n"), text);
    free(text);
    return 0;
}

int system_read_link(const char *path, char *ret, size_t size)
{
    char *where = system_path(path);
    char target[PATH_MAX];

    ssize_t n = readlink(where, target, sizeof(target) - 1);
    int r = n < 0 ? -errno : 0;
    free(where);
    if (r < 0)
        return r;
    target[n] = '\0';
    const char *slash = strrchr(target, '/');
    (void)snprintf(ret, size, "%s", slash ? slash + 1 : target);
    return 0;
}

static int is_entry(const struct dirent *d)
{
    return strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0;
}

void system_each(const char *path, void (*each)(void *user, const char *name),
                 void *user)
{
    char *where = system_path(path);
    struct dirent **entries;

    int count = scandir(where, &entries, is_entry, alphasort);
    free(where);
    if (count < 0)
        return;
    for (int i = 0; i < count; i++) {
        each(user, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}
