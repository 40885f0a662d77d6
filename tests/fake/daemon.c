/*
 * A stand-in for transcoded: answers its clients as a script says.
 *
 *   daemon SOCKET SCRIPT
 *
 * It prints "ready" when it listens, and ends with status 0 when everything
 * went as written; else with 1, and what went otherwise on standard error. One
 * command a line, JSON in one line:
 *
 *   call METHOD [PARAMETERS]   the next call is METHOD, with these among its
 *                              parameters; the first one takes a connection
 *   connect                    take another connection for what follows
 *   back                       go on with the connection before that
 *   continue PARAMETERS        a reply that is not the last
 *   reply PARAMETERS           the last reply
 *   error NAME PARAMETERS      an error reply
 *   channel REQUEST            as the worker: ask over the file channel that
 *                              came with the last call, and be granted it
 *   refused REQUEST            the same, but be refused
 *   write TEXT                 into the file that was granted last
 *   gone                       wait until the client hangs up
 *   signal NUMBER              send it to the client of this connection
 *   hangup                     end this connection
 */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <jansson.h>

#include "base/error.h"
#include "base/fd.h"
#include "wire/channel.h"
#include "wire/frame.h"
#include "wire/interface.h"
#include "wire/message.h"

#define LINE_MOST 65536
#define PATIENCE  60 // s; a client that never comes is a failure, no wait

struct connection {
    int fd; // -1: none
    struct frame_reader *reader;
};

struct fake {
    int listener;
    struct connection connections[2];
    size_t current;
    int channel; // the worker's end that came with the last call, or -1
    int file;    // granted last, or -1
};

static void fail(const char *what, const char *detail)
{
    (void)fprintf(stderr, "fake daemon: %s: %s\n", what, detail);
    exit(1);
}

static struct connection *current(struct fake *f)
{
    return &f->connections[f->current];
}

static void take_connection(struct fake *f)
{
    struct connection *c = current(f);

    c->fd = accept4(f->listener, NULL, NULL, SOCK_CLOEXEC);
    if (c->fd < 0)
        fail("accept", strerror(errno));
    c->reader = frame_reader_create(1 << 20, 4);
}

/* 0 when the client has hung up. */
static int receive_more(struct fake *f)
{
    char chunk[4096];
    int fds[4];
    size_t count;
    ssize_t n =
        fd_receive(current(f)->fd, chunk, sizeof(chunk), fds, 4, &count);

    if (n == -ECONNRESET)
        n = 0;
    if (n < 0)
        fail("receive", strerror((int)-n));
    if (n > 0 && frame_push(current(f)->reader, chunk, (size_t)n, fds, count))
        fail("receive", "a message over its limits");
    return n > 0;
}

/* Is every member of @wanted in @actual, too? */
static int contains(const json_t *actual, const json_t *wanted)
{
    const char *key;
    json_t *value;

    if (!json_is_object(wanted))
        return json_equal(actual, wanted);
    json_object_foreach ((json_t *)(size_t)wanted, key, value) {
        if (!contains(json_object_get(actual, key), value))
            return 0;
    }
    return 1;
}

static json_t *parse(const char *text)
{
    json_error_t why;
    json_t *json = json_loads(text[0] ? text : "{}", 0, &why);

    if (!json)
        fail(why.text, text);
    return json;
}

static void check_call(const char *text, size_t size, const char *method,
                       const char *parameters)
{
    struct message_call call;
    struct error e = {0};
    json_t *wanted = parse(parameters);

    if (message_parse_call(&call, text, size, &e) < 0)
        fail(e.text, text);
    if (strcmp(call.method, method) != 0 || !contains(call.parameters, wanted))
        fail("another call than in the script", text);
    message_call_fini(&call);
    json_decref(wanted);
}

static void on_call(struct fake *f, char *rest)
{
    char *parameters = rest + strcspn(rest, " ");
    const char *text;
    size_t size;
    size_t count;
    int fds[4];

    if (*parameters)
        *parameters++ = '\0';
    if (current(f)->fd < 0)
        take_connection(f);
    while (frame_next(current(f)->reader, &text, &size, fds, &count) == 0) {
        if (!receive_more(f))
            fail("hung up before the call", rest);
    }
    check_call(text, size, rest, parameters);
    fd_close(&f->channel);
    if (count == 1)
        f->channel = fds[0];
}

static void send_text(struct fake *f, char *text, size_t size)
{
    int r = fd_write_all(current(f)->fd, text, size);

    free(text);
    if (r < 0)
        fail("send", strerror(-r));
}

