#include "support/scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"

#define OUTPUT_MOST (1 << 20)

static struct {
    char build[PATH_MAX]; // where the programs are
    char folder[PATH_MAX];
} place;

void scene_write(const char *name, const char *text)
{
    FILE *f = fopen(name, "we");

    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

char *scene_read(const char *name)
{
    char *text = NULL;
    size_t size;

    assert_int_equal(fd_read_file(AT_FDCWD, name, OUTPUT_MOST, &text, &size),
                     0);
    return text;
}

int scene_wait(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

pid_t scene_start_daemon(const char *script)
{
    char program[PATH_MAX + 32];
    int ready[2];
    char word[8];

    if (!script)
        return -1;
    scene_write("script", script);
    (void)unlink("socket"); // of the daemon before
    (void)snprintf(program, sizeof(program), "%s/tests/fake/daemon",
                   place.build);
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        (void)dup2(ready[1], STDOUT_FILENO);
        (void)execl(program, "daemon", "socket", "script", NULL);
        _exit(127);
    }
    fd_close(&ready[1]);
    assert_int_equal(read(ready[0], word, sizeof(word)), strlen("ready\n"));
    fd_close(&ready[0]);
    return pid;
}

void scene_exec(const char *const *arguments)
{
    const char *argv[SCENE_ARGUMENTS + 4] = {"transcodectl", "--socket",
                                             "socket"};
    char program[PATH_MAX + 32];

    for (size_t i = 0; arguments[i]; i++)
        argv[3 + i] = arguments[i];
    (void)snprintf(program, sizeof(program), "%s/transcodectl", place.build);
    (void)execv(program, (char *const *)(size_t)argv);
    _exit(127);
}

void scene_redirect(int fd, const char *name, int flags)
{
    int file = open(name, flags | O_CLOEXEC, 0600);

    if (file < 0 || dup2(file, fd) < 0)
        _exit(126);
}

struct scene_result scene_run(const char *script, const char *const *arguments)
{
    pid_t daemon = scene_start_daemon(script);
    pid_t ctl = fork();

    if (ctl == 0) {
        scene_redirect(STDIN_FILENO, "stdin", O_RDONLY);
        scene_redirect(STDOUT_FILENO, "stdout", O_WRONLY | O_CREAT | O_TRUNC);
        scene_redirect(STDERR_FILENO, "stderr", O_WRONLY | O_CREAT | O_TRUNC);
        scene_exec(arguments);
    }
    struct scene_result r = {.status = scene_wait(ctl)};
    r.out = scene_read("stdout");
    r.err = scene_read("stderr");
    int followed = daemon > 0 ? scene_wait(daemon) : 0;
    if (followed != 0)
        print_message("%s%s", r.out, r.err);
    assert_int_equal(followed, 0);
    return r;
}

void scene_result_fini(struct scene_result *r)
{
    free(r->out);
    free(r->err);
}

void scene_check(const struct scene_exchange *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t a = 0; cases[i].arguments[a]; a++)
            print_message("%s ", cases[i].arguments[a]);
        print_message("\n");
        struct scene_result r = scene_run(cases[i].script, cases[i].arguments);
        assert_string_equal(r.err, cases[i].err);
        assert_string_equal(r.out, cases[i].out);
        assert_int_equal(r.status, cases[i].status);
        scene_result_fini(&r);
    }
}

int scene_open(void **state)
{
    const char *tmp = getenv("TMPDIR");
    ssize_t n = readlink("/proc/self/exe", place.build, PATH_MAX - 1);

    (void)state;
    if (n < 0)
        return -1;
    for (int up = 0; up < 3; up++) // build/tests/ctl/test_program
        *strrchr(place.build, '/') = '\0';
    (void)snprintf(place.folder, sizeof(place.folder), "%s/transcodectl-XXXXXX",
                   tmp ? tmp : "/tmp");
    if (!mkdtemp(place.folder) || chdir(place.folder) < 0)
        return -1;
    (void)setenv("TZ", "UTC", 1);
    (void)setenv("LC_ALL", "C.UTF-8", 1);
    scene_write("stdin", "");
    return 0;
}

int scene_close(void **state)
{
    char *command = xasprintf("rm -rf '%s'", place.folder);
    int r = system(command);

    (void)state;
    free(command);
    return r;
}

const char *scene_folder(void)
{
    return place.folder;
}
