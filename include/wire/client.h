/*
 * client: the blocking side of the socket, for transcodectl and the shim.
 */
#ifndef WIRE_CLIENT_H
#define WIRE_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

#include "wire/message.h"

struct client;
struct error;
struct json_t;

/*
 * Where the daemon listens: @named if not NULL, else TRANSCODED_SOCKET, else
 * /run/transcoded/io.transcoded for root, else below XDG_RUNTIME_DIR if there
 * is one, else the system's. The caller frees.
 */
char *client_socket_path(const char *named);

/* 0 or -errno with words that name the path and what to do. */
int client_connect(struct client **ret, const char *path, struct error *e);
void client_close(struct client *c); // NULL is allowed

/* The descriptor, for poll(). What has been received with an earlier reply is
 * not seen by it: call client_receive() with timeout 0 until -EAGAIN. */
int client_fd(const struct client *c);

/* Send a call; @fds stay the caller's. 0 or -errno with words. */
int client_call(struct client *c, const char *method,
                const struct json_t *parameters, bool more, const int *fds,
                size_t fd_count, struct error *e);

/*
 * Wait for the next reply. 1 with a reply that the caller finishes, 0 when the
 * daemon hung up, -EAGAIN when @timeout (µs, -1 for ever) ran out, -EINTR after
 * a signal that has a handler, or another -errno with words.
 */
int client_receive(struct client *c, long timeout, struct message_reply *ret,
                   struct error *e);

#endif
