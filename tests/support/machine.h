/*
 * machine: a suite on the stand-in's driver. A process reads the stand-in's
 * settings once, so every case runs in a child of its own.
 */
#ifndef SUPPORT_MACHINE_H
#define SUPPORT_MACHINE_H

#include <stddef.h>

/* First in main(): the linker looks where the stand-in lies only if it is told
 * before the program begins, so that this begins it once more. */
void machine_enter(char **argv);

/*
 * Run @body in a child on a fresh machine with @settings ("power=0", ended by
 * NULL; NULL: none), and get the @size bytes at @ret that it filled in. The
 * child inherits what the caller has.
 */
void machine_run(const char *const *settings, void (*body)(void *ret),
                 void *ret, size_t size);

#endif
