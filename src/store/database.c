#include "store/database.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/memory.h"
#include "store/failure.h"
#include "store/schema.h"

/*
 * FULL: a commit in WAL mode is on the disk when it returns. The cache is
 * bounded in KiB, for the daemon shall stay small however large the store is.
 * Others who look into the file while we run can delay a checkpoint, no more.
 */
static const char settings[] = "PRAGMA journal_mode = WAL;"
                               "PRAGMA synchronous = FULL;"
                               "PRAGMA foreign_keys = ON;"
                               "PRAGMA cache_size = -8192;"
                               "PRAGMA journal_size_limit = 16777216;"
                               "PRAGMA temp_store = MEMORY;"
                               "PRAGMA trusted_schema = OFF;";
#define BUSY_TIMEOUT 2000 // ms that a curious sqlite3 shell may hold us up
#define LOCK_TRIES   100  // with LOCK_PAUSE between them, two seconds
#define LOCK_PAUSE   20   // ms

struct counts {
    int64_t of[STATE_COUNT];
};

struct database {
    sqlite3 *handle;                           // owned
    sqlite3_stmt *statements[STATEMENT_COUNT]; // owned
    int lock; // owned; held as long as it is open
    struct counts counts;
    struct counts at_begin;     // to return to on a rollback
    struct counts at_savepoint; // and on undoing one request
};

/* A daemon that is killed between fork and exec of a worker leaves a child that
 * holds the lock until its exec: wait a moment before another is blamed. */
static int lock_patiently(int fd)
{
    const struct timespec pause = {.tv_nsec = LOCK_PAUSE * 1000000L};

    for (int tries = LOCK_TRIES;; tries--) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return 0;
        if (errno == EINTR)
            continue;
        if (errno != EWOULDBLOCK)
            return -errno;
        if (tries == 0)
            return -EBUSY;
        (void)nanosleep(&pause, NULL);
    }
}

static int take_lock(struct database *db, const char *folder, struct error *e)
{
    char *path = xasprintf("%s/%s", folder, DATABASE_LOCK);

    db->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int r = db->lock < 0 ? error_set_errno(e, -errno, "cannot open '%s'", path)
                         : lock_patiently(db->lock);
    if (r == -EBUSY)
        (void)error_set(e, r, "another daemon uses '%s'", folder);
    else if (r < 0 && db->lock >= 0)
        (void)error_set_errno(e, r, "cannot lock '%s'", path);
    free(path);
    return r;
}

/* Ours alone from birth: documents name people's files. SQLite would follow
 * the umask, and gives its journals the mode of the file. */
static int touch(const char *path, struct error *e)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return error_set_errno(e, -errno, "cannot open '%s'", path);
    fd_close(&fd);
    return 0;
}

static int open_handle(struct database *db, const char *path, struct error *e)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;

    int r = touch(path, e);
    if (r < 0)
        return r;
    if (sqlite3_open_v2(path, &db->handle, flags, NULL) != SQLITE_OK)
        return failure_set(e, db->handle, "cannot open");
    (void)sqlite3_extended_result_codes(db->handle, 1);
    (void)sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT);
    // A store that we refuse is left with its journal as it is.
    (void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1,
                            NULL);
    return 0;
}

static int prepare(struct database *db, struct error *e)
{
    int r = schema_check(db->handle, schema_step_count, e);
    if (r < 0)
        return r;

    (void)sqlite3_db_config(db->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0,
                            NULL);
    if (sqlite3_exec(db->handle, settings, NULL, NULL, NULL) != SQLITE_OK)
        return failure_set(e, db->handle, "cannot set up");
    r = schema_migrate(db->handle, schema_steps, schema_step_count, e);
    if (r < 0)
        return r;
    return statement_prepare(db->statements, db->handle, e);
}

/* SQLite's name for a file that nobody changes: without locks, and without the
 * files beside it that it would else create. */
