/*
 * attempts: the runs of a job's workers, in their table.
 */
#ifndef STORE_ATTEMPTS_H
#define STORE_ATTEMPTS_H

#include <stdint.h>

#include "store/store.h"

struct database;

/* -ENOENT when there is no job @id. */
int attempts_put(struct database *db, int64_t id, const struct store_attempt *a,
                 struct error *e);

/* Fill in @record's, which has none yet. */
int attempts_get(struct database *db, struct store_record *record,
                 struct error *e);

/* All of job @id: it begins again. */
int attempts_forget(struct database *db, int64_t id, struct error *e);

/* Those that had not ended when the daemon died. */
int attempts_interrupt(struct database *db, int64_t now, struct error *e);

struct store_attempt attempts_copy(const struct store_attempt *a);

#endif
