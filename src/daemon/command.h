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

/* What is done on a card before the job comes, and before the worker is sealed
 * off. */
enum command_ahead {
    COMMAND_NOTHING,
    COMMAND_DRIVER, // the driver is started, as well as that goes
    COMMAND_OPEN,   // and a context is tried, which takes VRAM for a moment
    COMMAND_WARM,   // a context is made, or it ends
};

/* @device is what the worker may use: "cpu", "cuda", "cuda:0". @uuid is the
 * card of a context that is made ahead, else NULL. */
void command_init(struct command *ret, const struct configuration *c,
                  const char *device, enum command_ahead ahead,
                  const char *uuid);
void command_fini(struct command *c);

/* Zeroed ones are the same as each other, too. */
bool command_is_same(const struct command *a, const struct command *b);

#endif
