#include "server.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "discard.h"
#include "model/limits.h"
#include "stream.h"
#include "wire/interface.h"
#include "wire/message.h"

#define WAITING_MOST 256 // clients that wait to be accepted
#define ACCEPT_BURST 64  // accepted in one turn of the loop
#define BREATH_MS    100 // without descriptors, until we try again

struct server {
    uv_poll_t poll;
    uv_timer_t breath; // after accept() ran out of descriptors
    int handles;       // that are not closed yet
    int fd;
    char *path; // owned; to be unlinked in the end, NULL: systemd's
    struct server_config config;
    char address[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];
    const struct access_rules *rules; // not owned
    struct discard *discard;          // owned; for all connections
    struct list connections;          // of connection, owned
    size_t count;
    const struct connection_ops *ops;
    void *user;
    struct connection_ops own_ops; // ops with our own `closed` in between
};

static void on_readable(uv_poll_t *poll, int status, int events);

/* Who is connected to @fd, by the kernel's word. */
static int get_peer(int fd, struct access_peer *ret)
{
    struct ucred credentials;
    socklen_t size = sizeof(credentials);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0)
        return -errno;

    size = 64 * sizeof(gid_t);
    gid_t *groups = xcalloc(1, size);
    int r = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size);
    if (r < 0 && errno == ERANGE) { // the kernel said how much it needs
        groups = xrealloc(groups, size, 1);
        r = getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size);
    }
    if (r < 0)
        size = 0; // its own group then has to do
    *ret = (struct access_peer){.uid = credentials.uid,
                                .gid = credentials.gid,
                                .groups = groups,
                                .group_count = size / sizeof(gid_t)};
    return 0;
}

static size_t count_of(const struct server *s, uid_t uid)
{
    size_t count = 0;

    list_foreach (link, next, &s->connections) {
        if (list_entry(link, struct connection, link)->peer.uid == uid)
            count++;
    }
    return count;
}

/* Says why before it hangs up, as far as that goes without waiting. Consumes
 * all but @error. */
static void turn_away(int fd, struct access_peer *peer, const char *error,
                      json_t *parameters)
{
    size_t size;
    char *text = message_format_error(error, parameters, &size);

    // a flood of clients is none of lines in the log
    log_debug(NULL, "turning away a client of uid %u: %s", peer->uid, error);
    (void)fd_send(fd, text, size, NULL, 0);
    free(text);
    json_decref(parameters);
    access_peer_fini(peer);
    fd_close(&fd);
}

static void turn_away_surplus(int fd, struct access_peer *peer, int64_t limit)
{
    turn_away(fd, peer, INTERFACE_TOO_MANY,
              json_pack("{s:I}", "limit", (json_int_t)limit));
}

static void take_in(struct server *s, int fd, struct access_peer *peer)
{
    const struct stream_limits limits = {
        .document = LIMITS_MESSAGE,
        .unread = s->config.unread_most,
        .fds = LIMITS_FDS,
        .discard = s->discard,
    };
    struct connection *c =
        connection_create(s->poll.loop, fd, peer, &limits, &s->own_ops, s);

    if (!c)
        return;
    list_append(&s->connections, &c->link);
    s->count++;
}

static void welcome(struct server *s, int fd)
{
    struct access_peer peer;
    struct error e = {0};

    if (get_peer(fd, &peer) < 0)
        fd_close(&fd);
    else if (access_check_client(s->rules, &peer, &e) < 0)
        turn_away(fd, &peer, INTERFACE_NOT_PERMITTED,
                  json_pack("{s:s}", "reason", e.text));
    else if ((int64_t)s->count >= s->config.clients)
        turn_away_surplus(fd, &peer, s->config.clients);
    else if ((int64_t)count_of(s, peer.uid) >= s->config.clients_per_uid)
        turn_away_surplus(fd, &peer, s->config.clients_per_uid);
    else
        take_in(s, fd, &peer);
}

static void on_called(void *user, struct call *call)
{
    struct server *s = user;

    s->ops->called(s->user, call);
}

static void on_closed(void *user, struct connection *c)
{
    struct server *s = user;

    s->count--;
    if (s->ops->closed)
        s->ops->closed(s->user, c);
}

static void on_breath(uv_timer_t *timer)
{
    struct server *s = timer->data;

    (void)uv_poll_start(&s->poll, UV_READABLE, on_readable);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    struct server *s = poll->data;

    (void)events;
    if (status < 0) {
        log_error(NULL, "cannot watch the socket: %s", uv_strerror(status));
        return;
    }
    for (int i = 0; i < ACCEPT_BURST; i++) {
        int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd >= 0) {
            welcome(s, fd);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM) {
            log_warning(NULL, "cannot accept a client: %s", strerror(errno));
            (void)uv_poll_stop(&s->poll); // or the loop would spin
            (void)uv_timer_start(&s->breath, on_breath, BREATH_MS, 0);
        }
        return;
    }
}

/* places.c has refused a path that is too long. */
static void fill_address(struct sockaddr_un *ret, const char *path)
{
    *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
    assert(strlen(path) < sizeof(ret->sun_path));
    (void)strcpy(ret->sun_path, path);
}

