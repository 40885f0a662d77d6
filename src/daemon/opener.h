/*
 * opener: transcoded-files as a child, for a job whose client does not open the
 * files itself.
 */
#ifndef DAEMON_OPENER_H
#define DAEMON_OPENER_H

#include <stddef.h>
#include <uv.h>

struct child;
struct error;
struct json_t;
struct log;

struct opener_config {
    const char *program;
    const struct json_t *document; // borrowed; the job, and what it may open
    size_t log_lines;
    const struct log *log;
};

/* A descriptor from which a child reads @document; the caller closes it. Or
 * -errno. */
int opener_make_input(const struct json_t *document);

/* The child, and the worker's end of its file channel, both the caller's. 0 or
 * -errno. */
int opener_start(struct child **ret, int *ret_channel, uv_loop_t *loop,
                 const struct opener_config *config, struct error *e);

#endif
