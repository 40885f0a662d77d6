/*
 * attachment: a job whose files this process opens for the worker, with its
 * user's own rights: the file channel, and the opener at its near end.
 */
#ifndef CTL_ATTACHMENT_H
#define CTL_ATTACHMENT_H

#include "command.h"

struct attachment;
struct client;
struct files;

/*
 * Read the document @path, merge it over the daemon's profile where it names
 * one, and see whether its files are there. What is wrong has been told.
 */
enum status attachment_create(struct attachment **ret,
                              const struct invocation *v, struct client *c,
                              const char *path);

/* Aborts outputs that are not done. NULL is allowed. */
void attachment_destroy(struct attachment *a);

/* Call @method (with `more`) with the document as it was written and the
 * worker's end of the channel, once. What goes wrong has been told. */
enum status attachment_call(struct attachment *a, struct client *c,
                            const char *method);

/* To be served while the call lasts: the opener, borrowed, and the descriptor,
 * which is the caller's from then on. */
struct files *attachment_files(struct attachment *a);
int attachment_take_channel(struct attachment *a);

#endif