static void send_reply(struct fake *f, const char *parameters, bool continues)
{
    json_t *json = parse(parameters);
    size_t size;
    char *text = message_format_reply(json, continues, &size);

    json_decref(json);
    send_text(f, text, size);
}

static void on_continue(struct fake *f, char *rest)
{
    send_reply(f, rest, true);
}

static void on_reply(struct fake *f, char *rest)
{
    send_reply(f, rest, false);
}

static void on_error(struct fake *f, char *rest)
{
    char *parameters = rest + strcspn(rest, " ");
    size_t size;

    if (*parameters)
        *parameters++ = '\0';
    json_t *json = parse(parameters);
    char *text = message_format_error(rest, json, &size);
    json_decref(json);
    send_text(f, text, size);
}

static void on_connect(struct fake *f, char *rest)
{
    (void)rest;
    f->current = 1;
    take_connection(f);
}

static void on_back(struct fake *f, char *rest)
{
    (void)rest;
    f->current = 0;
}

static void on_hangup(struct fake *f, char *rest)
{
    (void)rest;
    fd_close(&current(f)->fd);
    frame_reader_destroy(current(f)->reader);
    current(f)->reader = NULL;
}

static void on_gone(struct fake *f, char *rest)
{
    while (receive_more(f))
        ;
    on_hangup(f, rest);
}

static void on_signal(struct fake *f, char *rest)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);

    if (getsockopt(current(f)->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
        fail("SO_PEERCRED", strerror(errno));
    (void)kill(peer.pid, atoi(rest));
}

/* Asks over the file channel; the code of the reply. */
static int ask(struct fake *f, const char *request)
{
    struct channel_reply reply;
    struct error e = {0};
    char packet[CHANNEL_MOST];
    size_t count;

    if (fd_send(f->channel, request, strlen(request), NULL, 0) < 0)
        fail("no file channel", request);
    fd_close(&f->file);
    ssize_t n =
        fd_receive(f->channel, packet, sizeof(packet), &f->file, 1, &count);
    if (n <= 0)
        fail("the file channel is closed", request);
    if (count == 0)
        f->file = -1;
    if (channel_parse_reply(&reply, packet, (size_t)n, &e) < 0)
        fail(e.text, request);
    return reply.code;
}

static void on_channel(struct fake *f, char *rest)
{
    if (ask(f, rest) != 0)
        fail("refused over the file channel", rest);
}

static void on_refused(struct fake *f, char *rest)
{
    if (ask(f, rest) == 0)
        fail("granted over the file channel", rest);
}

static void on_write(struct fake *f, char *rest)
{
    int r = fd_write_all(f->file, rest, strlen(rest));

    if (r < 0)
        fail("write", strerror(-r));
}

static const struct {
    const char *name;
    void (*run)(struct fake *f, char *rest);
} commands[] = {
    {"call", on_call},         {"connect", on_connect}, {"back", on_back},
    {"continue", on_continue}, {"reply", on_reply},     {"error", on_error},
    {"channel", on_channel},   {"refused", on_refused}, {"write", on_write},
    {"gone", on_gone},         {"signal", on_signal},   {"hangup", on_hangup},
};

static void run_line(struct fake *f, char *line)
{
    char *rest = line + strcspn(line, " ");

    if (*rest)
        *rest++ = '\0';
    for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
        if (strcmp(commands[i].name, line) == 0) {
            commands[i].run(f, rest);
            return;
        }
    }
    fail("not a command", line);
}

static int listen_at(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (fd < 0 ||
        bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(fd, 8) < 0)
        fail(path, strerror(errno));
    return fd;
}

int main(int argc, char **argv)
{
    static char line[LINE_MOST];
    struct fake f = {
        .connections = {{.fd = -1}, {.fd = -1}}, .channel = -1, .file = -1};

    if (argc != 3)
        fail("usage", "daemon SOCKET SCRIPT");
    (void)alarm(PATIENCE);
    FILE *script = fopen(argv[2], "re");
    if (!script)
        fail(argv[2], strerror(errno));
    f.listener = listen_at(argv[1]);
    (void)puts("ready");
    (void)fflush(stdout);

    while (fgets(line, sizeof(line), script)) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0])
            run_line(&f, line);
    }
    (void)fclose(script);
    for (f.current = 0; f.current < 2; f.current++)
        on_hangup(&f, line);
    fd_close(&f.channel);
    fd_close(&f.file);
    fd_close(&f.listener);
    return 0;
}
