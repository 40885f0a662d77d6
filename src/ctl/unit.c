#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"

#define NAME      "transcoded.service"
#define TEXT_MOST (64 << 10)

static const char *const properties[UNIT_ACCESS_COUNT] = {
    [UNIT_READ] = "ReadOnlyPaths",
    [UNIT_WRITE] = "ReadWritePaths",
};

const char *unit_property(enum unit_access access)
{
    return properties[access];
}

static void add(struct unit *u, enum unit_access access, const char *path,
                size_t length)
{
    u->paths = xrealloc(u->paths, u->count + 1, sizeof(*u->paths));
    u->paths[u->count++] = (struct unit_path){access, xstrndup(path, length)};
}

static void parse_paths(struct unit *u, enum unit_access access,
                        const char *list, const char *end)
{
    while (list < end) {
        size_t length = strcspn(list, " \n");
        size_t marks = strspn(list, "-+"); // may be missing, below the root
        if (length > marks)
            add(u, access, list + marks, length - marks);
        list += length + 1;
    }
}

void unit_parse(struct unit *ret, const char *text)
{
    struct unit u = {0};

    while (*text) {
        const char *end = text + strcspn(text, "\n");
        for (int i = 0; i < UNIT_ACCESS_COUNT; i++) {
            size_t length = strlen(properties[i]);
            if (strncmp(text, properties[i], length) == 0 &&
                text[length] == '=')
                parse_paths(&u, (enum unit_access)i, text + length + 1, end);
        }
        text = end + (*end == '\n');
    }
    *ret = u;
}

void unit_fini(struct unit *u)
{
    for (size_t i = 0; i < u->count; i++)
        free(u->paths[i].path);
    free(u->paths);
}

/* 0 with a process that writes to @output, or -errno. */
static int spawn(pid_t *ret, int output)
{
    char property[128];
    const char *const argv[] = {"systemctl", "show", property, NAME, NULL};
    posix_spawn_file_actions_t actions;

    (void)strcpy(property, "--property=");
    for (int i = 0; i < UNIT_ACCESS_COUNT; i++) {
        (void)strcat(property, properties[i]);
        (void)strcat(property, i + 1 < UNIT_ACCESS_COUNT ? "," : "");
    }
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY,
                                           0);
    (void)posix_spawn_file_actions_adddup2(&actions, output, 1);
    (void)posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY,
                                           0);
    int r = posix_spawnp(ret, argv[0], &actions, NULL, (char **)argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    return -r;
}

/* All of it, as far as there is room. */
static void read_all(int fd, char *ret, size_t size)
{
    size_t used = 0;
    ssize_t n = 1;

    while (n != 0 && used + 1 < size) {
        n = read(fd, ret + used, size - 1 - used);
        if (n < 0 && errno != EINTR)
            break;
        used += n > 0 ? (size_t)n : 0;
    }
    ret[used] = '\0';
}

void unit_read(struct unit *ret)
{
    char *text = xcalloc(TEXT_MOST, 1);
    int ends[2];
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) == 0) {
        int r = spawn(&pid, ends[1]);
        fd_close(&ends[1]);
        if (r == 0)
            read_all(ends[0], text, TEXT_MOST);
        fd_close(&ends[0]);
        while (r == 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    unit_parse(ret, text);
    free(text);
}
