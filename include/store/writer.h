/*
 * writer: the thread that alone touches the disk, and the group commit.
 *
 * Everything that was asked while a commit was under way goes into the next
 * one. Requests are carried out in the order in which they came, each within a
 * savepoint; they are delivered, in the same order, after COMMIT has returned.
 * When a group fails as a whole, each of its requests is tried alone, so that
 * only those fail that cannot be helped.
 */
#ifndef STORE_WRITER_H
#define STORE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/list.h"
#include "model/state.h"

struct database;
struct request;
struct writer;

#define WRITER_GROUP_MOST 512 // requests in one commit, for the last one waits

struct request_kind {
    /* On the writer's thread; may be called again after a rollback. ≥ 0 or
     * -errno with words. */
    int (*carry_out)(struct request *q, struct database *db, struct error *e);
    /* On the loop's thread. */
    void (*deliver)(struct request *q);
    /* Frees all of it. */
    void (*destroy)(struct request *q);
};

/* The first member of every request. */
struct request {
    const struct request_kind *kind;
    struct list link; // of the writer: waiting, or finished
    int result;
    struct error error; // words, when result is negative
    bool unfinished;    // set by carry_out: queue it again, behind the others
};

/* Lends it @db, which must outlive it. 0 or -errno. */
int writer_start(struct writer **ret, struct database *db, struct error *e);

/* Waits until everything is carried out and delivered; then the thread ends.
 * NULL is allowed. */
void writer_stop(struct writer *w);

/* Consumes @q. The loop's thread, as all but what says otherwise. */
void writer_submit(struct writer *w, struct request *q);

/* Readable when there is something to deliver. */
int writer_fd(const struct writer *w);
void writer_deliver(struct writer *w);
/* Blocks until there is something to deliver. */
void writer_wait(const struct writer *w);

/* See store_busy_since() and store_counts(). Any thread. */
int64_t writer_busy_since(const struct writer *w);
void writer_counts(struct writer *w, int64_t ret[STATE_COUNT]);

#endif
