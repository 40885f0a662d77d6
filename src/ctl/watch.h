/*
 * watch: the loop of a command that waits for more than one reply, and may
 * serve its job's file channel meanwhile. Everything on one thread.
 *
 * Ctrl-C, SIGTERM and SIGHUP are events of the loop. Those after the first one
 * leave at once; whoever owns the connection and the files then closes them,
 * and the daemon and the opener take care that nothing is left.
 */
#ifndef CTL_WATCH_H
#define CTL_WATCH_H

#include "command.h"

struct client;
struct error;
struct files;
struct json_t;

struct watch {
    const struct invocation *invocation; // not owned
    struct client *client;               // not owned; the call is on its way
    struct files *files;                 // not owned; NULL: none to serve
    int channel;                         // owned by the loop; -1: none

    void (*on_reply)(void *user, const struct json_t *parameters);
    void (*on_resize)(void *user); // NULL: it does not matter
    /* The first Ctrl-C: 1 to wait on, 0 to leave at once. NULL: leave. */
    int (*on_interrupt)(void *user);
    void *user;
};

/*
 * Run until the last reply. STATUS_GOOD, STATUS_REFUSED for an error reply,
 * STATUS_UNREACHABLE when the daemon hung up, STATUS_INTERRUPTED.
 *
 * What there is to tell is left in @e, also where the status is good, for
 * something may stand on the terminal now that must be taken away first.
 */
enum status watch_run(struct watch *w, struct error *e);

#endif
