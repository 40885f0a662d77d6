/*
 * mailbox: a socket that takes datagrams, as the journal's and the service
 * manager's do, and is read when the test wants.
 */
#ifndef SUPPORT_MAILBOX_H
#define SUPPORT_MAILBOX_H

/* A descriptor that the caller closes. */
int mailbox_open(const char *path);

/* The next datagram, "" for none. Lives until the next call. */
const char *mailbox_next(int fd);

#endif
