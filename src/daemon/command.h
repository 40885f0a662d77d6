/*
 * command: how a worker is started, as the configuration wants it. The words
 * are those of `transcoded-worker --help`.
 */
#ifndef DAEMON_COMMAND_H
#define DAEMON_COMMAND_H

#include <stdbool.h>

struct configuration;

struct command {
    char *program;    // owned
    char **arguments; // owned; behind the program's name, ended by NULL
};

/* @device is what the worker may use: "cpu", "cuda", "cuda:0". With @uuid it
 * makes a context on that card ahead of its job; NULL: it does not. */
void command_init(struct command *ret, const struct configuration *c,
                  const char *device, const char *uuid);
void command_fini(struct command *c);

/* Zeroed ones are the same as each other, too. */
bool command_is_same(const struct command *a, const struct command *b);

#endif
