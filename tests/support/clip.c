#include "support/clip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS_MOST 96

/* Take @text apart into @ret, NULL behind the last; returns how many. All of it
 * is the child's, which never comes back. */
static size_t split(const char *folder, const char *text, char **ret,
                    size_t room)
{
    char *copy = strdup(text);
    char *rest = copy;
    size_t count = 0;

    for (char *word; (word = strsep(&rest, " ")) && count + 1 < room;) {
        if (!*word)
            continue;
        if (*word == '@' && asprintf(&word, "%s%s", folder, word + 1) < 0)
            _exit(127);
        ret[count++] = word;
    }
    ret[count] = NULL;
    return count;
}

static void become(const char *program, const char *folder,
                   const char *arguments, const char *name)
{
    char *argv[ARGUMENTS_MOST] = {(char *)program, "-v", "error"};
    size_t count = 3;

    count += split(folder, arguments, argv + count, ARGUMENTS_MOST - count - 2);
    if (asprintf(&argv[count], "%s/%s", folder, name) < 0)
        _exit(127);
    argv[count + 1] = NULL;
    execvp(program, argv);
    _exit(127);
}

static void wait_for(pid_t child)
{
    int status = 0;

    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

void clip_make(const char *folder, const char *arguments, const char *name)
{
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        if (!freopen("/dev/null", "r", stdin))
            _exit(127);
        become("ffmpeg", folder, arguments, name);
    }
    wait_for(child);
}

const char *clip_probe(const char *folder, const char *arguments,
                       const char *name)
{
    static char output[16384];
    int ends[2];
    size_t used = 0;
    ssize_t n;

    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(ends[1], STDOUT_FILENO);
        become("ffprobe", folder, arguments, name);
    }
    close(ends[1]);
    while ((n = read(ends[0], output + used, sizeof(output) - 1 - used)) > 0)
        used += (size_t)n;
    close(ends[0]);
    while (used && output[used - 1] == '\n')
        used--;
    output[used] = '\0';
    wait_for(child);
    return output;
}
