#include "service.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/memory.h"
#include "opener.h"
#include "wire/client.h"
#include "wire/interface.h"

#define JOBS_MOST     16
#define CHILDREN_MOST 64
#define READY_TIMEOUT (20 * SECOND)
#define STILL_TIME    (100 * MILLISECOND) // that nothing moves
#define SETTLE_MOST   (10 * SECOND)

struct service {
    char *socket;        // owned
    char *configuration; // owned; the file
    char *folder;        // owned
    pid_t pid;
    service_ear *ear; // NULL: nobody listens
    void *user;       // of the ear
};

/* With one more setting, NULL: none. */
static int write_configuration(const struct service *s, const char *name,
                               const char *value, struct error *e)
{
    const char *path = s->configuration;
    const char *folder = s->folder;
    json_t *c =
        json_pack("{s:{s:[s], s:[s]}, s:{s:i, s:i, s:i}}", "roots", "read",
                  folder, "write", folder, "limits", "jobs_per_uid", 1000000,
                  "clients", 256, "clients_per_uid", 256);

    // what the stand-in for the driver keeps is for workers to write
    const char *machine = getenv("VGPU_MACHINE");
    if (machine)
        json_object_set_new(c, "sandbox_paths", json_pack("[s]", machine));
    if (name)
        json_object_set_new(c, name, json_string(value));
    int r = json_dump_file(c, path, 0);
    json_decref(c);
    return r < 0 ? error_set(e, -EIO, "cannot write '%s'", path) : 0;
}

/* The daemon answers when it has loaded its store. */
static int wait_ready(const struct service *s, struct error *e)
{
    int64_t begin = clock_now();
    int r;

    do {
        r = service_call(s, NULL, "Status", NULL, e);
        if (r == 0 || waitpid(s->pid, NULL, WNOHANG) != 0)
            break;
        (void)poll(NULL, 0, 1);
    } while (clock_now() - begin < READY_TIMEOUT);
    return r;
}

int service_start(struct service **ret, double *ret_ready, const char *build,
                  const char *folder, const char *preload, struct error *e)
{
    struct service *s = xcalloc(1, sizeof(*s));
    char *state = xasprintf("%s/state", folder);
    char *log = xasprintf("%s/daemon.log", folder);

    s->folder = xstrdup(folder);
    s->configuration = xasprintf("%s/configuration.json", folder);
    s->socket = xasprintf("%s/socket", folder);
    char *command = xasprintf("%s/transcoded --config %s --socket %s "
                              "--state-dir %s",
                              build, s->configuration, s->socket, state);
    (void)mkdir(state, 0700);
    int r = write_configuration(s, NULL, NULL, e);
    int64_t begin = clock_now();
    if (r == 0)
        r = process_start(&s->pid, folder, command, log, preload, e);
    if (r == 0)
        r = wait_ready(s, e);
    if (r == 0 && ret_ready)
        *ret_ready = (double)(clock_now() - begin) / SECOND;
    free(command);
    free(log);
    free(state);
    if (r < 0) {
        service_stop(s);
        return error_wrap(e, "cannot start the daemon");
    }
    *ret = s;
    return 0;
}

int service_set(const struct service *s, const char *name, const char *value,
                struct error *e)
{
    int r = write_configuration(s, name, value, e);

    if (r < 0)
        return r;
    service_settle(s);
    if (kill(s->pid, SIGHUP) < 0)
        return error_set_errno(e, -errno, "cannot have the daemon reload");
    service_settle(s);
    return 0;
}

void service_stop(struct service *s)
{
    if (!s)
        return;
    if (s->pid > 0) {
        (void)kill(s->pid, SIGTERM);
        (void)waitpid(s->pid, NULL, 0);
    }
    free(s->socket);
    free(s->configuration);
    free(s->folder);
    free(s);
}

pid_t service_pid(const struct service *s)
{
    return s->pid;
}

void service_listen(struct service *s, service_ear *ear, void *user)
{
    s->ear = ear;
    s->user = user;
}

static void tell(const struct service *s, const json_t *event)
{
    if (s->ear)
        s->ear(s->user, event);
}

const char *service_socket(const struct service *s)
{
    return s->socket;
}

/* An error reply as -EREMOTEIO with its words. */
static int check_reply(const struct message_reply *reply, struct error *e)
{
    if (!reply->error)
        return 0;
    char *text = json_dumps(reply->parameters, JSON_COMPACT);
    int r = error_set(e, -EREMOTEIO, "%s %s", reply->error, text);
    free(text);
    return r;
}

static int receive(struct client *c, long timeout, json_t **ret,
                   struct error *e)
{
    struct message_reply reply;

    int r = client_receive(c, timeout, &reply, e);
    if (r == 0)
        return error_set(e, -EPIPE, "the daemon hung up");
    if (r < 0)
        return r;
    r = check_reply(&reply, e);
    if (r == 0)
        *ret = json_incref(reply.parameters);
    message_reply_fini(&reply);
    return r;
}

