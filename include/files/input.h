/*
 * input: the file that a job reads. Only a regular file or a FIFO, and nothing
 * is opened to find that out: opening a device can rewind a tape.
 */
#ifndef FILES_INPUT_H
#define FILES_INPUT_H

#include "files/identity.h"

struct error;
struct files_roots;

/*
 * A descriptor of its own, O_RDONLY, or -errno with words. Never waits: on a
 * FIFO without a writer poll() before the first read(), which would say that
 * the end is there.
 */
int input_open(const struct files_roots *roots, const char *path,
               struct error *e);

/* What would input_open() say? A FIFO is not opened for it, so that its writer
 * takes no notice. *@ret (NULL is allowed) says which file it is. */
int input_check(const struct files_roots *roots, const char *path,
                struct identity *ret, struct error *e);

#endif
