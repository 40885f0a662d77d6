/*
 * nvml: what NVIDIA's management library says of this machine's cards.
 *
 * The library is loaded when it is asked for, never linked, and nothing of it
 * is declared outside nvml.c. It counts all cards of the machine, whatever
 * CUDA_VISIBLE_DEVICES says: whoever reads a sample matches it by UUID.
 *
 * Any call may block for ever where a driver hangs, so this is used by a
 * process of its own.
 */
#ifndef WORKER_NVML_H
#define WORKER_NVML_H

#include <stddef.h>

struct error;
struct nvml;
struct sample;

/* 0; -ENOENT without the library, -ENODEV without a driver that answers, each
 * with words that say what is missing. */
int nvml_open(struct nvml **ret, struct error *e);
void nvml_close(struct nvml *n); // NULL is allowed

/* Cards there were when it was opened. */
size_t nvml_count(const struct nvml *n);

/*
 * Read card @index. What the driver does not tell is unknown in @ret, and no
 * error: 0, or -EIO with NVML's words when it tells nothing at all, for the
 * card is lost or the driver was exchanged.
 */
int nvml_read(const struct nvml *n, size_t index, struct sample *ret,
              struct error *e);

#endif