int service_call(const struct service *s, json_t **ret, const char *method,
                 const json_t *parameters, struct error *e)
{
    char name[64];
    struct client *c = NULL;
    json_t *reply = NULL;

    (void)snprintf(name, sizeof(name), "%s.%s", INTERFACE_TRANSCODED, method);
    int r = client_connect(&c, s->socket, e);
    if (r == 0)
        r = client_call(c, name, parameters, false, NULL, 0, e);
    if (r == 0)
        r = receive(c, -1, &reply, e);
    client_close(c);
    if (r == 0 && ret)
        *ret = json_incref(reply);
    json_decref(reply);
    return r;
}

/* A job that is followed; without client it has ended. */
struct followed {
    struct client *client; // owned
    struct opener *opener; // owned; NULL of a detached one
};

static int submit(const struct service *s, struct followed *f, json_t *job,
                  enum service_way way, struct error *e)
{
    int channel = -1;
    json_t *parameters =
        json_pack("{s:O, s:b}", "job", job, "detach", way == SERVICE_DETACHED);

    int r = client_connect(&f->client, s->socket, e);
    if (r == 0 && way == SERVICE_ATTACHED)
        r = opener_start(&f->opener, &channel, job, e);
    if (r == 0)
        r = client_call(f->client, INTERFACE_SUBMIT, parameters, true, &channel,
                        channel >= 0, e);
    fd_close(&channel);
    json_decref(parameters);
    return r;
}

/* Reads what is there within @timeout. 0, or -errno when the job failed. */
static int follow(const struct service *s, struct followed *f, long timeout,
                  struct error *e)
{
    const char *outcome = NULL;
    const char *text = "";
    json_t *reply;

    int r = receive(f->client, timeout, &reply, e);
    if (r == -EAGAIN)
        return 0;
    if (r < 0)
        return r;
    tell(s, json_object_get(reply, "event"));
    (void)json_unpack(reply, "{s:{s:s, s?s}}", "event", "outcome", &outcome,
                      "text", &text);
    if (outcome) {
        if (strcmp(outcome, "done") != 0)
            r = error_set(e, -EREMOTEIO, "job ended as %s: %s", outcome, text);
        client_close(f->client);
        f->client = NULL;
    }
    json_decref(reply);
    return r;
}

/* The highest peak of the daemon's children so far. */
static void sample_memory(const struct service *s, struct sample *sum)
{
    pid_t children[CHILDREN_MOST];
    size_t count = process_children(s->pid, children, CHILDREN_MOST);

    for (size_t i = 0; i < count; i++) {
        double peak = process_memory(children[i], "VmHWM");
        if (peak > sum->rss)
            sum->rss = peak;
    }
}

static int follow_all(const struct service *s, struct sample *sum,
                      struct followed *followed, size_t count, struct error *e)
{
    const long slice = count == 1 ? 20 * MILLISECOND : 2 * MILLISECOND;
    bool busy = true;
    int r = 0;

    while (busy && r == 0) {
        busy = false;
        for (size_t i = 0; i < count && r == 0; i++) {
            if (!followed[i].client)
                continue;
            r = follow(s, &followed[i], slice, e);
            busy = busy || followed[i].client;
        }
        if (busy) {
            sample_memory(s, sum);
            tell(s, NULL);
        }
    }
    return r;
}

int service_run(const struct service *s, struct sample *ret,
                json_t *const *jobs, size_t count, enum service_way way,
                struct error *e)
{
    struct followed followed[JOBS_MOST] = {0};
    struct sample sum = {0};
    int r = 0;

    service_settle(s);
    double cpu = process_cpu(s->pid);
    int64_t begin = clock_now();
    for (size_t i = 0; i < count && r == 0; i++)
        r = submit(s, &followed[i], jobs[i], way, e);
    if (r == 0)
        r = follow_all(s, &sum, followed, count, e);
    sum.wall = (double)(clock_now() - begin) / SECOND;
    for (size_t i = 0; i < count; i++) {
        client_close(followed[i].client);
        opener_stop(followed[i].opener);
    }
    service_settle(s);
    sum.cpu = process_cpu(s->pid) - cpu;
    if (r == 0)
        *ret = sum;
    return r;
}

/* What changes when anything moves: ids and time of all children. */
static double movement(const struct service *s)
{
    pid_t children[CHILDREN_MOST];
    size_t count = process_children(s->pid, children, CHILDREN_MOST);
    double sum = process_cpu(s->pid) * 1e3;

    for (size_t i = 0; i < count; i++)
        sum += children[i] + process_cpu(children[i]) * 1e3;
    return sum;
}

void service_settle(const struct service *s)
{
    int64_t begin = clock_now();
    int64_t since = begin;
    double before = movement(s);

    while (clock_now() - since < STILL_TIME &&
           clock_now() - begin < SETTLE_MOST) {
        (void)poll(NULL, 0, 10);
        double now = movement(s);
        if (now < before || now > before)
            since = clock_now();
        before = now;
    }
}
