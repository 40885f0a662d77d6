/*
 * confine: what a worker gives up before it touches anything.
 *
 * Called in main() before any other thread exists. Each layer is a row of the
 * table in confine.c; one that the kernel does not have is reported, and the
 * caller decides.
 */
#ifndef SANDBOX_CONFINE_H
#define SANDBOX_CONFINE_H

#include <stddef.h>
#include <stdint.h>

struct error;

/*
 * Die with the parent; close every descriptor above @last_fd; no core file,
 * bounds on descriptors and threads, and no new privileges. Address space has
 * no bound: GPU drivers reserve far more than they use.
 *
 * 0, or -errno with the layer's name in the words.
 */
int confine_process(unsigned last_fd, struct error *e);

/*
 * No more than @bytes of memory that is private and writable, used or not: the
 * heap, stacks, large blocks; 0 is no bound. Not for a process with a GPU's
 * driver in it, for the reason above. 0 or -errno.
 */
int confine_memory(int64_t bytes, struct error *e);

#endif
