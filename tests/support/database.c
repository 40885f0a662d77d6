#include "support/database.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include <sqlite3.h>

#include "base/memory.h"
#include "support/folder.h"
#include "support/sql.h"

void database_fixture_close(struct database_fixture *f)
{
    database_close(f->db);
    f->db = NULL;
    f->handle = NULL;
}

void database_fixture_reopen(struct database_fixture *f)
{
    database_fixture_close(f);
    if (database_open(&f->db, f->folder, &f->error) < 0)
        fail_msg("%s", f->error.text);
    f->handle = sqlite3_db_handle(database_statement(f->db, STATEMENT_BEGIN));
}

int database_fixture_setup(void **state)
{
    struct database_fixture *f = xcalloc(1, sizeof(*f));

    f->folder = folder_create();
    database_fixture_reopen(f);
    *state = f;
    return 0;
}

int database_fixture_teardown(void **state)
{
    struct database_fixture *f = *state;

    database_fixture_close(f);
    folder_remove(f->folder);
    free(f);
    return 0;
}

void database_fixture_put_job(struct database_fixture *f, int64_t id,
                              enum state state)
{
    char *sql = xasprintf(
        "INSERT INTO job (id, uid, state, outcome, priority, attached, created)"
        " VALUES (%lld, 1000, '%s', 'none', 'normal', 0, 1);"
        "INSERT INTO document (job, text) VALUES (%lld, '{}')",
        (long long)id, state_name(state), (long long)id);

    sql_run(f->handle, sql);
    free(sql);
}
