/*
 * arguments: a command line to an invocation, by the tables of command.h.
 *
 * Options may stand anywhere up to "--"; those of a command only after it. A
 * lone "-" is an operand.
 */
#ifndef CTL_ARGUMENTS_H
#define CTL_ARGUMENTS_H

#include <stdio.h>

#include "command.h"

struct error;

/* @argv without the program's name; it must outlive @ret. 0, or -EINVAL or
 * -ERANGE with words. @ret is written on success only. */
int arguments_parse(struct invocation *ret, int argc, char **argv,
                    struct error *e);
void arguments_fini(struct invocation *v);

/* --help, of the program or of one command. */
void arguments_print_help(FILE *out, const struct command *c);

#endif
