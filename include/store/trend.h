/*
 * trend: what is kept of each hour for 13 months: how the devices were, and
 * what attempts came to, within a transaction of its caller.
 *
 * An attempt is counted when it is stored as ended for the first time, in the
 * same transaction.
 */
#ifndef STORE_TREND_H
#define STORE_TREND_H

#include <stddef.h>
#include <stdint.h>

#include "store/report.h"

struct database;
struct error;
struct store_attempt;

/* To be called before the attempt of job @id is put. */
int trend_count(struct database *db, int64_t id, const struct store_attempt *a,
                struct error *e);

/* Add what was measured at @now (µs since the epoch) to its hour. */
int trend_note(struct database *db, int64_t now,
               const struct store_reading *readings, size_t count,
               struct error *e);

/* What there is from @since (µs since the epoch) on, in steps of @step hours.
 * The caller finishes @ret. */
int trend_report(struct database *db, struct store_report *ret, int64_t since,
                 int32_t step, struct error *e);

/* Forget the hours before @before (µs since the epoch). */
int trend_prune(struct database *db, int64_t before, struct error *e);

#endif
