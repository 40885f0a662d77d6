#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/memory.h"
#include "cgroup.h"
#include "model/order.h"
#include "stream.h"
#include "tail.h"

#define LOG_CHUNK    (16 << 10)
#define LAST_WORDS   (1 << 20)   // bytes read from the dead
#define CONTROL_MOST (256 << 10) // bytes of one event
#define UNREAD_MOST  (1 << 20)   // of orders

// linux/ioprio.h, which is no header for programs in every distribution
#define IOPRIO_OF_PROCESS 1
#define IOPRIO_IDLE       (3 << 13)
#define NICE_BATCH        10

enum rung { RUNG_NONE, RUNG_ASKED, RUNG_TERM, RUNG_KILL };

struct child {
    uv_process_t process;
    uv_pipe_t log;
    int handles; // that are not closed yet
    bool exited; // and its pid is nobody's, or somebody else's
    bool destroyed;
    bool given_up; // and not waited for
    enum rung rung;
    struct stream *control;      // owned; NULL: none, or it hung up
    struct tail *tail;           // owned
    struct cgroup_leaf group;    // its own, if there are any
    const struct child_ops *ops; // NULL: nobody listens
    void *user;
    struct log name;
    char chunk[LOG_CHUNK]; // of its standard error
};

static void on_handle_closed(uv_handle_t *handle)
{
    struct child *c = handle->data;

    if (--c->handles)
        return;
    tail_destroy(c->tail);
    free(c);
}

static void on_line(void *user, const char *line)
{
    struct child *c = user;

    log_debug(&c->name, "%s", line);
}

static void on_alloc(uv_handle_t *handle, size_t wanted, uv_buf_t *ret)
{
    struct child *c = handle->data;

    (void)wanted;
    *ret = uv_buf_init(c->chunk, sizeof(c->chunk));
}

static void on_log(uv_stream_t *pipe, ssize_t n, const uv_buf_t *buffer)
{
    struct child *c = pipe->data;

    if (n > 0)
        tail_write(c->tail, buffer->base, (size_t)n, on_line, c);
    else if (n < 0)
        (void)uv_read_stop(pipe);
}

static void on_document(void *user, const char *text, size_t size, int *fds,
                        size_t fd_count)
{
    struct child *c = user;

    while (fd_count) // it has none to give; the stream allows none either
        fd_close(&fds[--fd_count]);
    if (c->ops)
        c->ops->said(c->user, text, size);
}

static void on_control_ended(void *user, const struct error *e)
{
    struct child *c = user;

    stream_destroy(c->control);
    c->control = NULL;
    if (c->ops && !c->exited)
        c->ops->hung_up(c->user, e);
}

static const struct stream_ops control_ops = {
    .document = on_document,
    .ended = on_control_ended,
};

/* What it wrote to standard error before it died. */
static void drain_log(struct child *c)
{
    uv_os_fd_t fd;

    if (uv_fileno((uv_handle_t *)&c->log, &fd) < 0)
        return;
    (void)uv_read_stop((uv_stream_t *)&c->log);
    for (size_t total = 0; total < LAST_WORDS;) {
        ssize_t n = read(fd, c->chunk, sizeof(c->chunk));
        if (n <= 0)
            break;
        tail_write(c->tail, c->chunk, (size_t)n, on_line, c);
        total += (size_t)n;
    }
}

static void on_exit_of(uv_process_t *process, int64_t status, int signal)
{
    struct child *c = process->data;

    c->exited = true;
    cgroup_release(&c->group);
    if (c->destroyed) { // it was only waited for
        uv_close((uv_handle_t *)&c->process, on_handle_closed);
        return;
    }
    drain_log(c);
    if (c->control && c->ops)
        stream_drain(c->control, LAST_WORDS);
    // a callback of the drain may have destroyed it
    if (!c->destroyed && c->ops)
        c->ops->exited(c->user, (struct task_exit){(int)status, signal});
}

/* What our own service manager told us is not for children. */
static const char *const not_inherited[] = {
    "NOTIFY_SOCKET=", "LISTEN_FDS=",    "LISTEN_PID=",     "LISTEN_FDNAMES=",
    "WATCHDOG_PID=",  "WATCHDOG_USEC=", "JOURNAL_STREAM=",
};

static bool is_inherited(const char *variable)
{
    for (size_t i = 0; i < sizeof(not_inherited) / sizeof(char *); i++) {
        if (strncmp(variable, not_inherited[i], strlen(not_inherited[i])) == 0)
            return false;
    }
    return true;
}

/* The caller frees the array, not the strings. */
static char **make_environment(void)
{
    size_t count = 0;
    size_t kept = 0;

    while (environ[count])
        count++;
    char **made = xcalloc(count + 1, sizeof(*made));
    for (size_t i = 0; i < count; i++) {
        if (is_inherited(environ[i]))
            made[kept++] = environ[i];
    }
    return made;
}

/* The program's name and what is behind it; likewise. */
static const char **make_words(const struct child_config *config)
{
    size_t count = 0;

    while (config->arguments && config->arguments[count])
        count++;
    const char **words = xcalloc(count + 2, sizeof(*words));
    words[0] = config->program;
    for (size_t i = 0; i < count; i++)
        words[i + 1] = config->arguments[i];
    return words;
}

/* Two ends that are close-on-exec; the child's end blocks. */
static int make_log_pipe(int ret[2])
{
    return pipe2(ret, O_CLOEXEC) < 0 ? -errno : 0;
}

