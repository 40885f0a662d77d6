/*
 * server: the listening socket and the clients that came over it.
 *
 * The socket is systemd's (LISTEN_FDS) or our own, with mode and group of the
 * configuration. How many clients there may be, in all and of a uid, is
 * bounded; who comes above that is hung up on, and costs the others nothing.
 */
#ifndef DAEMON_SERVER_H
#define DAEMON_SERVER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

#include "access.h"
#include "connection.h"

struct error;
struct server;

struct server_config {
    const char *path; // of our own socket; not owned
    mode_t mode;
    gid_t group;     // ACCESS_NO_GROUP: as the file system likes
    int64_t clients; // at most
    int64_t clients_per_uid;
    size_t unread_most; // bytes that a client may leave unread
};

/*
 * Binds and listens, or takes over systemd's socket. A socket file that nobody
 * listens on is removed; -EADDRINUSE where somebody does. 0 or -errno.
 */
int server_open(struct server **ret, uv_loop_t *loop,
                const struct server_config *config,
                const struct access_rules *rules,
                const struct connection_ops *ops, void *user, struct error *e);

/* The path that clients connect to. */
const char *server_address(const struct server *s);

/* New limits, mode and group, from a changed configuration. @config->path is
 * ignored; @rules are kept by reference as in server_open(). */
void server_configure(struct server *s, const struct server_config *config);

/* No new clients; those that are there stay. */
void server_stop_listening(struct server *s);

/* Hangs up on everybody. NULL is allowed. */
void server_close(struct server *s);

#endif
