/*
 * database: an open database in a folder of its own for a test, with no thread
 * before it.
 */
#ifndef SUPPORT_DATABASE_H
#define SUPPORT_DATABASE_H

#include <stdint.h>

#include "base/error.h"
#include "model/state.h"
#include "store/database.h"

struct sqlite3;

struct database_fixture {
    char *folder;
    struct database *db;    // NULL: not open
    struct sqlite3 *handle; // its connection, to look past it
    struct error error;     // for the calls of a test
};

/* cmocka's setup and teardown: *@state is a struct database_fixture, opened. */
int database_fixture_setup(void **state);
int database_fixture_teardown(void **state);

void database_fixture_reopen(struct database_fixture *f); // must succeed
void database_fixture_close(struct database_fixture *f);

/* A job of uid 1000 with a document, past jobs.c: no count knows of it. */
void database_fixture_put_job(struct database_fixture *f, int64_t id,
                              enum state state);

#endif
