#include "files/files.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/memory.h"
#include "files/identity.h"
#include "files/input.h"
#include "files/output.h"
#include "model/job.h"
#include "wire/channel.h"

struct files {
    const struct job *job;                // not owned
    const struct files_roots *roots;      // not owned; NULL: anywhere
    const char *input;                    // not owned; its path
    char *mark;                           // owned, or NULL
    const struct output_sharing *sharing; // not owned, or NULL
    struct output **outputs;              // owned; job->output_count of them
};

/* A job that leaves paths to its profile names no file that we could open. */
static const char *or_empty(const char *path)
{
    return path ? path : "";
}

static void create_outputs(struct files *f)
{
    for (size_t i = 0; i < f->job->output_count; i++) {
        struct output_config config = {
            .path = or_empty(f->job->outputs[i].path),
            .roots = f->roots,
            .mark = f->mark,
            .sharing = f->sharing,
            .overwrite = f->job->overwrite,
            .growing = f->job->delivery == JOB_GROWING,
        };
        f->outputs[i] = output_create(&config);
    }
}

static void destroy_outputs(struct files *f)
{
    for (size_t i = 0; i < f->job->output_count; i++)
        output_destroy(f->outputs[i]);
}

struct files *files_create(const struct job *job,
                           const struct files_roots *roots)
{
    struct files *f = xcalloc(1, sizeof(*f));

    f->job = job;
    f->roots = roots;
    f->input = or_empty(job->input.path);
    f->outputs = xcalloc(job->output_count, sizeof(struct output *));
    create_outputs(f);
    return f;
}

void files_destroy(struct files *f)
{
    if (!f)
        return;
    destroy_outputs(f);
    free(f->outputs);
    free(f->mark);
    free(f);
}

void files_set_mark(struct files *f, const char *mark)
{
    destroy_outputs(f);
    free(f->mark);
    f->mark = xstrdup(mark);
    create_outputs(f);
}

void files_set_sharing(struct files *f, const struct output_sharing *sharing)
{
    destroy_outputs(f);
    f->sharing = sharing;
    create_outputs(f);
}

/* Which file the input is; NULL where that cannot be said. */
static const struct identity *find_input(const struct files *f,
                                         struct identity *room)
{
    return input_check(f->roots, f->input, room, NULL) == 0 ? room : NULL;
}

/* Two outputs that are one file, by whatever ways their paths go. */
static int check_collisions(const struct files *f, size_t index,
                            struct error *e)
{
    for (size_t i = 0; i < f->job->output_count; i++) {
        if (i != index && output_collides(f->outputs[i], f->outputs[index]))
            return error_set(e, -EINVAL, "'%s' is output %zu, too",
                             f->job->outputs[index].path, i);
    }
    return 0;
}

static int check_output(const struct files *f, size_t index,
                        const struct identity *input, struct error *e)
{
    char field[32];

    int r = output_check(f->outputs[index], input, e);
    if (r == 0)
        r = check_collisions(f, index, e);
    if (r < 0) {
        (void)snprintf(field, sizeof(field), "outputs[%zu].path", index);
        error_wrap_field(e, field);
    }
    return r;
}

static void reset_outputs(const struct files *f)
{
    for (size_t i = 0; i < f->job->output_count; i++)
        output_reset(f->outputs[i]);
}

int files_check(struct files *f, struct error *e)
{
    struct identity input;

    int r = input_check(f->roots, f->input, &input, e);
    if (r < 0)
        error_wrap_field(e, "input.path");
    for (size_t i = 0; r == 0 && i < f->job->output_count; i++)
        r = check_output(f, i, &input, e);
    reset_outputs(f);
    return r;
}

/* The worker has hung up. One that had nothing more to say has finished or
 * aborted its outputs; another has crashed. */
static void keep_outputs(const struct files *f)
{
    for (size_t i = 0; i < f->job->output_count; i++)
        output_keep(f->outputs[i]);
}

/* The descriptor that a request is answered with. */
struct answer {
    int fd;    // not owned; -1: none
    int owned; // the same where it is to be closed once sent, else -1
};

static struct output *find_output(const struct files *f,
                                  const struct channel_request *q,
                                  struct error *e)
{
    if (q->role == CHANNEL_OUTPUT && (size_t)q->number < f->job->output_count)
        return f->outputs[q->number];
    (void)error_set(e, -ENOENT, "this job has no %s %d",
                    channel_role_name(q->role), q->number);
    return NULL;
}

static int answer_attempt(struct files *f, const struct channel_request *q,
                          struct answer *ret, struct error *e)
{
    (void)q;
    (void)ret;
    (void)e;
    reset_outputs(f);
    return 0;
}

