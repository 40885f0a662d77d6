/*
 * record: what is kept of an attempt, for Show. The store's struct, filled in
 * as the attempt goes on; whoever fills it saves it.
 */
#ifndef DAEMON_RECORD_H
#define DAEMON_RECORD_H

#include <stdint.h>

#include "store/store.h"

struct attempt_result;
struct event_ready;
struct grant;
struct json_t;

/* A new attempt; what was kept of the one before is forgotten. */
void record_begin(struct store_attempt *r, int64_t number);

/* What it was lent; @fallback is why the one before was not the last, or NULL.
 */
void record_grant(struct store_attempt *r, const struct grant *grant,
                  const char *fallback);

/* What it does, and why. */
void record_plan(struct store_attempt *r, const struct event_ready *ready);

/* How it ended, and the outcome event if it is the job's last one. */
void record_end(struct store_attempt *r, enum outcome outcome, const char *text,
                const struct json_t *log);
void record_outcome(struct store_attempt *r, const struct json_t *event);

#endif