/* A socket file stays behind when its owner is killed. */
static int remove_stale(const struct sockaddr_un *address, struct error *e)
{
    struct stat st;

    if (lstat(address->sun_path, &st) < 0)
        return 0;
    if (!S_ISSOCK(st.st_mode))
        return error_set(e, -EEXIST, "'%s' exists and is no socket",
                         address->sun_path);

    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int r = connect(fd, (const struct sockaddr *)address, sizeof(*address));
    int code = r < 0 ? -errno : 0;
    fd_close(&fd);
    if (code == 0 || code == -EAGAIN)
        return error_set(e, -EADDRINUSE, "a service listens on '%s' already",
                         address->sun_path);
    if (code == -ECONNREFUSED && unlink(address->sun_path) < 0)
        return error_set_errno(e, -errno, "cannot remove the old socket '%s'",
                               address->sun_path);
    return 0;
}

/* Whoever shall not connect must not for a moment either: the mode is narrowed
 * before the socket listens. */
static int set_owner(const char *path, const struct server_config *config,
                     struct error *e)
{
    if (config->group != ACCESS_NO_GROUP &&
        chown(path, (uid_t)-1, config->group) < 0)
        return error_set_errno(e, -errno, "cannot give '%s' to its group",
                               path);
    if (chmod(path, config->mode) < 0)
        return error_set_errno(e, -errno, "cannot set the mode of '%s'", path);
    return 0;
}

static int listen_at(const struct server_config *config, struct error *e)
{
    struct sockaddr_un address;

    fill_address(&address, config->path);
    int r = remove_stale(&address, e);
    if (r < 0)
        return r;

    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return error_set_errno(e, -errno, "cannot make a socket");
    mode_t old = umask(0777);
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        r = error_set_errno(e, -errno, "cannot bind '%s'", config->path);
    (void)umask(old);
    if (r == 0)
        r = set_owner(config->path, config, e);
    if (r == 0 && listen(fd, WAITING_MOST) < 0)
        r = error_set_errno(e, -errno, "cannot listen on '%s'", config->path);
    if (r < 0) {
        fd_close(&fd);
        return r;
    }
    return fd;
}

/* systemd's socket: its descriptor, -ENOENT for none, or another -errno. */
static int inherited_socket(struct error *e)
{
    int count = sd_listen_fds(0);

    if (count <= 0)
        return -ENOENT;
    if (count > 1 ||
        sd_is_socket_unix(SD_LISTEN_FDS_START, SOCK_STREAM, 1, NULL, 0) <= 0)
        return error_set(e, -EINVAL,
                         "LISTEN_FDS: one listening Unix stream socket is "
                         "expected");
    int r = fd_set_nonblocking(SD_LISTEN_FDS_START);
    return r < 0 ? r : SD_LISTEN_FDS_START;
}

/* Where clients find it, ours or systemd's. */
static void find_address(struct server *s)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    socklen_t size = sizeof(a);

    if (getsockname(s->fd, (struct sockaddr *)&a, &size) == 0)
        (void)snprintf(s->address, sizeof(s->address), "%.*s",
                       (int)sizeof(a.sun_path), a.sun_path);
}

const char *server_address(const struct server *s)
{
    return s->address;
}

int server_open(struct server **ret, uv_loop_t *loop,
                const struct server_config *config,
                const struct access_rules *rules,
                const struct connection_ops *ops, void *user, struct error *e)
{
    bool is_own = false;
    int fd = inherited_socket(e);

    if (fd == -ENOENT) {
        is_own = true;
        fd = listen_at(config, e);
    }
    if (fd < 0)
        return fd;

    struct server *s = xcalloc(1, sizeof(*s));
    s->fd = fd;
    find_address(s);
    s->path = is_own ? xstrdup(config->path) : NULL;
    s->config = *config;
    s->rules = rules;
    s->discard = discard_create();
    list_init(&s->connections);
    s->ops = ops;
    s->user = user;
    s->own_ops = (struct connection_ops){on_called, on_closed};
    s->poll.data = s->breath.data = s;
    s->handles = 2;
    (void)uv_timer_init(loop, &s->breath);
    // fails only for descriptors that are no sockets, or watched already
    (void)uv_poll_init(loop, &s->poll, fd);
    (void)uv_poll_start(&s->poll, UV_READABLE, on_readable);
    *ret = s;
    return 0;
}

void server_configure(struct server *s, const struct server_config *config)
{
    struct error e = {0};

    s->config = *config;
    s->config.path = NULL;
    if (s->path && set_owner(s->path, config, &e) < 0)
        log_warning(NULL, "%s", e.text);
}

void server_stop_listening(struct server *s)
{
    if (s->fd < 0)
        return;
    (void)uv_timer_stop(&s->breath);
    (void)uv_poll_stop(&s->poll);
    if (s->path)
        (void)unlink(s->path);
    fd_close(&s->fd);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct server *s = handle->data;

    if (--s->handles)
        return;
    discard_destroy(s->discard);
    free(s->path);
    free(s);
}

void server_close(struct server *s)
{
    if (!s)
        return;
    server_stop_listening(s);
    list_foreach (link, next, &s->connections)
        connection_destroy(list_entry(link, struct connection, link));
    uv_close((uv_handle_t *)&s->poll, on_handle_closed);
    uv_close((uv_handle_t *)&s->breath, on_handle_closed);
}
