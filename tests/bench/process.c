#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/memory.h"

#define WORDS_MOST   128
#define AT_ONCE_MOST 16
#define PROC_MOST    (64 << 10) // bytes of a file in /proc

/* Cuts @text into words, in place. */
static void split(char *text, char *ret[WORDS_MOST])
{
    size_t count = 0;
    char *rest = NULL;

    for (char *word = strtok_r(text, " ", &rest);
         word && count < WORDS_MOST - 1; word = strtok_r(NULL, " ", &rest))
        ret[count++] = word;
    ret[count] = NULL;
}

/* In the child; does not return. */
static void become(const char *folder, char *words[WORDS_MOST], int out,
                   const char *preload)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (out >= 0 &&
        (dup2(out, STDOUT_FILENO) < 0 || dup2(out, STDERR_FILENO) < 0))
        _exit(126);
    if (preload && setenv("LD_PRELOAD", preload, 1) < 0)
        _exit(126);
    if (chdir(folder) < 0)
        _exit(126);
    (void)execvp(words[0], words);
    _exit(127);
}

static int start(pid_t *ret, const char *folder, const char *command, int out,
                 const char *preload, struct error *e)
{
    char *text = xstrdup(command);
    char *words[WORDS_MOST];

    split(text, words);
    pid_t pid = fork();
    if (pid == 0)
        become(folder, words, out, preload);
    free(text);
    if (pid < 0)
        return error_set_errno(e, -errno, "cannot start '%s'", command);
    *ret = pid;
    return 0;
}

int process_start(pid_t *ret, const char *folder, const char *command,
                  const char *log, const char *preload, struct error *e)
{
    int out = -1;

    if (log) {
        out = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (out < 0)
            return error_set_errno(e, -errno, "cannot open '%s'", log);
    }
    int r = start(ret, folder, command, out, preload, e);
    fd_close(&out);
    return r;
}

static double seconds(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

/* Waits for it, and adds what it cost. */
static int finish(pid_t pid, const char *command, struct sample *sum,
                  struct error *e)
{
    struct rusage usage;
    int status;

    if (wait4(pid, &status, 0, &usage) < 0)
        return error_set_errno(e, -errno, "cannot wait for '%s'", command);
    sum->cpu += seconds(usage.ru_utime) + seconds(usage.ru_stime);
    double rss = (double)usage.ru_maxrss * 1024;
    if (rss > sum->rss)
        sum->rss = rss;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return error_set(e, -EIO, "'%s' failed with status %d", command,
                         WIFEXITED(status) ? WEXITSTATUS(status) : -1);
    return 0;
}

int process_run(struct sample *ret, const char *folder,
                const char *const *commands, size_t count, struct error *e)
{
    struct sample sum = {0};
    pid_t pids[AT_ONCE_MOST];
    size_t started = 0;
    int r = 0;

    int64_t begin = clock_now();
    while (r == 0 && started < count && started < AT_ONCE_MOST) {
        r = start(&pids[started], folder, commands[started], -1, NULL, e);
        started += r == 0;
    }
    for (size_t i = 0; i < started; i++) {
        int result = finish(pids[i], commands[i], &sum, r == 0 ? e : NULL);
        if (r == 0)
            r = result;
    }
    sum.wall = (double)(clock_now() - begin) / SECOND;
    if (r == 0)
        *ret = sum;
    return r;
}

int process_output(char **ret, const char *folder, const char *command,
                   struct error *e)
{
    struct sample unused = {0};
    char *text = xcalloc(PROC_MOST, 1);
    size_t size = 0;
    ssize_t got = 1;
    int ends[2];
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) < 0) {
        free(text);
        return error_set_errno(e, -errno, "cannot make a pipe");
    }
    int r = start(&pid, folder, command, ends[1], NULL, e);
    fd_close(&ends[1]);
    while (r == 0 && got > 0 && size < PROC_MOST - 1) {
        got = read(ends[0], text + size, PROC_MOST - 1 - size);
        size += got > 0 ? (size_t)got : 0;
    }
    fd_close(&ends[0]);
    if (r == 0)
        r = finish(pid, command, &unused, e);
    if (r < 0) {
        (void)error_wrap(e, "%s", text);
        free(text);
        return r;
    }
    *ret = text;
    return 0;
}

static char *read_proc(pid_t pid, const char *name)
{
    char path[64];
    char *text;
    size_t size;

    (void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
    return fd_read_file(AT_FDCWD, path, PROC_MOST, &text, &size) < 0 ? NULL
                                                                     : text;
}

double process_cpu(pid_t pid)
{
    unsigned long user = 0;
    unsigned long system = 0;
    long children_user = 0;
    long children_system = 0;

    char *text = read_proc(pid, "stat");
    if (!text)
        return -1;
    // the name, in parentheses, may hold anything
    const char *rest = strrchr(text, ')');
    int count = rest ? sscanf(rest,
                              ") %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
                              "%lu %lu %ld %ld",
                              &user, &system, &children_user, &children_system)
                     : 0;
    free(text);
    if (count != 4)
        return -1;
    return (double)(user + system + (unsigned long)children_user +
                    (unsigned long)children_system) /
           (double)sysconf(_SC_CLK_TCK);
}

double process_memory(pid_t pid, const char *key)
{
    double kib = -1;

    char *text = read_proc(pid, "status");
    const char *line = text ? strstr(text, key) : NULL;
    if (line)
        kib = strtod(line + strlen(key) + 1, NULL); // behind the colon
    free(text);
    return kib < 0 ? -1 : kib * 1024;
}

size_t process_children(pid_t pid, pid_t *ret, size_t room)
{
    char name[64];
    char *rest = NULL;
    size_t count = 0;

    (void)snprintf(name, sizeof(name), "task/%d/children", (int)pid);
    char *text = read_proc(pid, name);
    if (!text)
        return 0;
    for (char *word = strtok_r(text, " ", &rest); word && count < room;
         word = strtok_r(NULL, " ", &rest))
        ret[count++] = (pid_t)strtol(word, NULL, 10);
    free(text);
    return count;
}
