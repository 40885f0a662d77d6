/*
 * address: the name of somebody's Unix socket, for those who only send there.
 */
#ifndef DAEMON_ADDRESS_H
#define DAEMON_ADDRESS_H

#include <sys/socket.h>
#include <sys/un.h>

struct address {
    struct sockaddr_un name;
    socklen_t size;
};

/* @text is a path, or with '@' in front a name without a file. 0, or -EINVAL,
 * -ENAMETOOLONG. */
int address_parse(struct address *ret, const char *text);

#endif
