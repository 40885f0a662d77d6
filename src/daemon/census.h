/*
 * census: what a sample of a GPU says: who holds sessions and VRAM, ours or
 * others. NVML names processes; its view lags, so that workers which have ended
 * a moment ago still count as ours.
 */
#ifndef DAEMON_CENSUS_H
#define DAEMON_CENSUS_H

#include <stdint.h>

struct account;
struct lending;
struct sample;

/* Into the account, and the loans of our workers. @now is monotonic. */
void census_take(struct lending *l, struct account *a, const struct sample *s,
                 int64_t now);

/* Our worker @pid has ended. */
void census_forget(struct lending *l, int pid, int64_t now);

#endif