static int start(struct child *c, uv_loop_t *loop,
                 const struct child_config *config, int log_end, int third)
{
    const char **argv = make_words(config);
    uv_stdio_container_t stdio[4];
    uv_process_options_t options = {
        .exit_cb = on_exit_of,
        .file = config->program,
        .args = (char **)argv,
        .env = make_environment(),
        // a terminal's Ctrl-C is for us alone
        .flags = UV_PROCESS_DETACHED,
        .stdio = stdio,
        .stdio_count = 4,
    };

    stdio[0].flags = config->input < 0 ? UV_IGNORE : UV_INHERIT_FD;
    stdio[0].data.fd = config->input;
    stdio[1].flags = stdio[2].flags = stdio[3].flags = UV_INHERIT_FD;
    stdio[1].data.fd = config->output == CHILD_CONTROL ? third
                       : config->output == CHILD_LOG   ? log_end
                                                       : config->output;
    stdio[2].data.fd = log_end;
    stdio[3].data.fd = third;

    int r = uv_spawn(loop, &c->process, &options);
    c->process.data = c; // also where it failed: the handle is to be closed
    free(options.env);
    free(argv);
    return r;
}

int child_spawn(struct child **ret, uv_loop_t *loop,
                const struct child_config *config, const struct log *parent,
                struct error *e)
{
    static const struct stream_limits limits = {
        .document = CONTROL_MOST, .fds = 0, .unread = UNREAD_MOST};
    struct child *c = xcalloc(1, sizeof(*c));
    int log[2] = {-1, -1};
    int control[2] = {-1, -1};
    int r;

    c->tail = tail_create(config->log_lines);
    c->log.data = c;
    c->handles = 2;
    c->exited = true; // until it runs
    (void)uv_pipe_init(loop, &c->log, 0);

    r = make_log_pipe(log);
    if (r == 0 && config->channel < 0)
        r = fd_socketpair(SOCK_STREAM, control);
    int spawned = start(c, loop, config, log[1],
                        config->channel < 0 ? control[1] : config->channel);
    if (r == 0)
        r = spawned;
    fd_close(&log[1]);
    fd_close(&control[1]);
    if (r < 0) {
        error_set_errno(e, r, "cannot start '%s'", config->program);
        goto fail;
    }
    c->exited = false;
    cgroup_adopt(config->group, uv_process_get_pid(&c->process), &c->group);
    log_init(&c->name, parent, "pid %d", uv_process_get_pid(&c->process));

    if (uv_pipe_open(&c->log, log[0]) == 0 &&
        uv_read_start((uv_stream_t *)&c->log, on_alloc, on_log) == 0)
        log[0] = -1;
    if (config->channel < 0) {
        r = stream_create(&c->control, loop, fd_take(&control[0]), &limits,
                          &control_ops, c, e);
        if (r < 0)
            goto fail;
    }
    *ret = c;
    return 0;

fail:
    fd_close(&log[0]);
    fd_close(&control[0]);
    child_destroy(c);
    return r;
}

void child_attach(struct child *c, const struct child_ops *ops, void *user)
{
    c->ops = ops;
    c->user = user;
}

void child_name(struct child *c, const struct log *parent)
{
    c->name.parent = parent;
}

void child_destroy(struct child *c)
{
    if (!c || c->destroyed)
        return;
    child_kill(c);
    c->destroyed = true;
    c->ops = NULL;
    stream_destroy(c->control);
    c->control = NULL;
    uv_close((uv_handle_t *)&c->log, on_handle_closed);
    // an open handle is what makes libuv wait for the process
    if (c->exited || c->given_up)
        uv_close((uv_handle_t *)&c->process, on_handle_closed);
}

int child_send(struct child *c, const struct json_t *document, const int *fds,
               size_t fd_count)
{
    if (!c->control)
        return -EPIPE;
    char *text = json_dumps(document, JSON_COMPACT);
    if (!text)
        return -EINVAL;
    return stream_send(c->control, text, strlen(text) + 1, fds, fd_count);
}

static void ask(struct child *c)
{
    json_t *order = order_to_json(&(struct order){.kind = ORDER_STOP});

    (void)child_send(c, order, NULL, 0); // if it cannot hear, the next rung
    json_decref(order);
}

void child_press(struct child *c)
{
    if (c->exited || c->rung == RUNG_KILL)
        return;
    switch (++c->rung) {
    case RUNG_NONE:
        break;
    case RUNG_ASKED:
        ask(c);
        break;
    case RUNG_TERM:
        (void)uv_process_kill(&c->process, SIGTERM);
        break;
    case RUNG_KILL:
        child_kill(c);
        break;
    }
}

void child_kill(struct child *c)
{
    if (c->exited)
        return;
    c->rung = RUNG_KILL;
    (void)uv_process_kill(&c->process, SIGKILL);
    cgroup_kill(&c->group);
}

bool child_is_killed(const struct child *c)
{
    return c->rung == RUNG_KILL;
}

void child_give_up(struct child *c)
{
    log_error(&c->name, "it hangs in the kernel, and does not die");
    c->given_up = true;
}

void child_lower_priority(struct child *c)
{
    if (c->exited)
        return;
    int pid = uv_process_get_pid(&c->process);
    // without the right to it the job still runs, only less politely
    (void)setpriority(PRIO_PROCESS, (id_t)pid, NICE_BATCH);
    (void)syscall(SYS_ioprio_set, IOPRIO_OF_PROCESS, pid, IOPRIO_IDLE);
    cgroup_stand_back(&c->group);
}

int child_pid(const struct child *c)
{
    return uv_process_get_pid(&c->process);
}

struct json_t *child_log_to_json(const struct child *c)
{
    return tail_to_json(c->tail);
}
