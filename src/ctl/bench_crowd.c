#include "bench_crowd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/memory.h"

#define LINE_MOST (64 << 10) // bytes of one event

/* A transcodectl, its standard output, and what it has said so far. */
struct process {
    pid_t pid;  // 0: not running
    int output; // owned; -1: it has closed it
    char *line; // owned; LINE_MOST bytes
    size_t used;
    struct bench_member *member; // not owned
};

struct crowd {
    struct process processes[BENCH_CROWD_MOST];
    size_t count;
    int signals; // owned; Ctrl-C
    bool is_interrupted;
};

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

static void take_event(struct bench_member *m, const json_t *event)
{
    const char *kind = text_of(event, "event");
    int64_t time = json_integer_value(json_object_get(event, "time"));

    if (strcmp(kind, "ready") == 0) {
        if (!m->ready) // a second attempt costs the job its time, too
            m->ready = time;
        (void)snprintf(m->device, sizeof(m->device), "%s",
                       text_of(event, "device"));
    } else if (strcmp(kind, "outcome") == 0) {
        m->ended = time;
        m->frames = json_integer_value(json_object_get(event, "frames"));
        m->is_done = strcmp(text_of(event, "outcome"), "done") == 0;
        (void)snprintf(m->text, sizeof(m->text), "%s: %s",
                       text_of(event, "outcome"), text_of(event, "text"));
    }
}

static void take_line(struct process *p, const char *line, size_t length)
{
    json_t *event = json_loadb(line, length, 0, NULL);

    take_event(p->member, event);
    json_decref(event);
}

/* What has come; false at its end. */
static bool take_output(struct process *p)
{
    ssize_t n = read(p->output, p->line + p->used, LINE_MOST - p->used);
    const char *end;

    if (n <= 0)
        return n < 0 && errno == EINTR;
    p->used += (size_t)n;
    while ((end = memchr(p->line, '\n', p->used))) {
        size_t length = (size_t)(end - p->line);
        take_line(p, p->line, length);
        p->used -= length + 1;
        memmove(p->line, end + 1, p->used);
    }
    return p->used < LINE_MOST;
}

/* A pipe that holds the document to its end. */
static int make_input(const json_t *job, struct error *e)
{
    char *text = json_dumps(job, JSON_COMPACT);
    int ends[2];

    int r = pipe2(ends, O_CLOEXEC) < 0 ? -errno : 0;
    if (r == 0) {
        r = fd_write_all(ends[1], text, strlen(text)); // a pipe holds 64 KiB
        fd_close(&ends[1]);
    }
    free(text);
    return r < 0 ? error_set_errno(e, r, "cannot hand over a job") : ends[0];
}

static int spawn(struct process *p, const char *socket, int input, int output)
{
    const char *const argv[] = {
        "transcodectl", "--json", "run", "-", socket ? "--socket" : NULL,
        socket,         NULL,
    };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;

    (void)sigemptyset(&none);
    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawnattr_init(&attributes);
    (void)posix_spawn_file_actions_adddup2(&actions, input, 0);
    (void)posix_spawn_file_actions_adddup2(&actions, output, 1);
    (void)posix_spawnattr_setsigmask(&attributes, &none);
    (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    int r = posix_spawn(&p->pid, "/proc/self/exe", &actions, &attributes,
                        (char **)argv, environ);
    (void)posix_spawnattr_destroy(&attributes);
    (void)posix_spawn_file_actions_destroy(&actions);
    return -r;
}

static int start(struct process *p, const char *socket, const json_t *job,
                 struct error *e)
{
    int ends[2];

    int input = make_input(job, e);
    if (input < 0)
        return input;
    int r = pipe2(ends, O_CLOEXEC) < 0 ? -errno : 0;
    if (r == 0) {
        p->output = ends[0];
        r = spawn(p, socket, input, ends[1]);
        fd_close(&ends[1]);
    }
    fd_close(&input);
    return r < 0 ? error_set_errno(e, r, "cannot run a job") : 0;
}

static void interrupt(struct crowd *c)
{
    struct signalfd_siginfo info;

    if (read(c->signals, &info, sizeof(info)) != sizeof(info))
        return;
    c->is_interrupted = true;
    for (size_t i = 0; i < c->count; i++) {
        if (c->processes[i].pid)
            (void)kill(c->processes[i].pid, SIGINT); // it cancels its job
    }
}

static void attend(struct crowd *c)
{
    struct pollfd polled[BENCH_CROWD_MOST + 1];
    size_t open = c->count;

    while (open > 0) {
        polled[c->count] = (struct pollfd){.fd = c->signals, .events = POLLIN};
        for (size_t i = 0; i < c->count; i++)
            polled[i] =
                (struct pollfd){.fd = c->processes[i].output, .events = POLLIN};
        if (poll(polled, c->count + 1, -1) < 0)
            continue;
        if (polled[c->count].revents)
            interrupt(c);
        for (size_t i = 0; i < c->count; i++) {
            if (!polled[i].revents || take_output(&c->processes[i]))
                continue;
            fd_close(&c->processes[i].output);
            open--;
        }
    }
}

static sigset_t ends(void)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGHUP);
    return set;
}

void bench_crowd_hold_signals(void)
{
    const sigset_t set = ends();

    (void)sigprocmask(SIG_BLOCK, &set, NULL);
}

bool bench_crowd_is_interrupted(void)
{
    sigset_t waiting;

    return sigpending(&waiting) == 0 &&
           (sigismember(&waiting, SIGINT) || sigismember(&waiting, SIGTERM) ||
            sigismember(&waiting, SIGHUP));
}

static void open_crowd(struct crowd *c, struct bench_member *members,
                       size_t count)
{
    const sigset_t set = ends();

    *c = (struct crowd){.count = count,
                        .signals = signalfd(-1, &set, SFD_CLOEXEC)};
    for (size_t i = 0; i < count; i++)
        c->processes[i] = (struct process){
            .output = -1, .line = xcalloc(1, LINE_MOST), .member = &members[i]};
}

static void close_crowd(struct crowd *c)
{
    for (size_t i = 0; i < c->count; i++) {
        struct process *p = &c->processes[i];
        fd_close(&p->output);
        if (p->pid)
            (void)waitpid(p->pid, NULL, 0);
        free(p->line);
    }
    fd_close(&c->signals);
}

enum status bench_crowd_run(const char *socket, json_t *const *jobs,
                            size_t count, struct bench_member *ret,
                            struct error *e)
{
    struct crowd c;
    int r = 0;

    memset(ret, 0, count * sizeof(*ret));
    open_crowd(&c, ret, count);
    for (size_t i = 0; r == 0 && i < count; i++)
        r = start(&c.processes[i], socket, jobs[i], e);
    if (r == 0)
        attend(&c);
    bool is_interrupted = c.is_interrupted;
    close_crowd(&c); // those that were started are heard no more, and end
    if (is_interrupted)
        return STATUS_INTERRUPTED;
    return r < 0 ? STATUS_REFUSED : STATUS_GOOD;
}