static int open_input(struct files *f, struct answer *ret, struct error *e)
{
    int fd = input_open(f->roots, f->input, e);

    if (fd < 0)
        return fd;
    ret->fd = fd;
    ret->owned = fd;
    return 0;
}

static int open_output(struct files *f, const struct channel_request *q,
                       struct answer *ret, struct error *e)
{
    struct identity room;
    struct output *o = find_output(f, q, e);
    if (!o)
        return -ENOENT;

    int r = output_check(o, find_input(f, &room), e);
    if (r == 0)
        r = check_collisions(f, (size_t)q->number, e);
    if (r < 0)
        return r;
    int fd = output_open(o, e);
    if (fd < 0)
        return fd;
    ret->fd = fd;
    return 0;
}

static int answer_open(struct files *f, const struct channel_request *q,
                       struct answer *ret, struct error *e)
{
    if (q->role == CHANNEL_INPUT && q->number == 0)
        return open_input(f, ret, e);
    return open_output(f, q, ret, e);
}

static int answer_done(struct files *f, const struct channel_request *q,
                       struct answer *ret, struct error *e)
{
    struct output *o = find_output(f, q, e);

    (void)ret;
    return o ? output_finish(o, e) : -ENOENT;
}

static int answer_abort(struct files *f, const struct channel_request *q,
                        struct answer *ret, struct error *e)
{
    struct output *o = find_output(f, q, e);

    (void)ret;
    if (!o)
        return -ENOENT;
    if (output_is_finished(o))
        return error_set(e, -EINVAL, "output %d is done", q->number);
    output_abort(o);
    return 0;
}

typedef int answerer(struct files *f, const struct channel_request *q,
                     struct answer *ret, struct error *e);

static answerer *const answerers[CHANNEL_VERB_COUNT] = {
    [CHANNEL_ATTEMPT] = answer_attempt,
    [CHANNEL_OPEN] = answer_open,
    [CHANNEL_DONE] = answer_done,
    [CHANNEL_ABORT] = answer_abort,
};

/* 1, 0 when the worker is gone, or -errno. */
static int send_reply(int channel, const struct channel_reply *reply, int fd,
                      struct error *e)
{
    char packet[CHANNEL_MOST];
    size_t size = channel_format_reply(reply, packet);

    ssize_t n = fd_send(channel, packet, size, &fd, fd >= 0 ? 1 : 0);
    if (n == -EPIPE || n == -ECONNRESET)
        return 0;
    if (n == -EAGAIN)
        return error_set(e, -EPROTO, "the worker does not read its replies");
    if (n < 0)
        return error_set_errno(e, (int)n, "cannot answer the worker");
    return 1;
}

static int answer(struct files *f, int channel, const struct channel_request *q,
                  struct error *e)
{
    struct channel_reply reply = {.request = *q};
    struct answer a = {.fd = -1, .owned = -1};
    struct error why = {0};

    reply.code = answerers[q->verb](f, q, &a, &why);
    if (reply.code < 0)
        (void)snprintf(reply.text, sizeof(reply.text), "%s", why.text);
    int r = send_reply(channel, &reply, a.fd, e);
    fd_close(&a.owned);
    return r;
}

int files_serve(struct files *f, int channel, struct error *e)
{
    char packet[CHANNEL_MOST];
    struct channel_request q;
    size_t fds;

    // a worker that reads nothing must not hold up whoever serves it
    int r = fd_set_nonblocking(channel);
    if (r < 0)
        return error_set_errno(e, r, "cannot use the file channel");
    ssize_t n = fd_receive(channel, packet, sizeof(packet), NULL, 0, &fds);
    if (n == -EAGAIN)
        return 1;
    if (n == 0 || n == -ECONNRESET) {
        keep_outputs(f);
        return 0;
    }
    if (n == -EMSGSIZE)
        return error_set(e, -EPROTO, "the worker sent too much in one packet");
    if (n < 0)
        return error_set_errno(e, (int)n, "cannot read the file channel");

    r = channel_parse_request(&q, packet, (size_t)n, e);
    return r < 0 ? r : answer(f, channel, &q, e);
}

int files_run(struct files *f, int channel, struct error *e)
{
    struct pollfd p = {.fd = channel, .events = POLLIN};
    int r;

    do {
        r = poll(&p, 1, -1) < 0 && errno != EINTR
                ? error_set_errno(e, -errno, "cannot wait for the worker")
                : files_serve(f, channel, e);
    } while (r > 0);
    return r;
}
