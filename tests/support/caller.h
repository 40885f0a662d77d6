/*
 * caller: clients of the daemon's, each with a call under way, seen from both
 * ends: the call as the daemon keeps it, and what the client is told. What goes
 * wrong fails the test.
 */
#ifndef SUPPORT_CALLER_H
#define SUPPORT_CALLER_H

#include <stddef.h>

#include "support/loop.h"

struct call;
struct connection;

#define CALLERS 3

struct caller {
    struct connection *connection; // NULL: it is gone
    struct call *call;             // the last that came
    int fd;                        // the client's end
    char heard[1024];              // the last that it was told
};

struct callers {
    struct loop loop;
    struct caller list[CALLERS];
};

/* Each of them has called; whoever tests ends their calls. */
void callers_init(struct callers *c);
void callers_fini(struct callers *c);

/* The next reply to caller @i, waited for; lives until the one after it. */
const char *callers_hear(struct callers *c, size_t i);

/* Caller @i is told nothing, though all that was said has left. */
void callers_assert_silence(struct callers *c, size_t i);

/* Caller @i hangs up, and the daemon has noticed. */
void callers_hang_up(struct callers *c, size_t i);

#endif
