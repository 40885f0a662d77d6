/*
 * transcoded-files: opens the files of one detached job for its worker, below
 * the configured roots. Started by transcoded; reads one document from standard
 * input (assignment.h), then serves the file channel until it hangs up. With
 * --diagnose it tells whether it could open anything at all (folders.h).
 *
 * Exit status: 0 the worker is gone, 1 with words on standard error.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "assignment.h"
#include "base/error.h"
#include "base/log.h"
#include "files/files.h"
#include "files/output.h"
#include "folders.h"

#define CHANNEL_FD 3

static const struct {
    int resource;
    rlim_t most;
} limits[] = {
    {RLIMIT_CORE, 0},
    {RLIMIT_NOFILE, 64}, // an output each, its folder, and a few in passing
    {RLIMIT_MEMLOCK, 0},
};

/* Hang up as if the worker had: what it began is aborted on the way out. */
static void on_terminate(int signal)
{
    (void)signal;
    (void)shutdown(CHANNEL_FD, SHUT_RDWR);
}

/* Be what a program is that serves strangers: alone with its descriptors, and
 * gone when its parent is. */
static int confine(struct error *e)
{
    struct sigaction terminate = {.sa_handler = on_terminate};
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 ||
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return error_set_errno(e, -errno, "cannot confine itself");
    if (close_range(CHANNEL_FD + 1, ~0U, 0) < 0)
        return error_set_errno(e, -errno, "cannot close what is not its own");
    if (fcntl(CHANNEL_FD, F_SETFD, FD_CLOEXEC) < 0)
        return error_set(e, -errno, "there is no file channel on descriptor %d",
                         CHANNEL_FD);
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        struct rlimit limit = {limits[i].most, limits[i].most};
        if (setrlimit((__rlimit_resource_t)limits[i].resource, &limit) < 0)
            return error_set_errno(e, -errno, "cannot limit itself");
    }
    // Ctrl-C on a terminal reaches the whole group, but is the parent's matter
    if (sigaction(SIGTERM, &terminate, NULL) < 0 ||
        sigaction(SIGINT, &ignore, NULL) < 0)
        return error_set_errno(e, -errno, "cannot wait for signals");
    return 0;
}

static int serve(const struct assignment *a, struct error *e)
{
    struct files *f = files_create(&a->job, a->any ? NULL : &a->roots);
    const struct output_sharing sharing = {
        .group = a->group < 0 ? OUTPUT_FOLDER_GROUP : (gid_t)a->group,
        .mode = (mode_t)a->mode,
    };

    files_set_mark(f, a->mark);
    if (a->mode >= 0)
        files_set_sharing(f, &sharing);
    int r = files_run(f, CHANNEL_FD, e);
    files_destroy(f);
    return r;
}

static int open_files(struct error *e)
{
    struct assignment a;

    int r = assignment_read(&a, STDIN_FILENO, e);
    if (r < 0)
        return r;
    r = serve(&a, e);
    assignment_fini(&a);
    return r;
}

static int diagnose(struct error *e)
{
    return folders_run(STDIN_FILENO, CHANNEL_FD, e);
}

int main(int argc, char **argv)
{
    int (*act)(struct error * e) = open_files;
    struct error e = {0};

    if (argc == 2 && strcmp(argv[1], "--diagnose") == 0) {
        act = diagnose;
    } else if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        (void)puts("transcoded-files " TRANSCODED_VERSION);
        return 0;
    } else if (argc > 1) {
        (void)fputs("transcoded-files is started by transcoded, for one job\n",
                    stderr);
        return 1;
    }
    int r = confine(&e);
    if (r == 0)
        r = act(&e);
    if (r < 0) {
        error_tell_field(&e);
        log_error(NULL, "transcoded-files: %s", e.text);
    }
    return r < 0 ? 1 : 0;
}
