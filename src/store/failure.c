#include "store/failure.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <sqlite3.h>

#include "base/error.h"

// clang-format off
static const struct {
    int code;          // SQLite's primary result code
    int result;        // ours; 0: the system's own number says it
    const char *words; // NULL: SQLite's are good enough
} failures[] = {
    {SQLITE_FULL,      -ENOSPC,  "the disk is full"},
    {SQLITE_READONLY,  -EROFS,   "it is read-only"},
    {SQLITE_BUSY,      -EBUSY,   "another process has locked it"},
    {SQLITE_LOCKED,    -EBUSY,   NULL},
    {SQLITE_PERM,      -EACCES,  NULL},
    {SQLITE_AUTH,      -EACCES,  NULL},
    {SQLITE_NOMEM,     -ENOMEM,  "out of memory"},
    {SQLITE_CORRUPT,   -EBADMSG, "it is damaged"},
    {SQLITE_NOTADB,    -EBADMSG, "it is no database"},
    {SQLITE_TOOBIG,    -EMSGSIZE, NULL},
    {SQLITE_IOERR,     0, NULL},
    {SQLITE_CANTOPEN,  0, NULL},
};
// clang-format on

/* The system's number: only where the last failure had one, for SQLite keeps
 * that of an earlier one otherwise. */
static int system_failure(struct error *e, sqlite3 *db, const char *doing)
{
    int code = sqlite3_system_errno(db);

    if (code > 0)
        return error_set_errno(e, -code, "%s", doing);
    return error_set(e, -EIO, "%s: %s", doing, sqlite3_errmsg(db));
}

int failure_set(struct error *e, sqlite3 *db, const char *doing)
{
    int code = sqlite3_errcode(db) & 0xff; // without the extended part

    for (size_t i = 0; i < sizeof(failures) / sizeof(failures[0]); i++) {
        if (failures[i].code != code)
            continue;
        if (failures[i].result == 0)
            return system_failure(e, db, doing);
        const char *words = failures[i].words;
        return error_set(e, failures[i].result, "%s: %s", doing,
                         words ? words : sqlite3_errmsg(db));
    }
    return error_set(e, -EIO, "%s: %s", doing, sqlite3_errmsg(db));
}
