#include "support/folder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"

/* A few texts at a time, so that one assertion can name two paths. */
static char *next_text(void)
{
    static char texts[8][PATH_MAX];
    static size_t next;

    return texts[next++ % 8];
}

char *folder_create(void)
{
    const char *tmp = getenv("TMPDIR");
    char *folder = xasprintf("%s/transcoded-test-XXXXXX", tmp ? tmp : "/tmp");

    assert_non_null(mkdtemp(folder));
    assert_int_equal(chmod(folder, 0755), 0);
    return folder;
}

static int remove_one(const char *path, const struct stat *st, int flag,
                      struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

void folder_remove(char *folder)
{
    assert_int_equal(nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
    free(folder);
}

const char *folder_path(const char *folder, const char *name)
{
    char *path = next_text();

    (void)snprintf(path, PATH_MAX, "%s/%s", folder, name);
    return path;
}

void folder_put(const char *folder, const char *name, const char *text)
{
    int fd = open(folder_path(folder, name),
                  O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

    assert_true(fd >= 0);
    assert_int_equal(fd_write_all(fd, text, strlen(text)), 0);
    fd_close(&fd);
}

static int is_entry(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

const char *folder_list(const char *folder)
{
    struct dirent **entries;
    char *list = next_text();
    size_t used = 0;

    int n = scandir(folder, &entries, is_entry, alphasort);
    assert_true(n >= 0);
    list[0] = '\0';
    for (int i = 0; i < n; i++) {
        used += (size_t)snprintf(list + used, PATH_MAX - used, "%s%s",
                                 i ? " " : "", entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return list;
}

const char *folder_get(const char *folder, const char *name)
{
    char *text = next_text();
    int fd = open(folder_path(folder, name), O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        assert_int_equal(errno, ENOENT);
        return "(none)";
    }
    ssize_t n = read(fd, text, PATH_MAX - 1);
    assert_true(n >= 0);
    text[n] = '\0';
    fd_close(&fd);
    return text;
}

int folder_as_nobody(int (*body)(void *user), void *user)
{
    int status;

    if (geteuid() != 0)
        return -1;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
            setresuid(NOBODY, NOBODY, NOBODY) < 0)
            _exit(99);
        _exit(body(user));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}
