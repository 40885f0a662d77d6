/*
 * store: a store in a folder of its own for a test, and calls that wait for
 * their answer.
 */
#ifndef SUPPORT_STORE_H
#define SUPPORT_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "store/store.h"

#define DOCUMENT "{\"input\":{\"path\":\"/media/film.mkv\"}}"

struct store_fixture {
    char *folder;        // owned
    struct store *store; // NULL: not open
    struct error error;  // of the last call that failed
};

/* cmocka's setup and teardown: *@state is a struct store_fixture, opened. */
int store_fixture_setup(void **state);
int store_fixture_teardown(void **state);

/* The file below the folder; the caller frees. */
char *store_fixture_path(const struct store_fixture *f, const char *name);

/* 0 or -errno, as store_open(). */
int store_fixture_open(struct store_fixture *f);
void store_fixture_close(struct store_fixture *f);
void store_fixture_reopen(struct store_fixture *f); // must succeed

/* The id, or -errno. */
int64_t store_fixture_add(struct store_fixture *f, uid_t uid, const char *key,
                          const char *document);
int store_fixture_update(struct store_fixture *f, const struct store_job *job,
                         enum outcome outcome);
int store_fixture_put_attempt(struct store_fixture *f, int64_t id,
                              const struct store_attempt *a);
/* The caller finishes *@ret. */
int store_fixture_get(struct store_fixture *f, struct store_record *ret,
                      int64_t id);
/* Ids into @ret, which has room for @limit; how many, or -errno. */
int store_fixture_list(struct store_fixture *f, int64_t *ret, unsigned states,
                       int64_t before, size_t limit);
int store_fixture_prune(struct store_fixture *f, int64_t age, int64_t count);

/* Run callbacks until *@waiting is 0. */
void store_fixture_wait(struct store_fixture *f, const size_t *waiting);

#endif
