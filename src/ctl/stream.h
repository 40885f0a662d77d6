/*
 * stream: the events of a call on their way to standard output, and the status
 * that the job's end means.
 */
#ifndef CTL_STREAM_H
#define CTL_STREAM_H

#include "command.h"

struct client;
struct files;
struct json_t;

enum stream_scope { STREAM_ONE_JOB, STREAM_ALL_JOBS };

enum stream_interrupt {
    STREAM_LEAVE,  // Ctrl-C leaves; the job goes on without us
    STREAM_CANCEL, // Ctrl-C cancels the job and waits for its end
};

struct stream {
    const struct invocation *invocation; // not owned
    struct client *client;               // not owned; the call is on its way
    struct files *files;                 // not owned, NULL: none to serve
    int channel;                         // consumed; -1: none
    enum stream_interrupt interrupt;
    enum stream_scope scope;
};

/* STATUS_GOOD where the job succeeded, STATUS_JOB_FAILED where not, or what
 * watch_run() returns. */
enum status stream_run(const struct stream *s);

/* Connect, call @method with @parameters (consumed), and run the stream of
 * what comes. Ctrl-C leaves. */
enum status stream_call(const struct invocation *v, const char *method,
                        struct json_t *parameters, enum stream_scope scope);

#endif
