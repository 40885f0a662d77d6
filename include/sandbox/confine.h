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

struct error;

/*
 * Die with the parent; close every descriptor above @last_fd; no core file, a
 * bound on descriptors, and no new privileges. Address space has no bound: GPU
 * drivers reserve far more than they use.
 *
 * 0, or -errno with the layer's name in the words.
 */
int confine_process(unsigned last_fd, struct error *e);

#endif
