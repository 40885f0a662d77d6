/*
 * arguments: how a worker is started to do a job. The daemon starts it so from
 * its configuration (daemon/command.h); a client, with --standalone, itself.
 */
#ifndef WORKER_ARGUMENTS_H
#define WORKER_ARGUMENTS_H

#include <stdbool.h>
#include <stdio.h>

#include "sandbox/sandbox.h"

struct error;

enum arguments_action {
    ARGUMENTS_WORK, // for the daemon
    ARGUMENTS_STANDALONE,
    ARGUMENTS_PROBE,    // only say what the sandbox is like
    ARGUMENTS_DIAGNOSE, // look around (diagnose.h)
    ARGUMENTS_VERSION,
    ARGUMENTS_HELP,
};

struct arguments {
    enum arguments_action action;
    const char *device;            // not owned: "cpu", "cuda", "cuda:0"
    struct sandbox_config sandbox; // its paths are owned
    const char *warm;   // not owned; UUID of the card to open ahead, or NULL
    bool starts_driver; // before it is sealed off
    const char *open;   // not owned; UUID of a card to be tried then, or NULL
};

/* @words are those behind the program's name, ended by NULL, and must outlive
 * @ret. 0, or -EINVAL with words about the wrong one. */
int arguments_parse(struct arguments *ret, char **words, struct error *e);
void arguments_fini(struct arguments *a);

/* A line for each option. */
void arguments_print(FILE *to);

#endif
