/*
 * store: jobs on disk, in SQLite (WAL, synchronous=FULL).
 *
 * One thread of its own does all reading and writing, in group commits: what
 * was asked while a commit was under way goes into the next one, so that the
 * loop never waits for a disk and an fsync serves many clients. Requests are
 * carried out in the order in which they were made. Every function here is
 * called from the loop's thread, and every callback runs there, from
 * store_dispatch().
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "model/event.h"
#include "model/job.h"
#include "model/outcome.h"
#include "model/state.h"

struct error;
struct store;
struct writer;

/* What the backlog must know of a job; small, for there may be 100,000. */
struct store_job {
    int64_t id;
    uid_t uid;
    enum state state;
    enum job_priority priority;
    enum job_hardware hardware; // that it wishes
    bool attached;              // belongs to a connection, kept for the history
    bool held;                  // by Pause before it started
    int32_t attempts;           // begun since Submit or Retry
    int32_t failures;           // of them, that failed
    int32_t interruptions;      // of them, that shutdown or death ended
    int64_t created;            // µs since the epoch
};

/* A job that has been accepted. */
struct store_new {
    uid_t uid;
    enum job_priority priority;
    enum job_hardware hardware;
    const char *key; // or NULL
    const char *document;
    int64_t created; // µs since the epoch; with the id it tells the job apart
    bool is_full;    // its owner may have no more: only what @key names already
};

/* One attempt, as `Show` tells it. */
struct store_attempt {
    int64_t number; // from 1
    char device[16];
    int64_t started; // µs since the epoch
    int64_t ended;   // 0: not yet
    enum outcome outcome;
    char *plan;     // owned; JSON array, or NULL
    char *given;    // owned; the grant as JSON, or NULL
    char *why;      // owned; JSON array: reasons of plan and grant, or NULL
    char *fallback; // owned; why the attempt before was not the last, or NULL
    char *text;     // owned; words of the outcome, or NULL
    char *log;      // owned; JSON array of the last lines, or NULL
    char *detail;   // owned; the outcome event as JSON, or NULL
};

/* A job with all that is known of it, for Show and List. */
struct store_record {
    struct store_job job;
    int64_t started; // µs since the epoch, 0: not yet
    int64_t ended;
    enum outcome outcome;           // of the job, OUTCOME_NONE: not ended
    char *key;                      // owned, or NULL
    char *document;                 // owned; the job as JSON
    struct store_attempt *attempts; // owned; only for store_get
    size_t attempt_count;
};

/* Both may be used again, as zeroed ones. */
void store_attempt_fini(struct store_attempt *a);
void store_record_fini(struct store_record *r);

/*
 * Open or create the database in @folder, migrate it, and repair it after a
 * daemon's death: detached jobs that were `starting`, `running` or `paused`
 * become `queued` with one more interruption, held when they were paused;
 * attached ones become `failed` with the outcome `interrupted`; attempts that
 * had not ended end as `interrupted`. Starts the thread. 0 or -errno; -ENOTSUP
 * for a store of a newer version, -EROFS or -EACCES where it cannot be written,
 * -EBUSY where another daemon has it; nothing is touched then.
 */
int store_open(struct store **ret, const char *folder, struct error *e);

/* Would store_open() take what is in @folder? Touches nothing, which costs some
 * certainty: a store whose daemon was killed is not looked into, for only a
 * start may carry its journal out. 0, -ENOTSUP, or another -errno with words.
 */
int store_check(const char *folder, struct error *e);

/* Carries out what was asked and runs its callbacks, then ends the thread and
 * closes. NULL is allowed. */
void store_close(struct store *s);

/* For the store's other files. */
struct writer *store_writer(struct store *s);

/* Readable when store_dispatch() has something to do. */
int store_fd(const struct store *s);
void store_dispatch(struct store *s);

/* Monotonic µs of the thread's last sign of life, for the watchdog; -1 while
 * it has nothing to do. */
int64_t store_busy_since(const struct store *s);

/* @result is 0 or -errno with @e (NULL when it is 0); it is durable when it is
 * 0. A change may have NULL for @done: then nobody waits. Requests made
 * from a callback are carried out like others. */
typedef void store_done(void *user, int result, const struct error *e);

/*
 * A new detached job, durable before @done. With a key that its owner has used
 * already, *@id is the old one's if the document is the same, else -EEXIST.
 * @id is the id, valid when result is ≥ 0; result 1: it was there already.
 * -EDQUOT: it would have been new, and is_full says that it must not be.
 */
typedef void store_added(void *user, int result, int64_t id,
                         const struct error *e);
void store_add(struct store *s, const struct store_new *new, store_added *done,
               void *user);

/* Change state, held and counts of @job->id. Terminal states need @outcome and
 * set the time of the end; leaving one (Retry) forgets the attempts. -ENOENT.
 */
void store_update(struct store *s, const struct store_job *job,
                  enum outcome outcome, store_done *done, void *user);

/* Insert or replace one attempt of job @id. @attempt is copied. */
void store_put_attempt(struct store *s, int64_t id,
                       const struct store_attempt *attempt, store_done *done,
                       void *user);

/* The whole record of @id; -ENOENT. @record is lent for the call. */
typedef void store_got(void *user, int result,
                       const struct store_record *record,
                       const struct error *e);
void store_get(struct store *s, int64_t id, store_got *done, void *user);

/*
 * Newest first, of any state in @states (a bit mask of 1 << enum state, 0: all)
 * with an id below @before (0: from the newest), at most @limit, and fewer where
 * their documents are very large: only an empty page is behind the last job.
 */
typedef void store_listed(void *user, int result,
                          const struct store_record *records, size_t count,
                          const struct error *e);
void store_list(struct store *s, unsigned states, int64_t before, size_t limit,
                store_listed *done, void *user);

/* All that has not ended, oldest first, once after opening: blocks. The caller
 * frees *@ret. */
int store_load(struct store *s, struct store_job **ret, size_t *ret_count,
               struct error *e);

/* How many jobs are in each state, as of the last commit. Never waits for the
 * disk. */
void store_counts(const struct store *s, int64_t ret[STATE_COUNT]);

/* Forget hours older than REPORT_AGE, ended jobs older than @age µs, and of those
 * that are left all but the newest @count; in small steps, between which others
 * are served. */
void store_prune(struct store *s, int64_t age, int64_t count, store_done *done,
                 void *user);

/*
 * A new attached job, for the history: its id at once, nothing waits for the
 * disk. Later calls with the id see it.
 */
int64_t store_add_attached(struct store *s, const struct store_new *new);

#endif
