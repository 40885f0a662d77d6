/*
 * jobs: what is done with the tables, each function within a transaction of
 * its caller. They keep database_counts() right.
 */
#ifndef STORE_JOBS_H
#define STORE_JOBS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/store.h"

struct database;

/* A job to be; texts are borrowed. */
struct jobs_new {
    struct store_job job;
    const char *key; // NULL: none
    const char *document;
    bool is_full; // nothing new, please
};

/* 0, 1 when the key's job is the same (*@ret_id is its id), -EEXIST when it is
 * another, -EDQUOT when it is new and must not be, or -errno. */
int jobs_add(struct database *db, int64_t *ret_id, const struct jobs_new *n,
             struct error *e);

/* @now: µs since the epoch. -ENOENT when there is no such job. */
int jobs_update(struct database *db, const struct store_job *job,
                enum outcome outcome, int64_t now, struct error *e);

/* With the attempts. */
int jobs_get(struct database *db, struct store_record *ret, int64_t id,
             struct error *e);

/* As store_list(); the caller owns *@ret and what is in it. */
int jobs_list(struct database *db, struct store_record **ret, size_t *ret_count,
              unsigned states, int64_t before, size_t limit, struct error *e);

/* As store_load(). */
int jobs_load(struct database *db, struct store_job **ret, size_t *ret_count,
              struct error *e);

/*
 * Forget some of the ended jobs: those that ended before @before (µs since the
 * epoch), and the oldest while there are more than @keep. 1 when more of them
 * may be left, 0 when not, or -errno.
 */
int jobs_prune(struct database *db, int64_t before, int64_t keep,
               struct error *e);

/* After a daemon's death, as store_open(). Counts, too. */
int jobs_recover(struct database *db, int64_t now, struct error *e);

/* The highest id that ever was, 0 when there was none. */
int jobs_last_id(struct database *db, int64_t *ret, struct error *e);

#endif