static char *immutable_name(const char *path)
{
    static const char scheme[] = "file:";
    static const char option[] = "?immutable=1";
    char *name = xcalloc(1, sizeof(scheme) + sizeof(option) + 3 * strlen(path));
    char *end = stpcpy(name, scheme);

    for (; *path; path++) {
        if (strchr("%?#", *path))
            end += sprintf(end, "%%%02x", (unsigned)(unsigned char)*path);
        else
            *end++ = *path;
    }
    (void)strcpy(end, option);
    return name;
}

/* Until the journal has been carried out, which only a start does, the file
 * beside it may be torn: after a power cut in the middle of a checkpoint. */
static bool has_journal(const char *path)
{
    char *journal = xasprintf("%s-wal", path);
    struct stat st;
    bool has = lstat(journal, &st) == 0 && st.st_size > 0;

    free(journal);
    return has;
}

int database_check(const char *folder, struct error *e)
{
    char *path = xasprintf("%s/%s", folder, DATABASE_FILE);
    char *name = immutable_name(path);
    sqlite3 *handle = NULL;
    struct stat st;
    int r = 0;

    if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode) || has_journal(path))
        goto out; // a start makes it, or says why it cannot
    if (sqlite3_open_v2(name, &handle, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI,
                        NULL) == SQLITE_OK)
        r = schema_check(handle, schema_step_count, e);
    else
        r = failure_set(e, handle, "cannot open");
    if (r < 0)
        (void)error_wrap(e, "store '%s'", path);

out:
    (void)sqlite3_close(handle);
    free(name);
    free(path);
    return r;
}

int database_open(struct database **ret, const char *folder, struct error *e)
{
    struct database *db = xcalloc(1, sizeof(*db));
    char *path = xasprintf("%s/%s", folder, DATABASE_FILE);

    db->lock = -1;
    // SQLite makes files beside the one that it opens, to read it even
    int r = database_check(folder, e);
    if (r == 0)
        r = take_lock(db, folder, e);
    if (r < 0)
        goto fail;
    r = open_handle(db, path, e);
    if (r == 0)
        r = prepare(db, e);
    if (r < 0) {
        (void)error_wrap(e, "store '%s'", path);
        goto fail;
    }
    free(path);
    *ret = db;
    return 0;

fail:
    free(path);
    database_close(db);
    return r;
}

void database_close(struct database *db)
{
    if (!db)
        return;
    statement_finalize(db->statements);
    (void)sqlite3_close(db->handle);
    fd_close(&db->lock);
    free(db);
}

static int run(struct database *db, enum statement which, struct error *e)
{
    return statement_run(db->statements[which], e);
}

int database_begin(struct database *db, struct error *e)
{
    db->at_begin = db->counts;
    return run(db, STATEMENT_BEGIN, e);
}

int database_commit(struct database *db, struct error *e)
{
    return run(db, STATEMENT_COMMIT, e);
}

void database_rollback(struct database *db)
{
    if (database_in_transaction(db))
        (void)run(db, STATEMENT_ROLLBACK, NULL);
    db->counts = db->at_begin;
}

int database_savepoint(struct database *db, struct error *e)
{
    db->at_savepoint = db->counts;
    return run(db, STATEMENT_SAVEPOINT, e);
}

int database_release(struct database *db, struct error *e)
{
    return run(db, STATEMENT_RELEASE, e);
}

int database_undo(struct database *db, struct error *e)
{
    db->counts = db->at_savepoint;
    int r = run(db, STATEMENT_UNDO, e);
    return r < 0 ? r : database_release(db, e);
}

bool database_in_transaction(const struct database *db)
{
    return !sqlite3_get_autocommit(db->handle);
}

sqlite3_stmt *database_statement(struct database *db, enum statement which)
{
    return db->statements[which];
}

int64_t database_changes(const struct database *db)
{
    return sqlite3_changes64(db->handle);
}

int64_t *database_counts(struct database *db)
{
    return db->counts.of;
}
