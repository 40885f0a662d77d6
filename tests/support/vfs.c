#include "support/vfs.h"

#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/fd.h"
#include "base/list.h"
#include "base/memory.h"

#define NAME      "test-disk"
#define FILE_MOST (64 << 20) // bytes of a file that is remembered

struct bytes {
    char *data; // owned
    size_t size;
    size_t room;
};

/* A write that no sync has covered yet; without data a truncation. */
struct change {
    struct list link; // of its platter
    size_t offset;
    size_t size;
    char *data; // owned, or NULL
};

/* What the disk holds of a file: it outlives its being open. */
struct platter {
    struct list link; // of the vfs
    char *path;       // owned
    struct bytes synced;
    struct list changes;
};

struct vfs {
    sqlite3_vfs base;    // first: SQLite knows it by this
    sqlite3_vfs *system; // not owned
    _Atomic int fault;
    _Atomic int64_t sync_time; // µs
    _Atomic int64_t syncs;
    _Atomic int64_t changes;
    _Atomic int64_t cut_at; // changes at which the power goes
    pthread_mutex_t mutex;  // guards the platters
    struct list platters;
};

/* The system's own file follows it in memory. */
struct file {
    sqlite3_file base;
    struct vfs *vfs;         // not owned
    struct platter *platter; // not owned; NULL for what needs no memory
};

static sqlite3_file *system_file(sqlite3_file *f)
{
    return (sqlite3_file *)(void *)((struct file *)(void *)f + 1);
}

static struct file *file_of(sqlite3_file *f)
{
    return (struct file *)(void *)f;
}

static void make_room(struct bytes *b, size_t size)
{
    assert(size <= FILE_MOST);
    if (size <= b->size)
        return;
    b->data = xgrow(b->data, &b->room, size, 1);
    memset(b->data + b->size, 0, size - b->size);
    b->size = size;
}

static void apply(struct bytes *b, const struct change *c, size_t size)
{
    if (!c->data) {
        make_room(b, c->size);
        b->size = c->size;
        return;
    }
    if (size == 0)
        return;
    make_room(b, c->offset + size);
    memcpy(b->data + c->offset, c->data, size);
}

static void drop(struct change *c)
{
    list_remove(&c->link);
    free(c->data);
    free(c);
}

static void remember(struct file *f, const void *data, size_t size,
                     size_t offset)
{
    if (!f->platter)
        return;
    struct change *c = xcalloc(1, sizeof(*c));
    c->offset = offset;
    c->size = size;
    c->data = data ? xmemdup(data, size) : NULL;
    (void)pthread_mutex_lock(&f->vfs->mutex);
    list_append(&f->platter->changes, &c->link);
    (void)pthread_mutex_unlock(&f->vfs->mutex);
}

static void settle(struct file *f)
{
    if (!f->platter)
        return;
    (void)pthread_mutex_lock(&f->vfs->mutex);
    list_foreach (link, next, &f->platter->changes) {
        struct change *c = list_entry(link, struct change, link);
        apply(&f->platter->synced, c, c->size);
        drop(c);
    }
    (void)pthread_mutex_unlock(&f->vfs->mutex);
}

/* SQLITE_OK when a change may go on; @writes tells a sync from the others. */
static int may_change(struct vfs *v, bool writes)
{
    if (atomic_fetch_add(&v->changes, 1) >= atomic_load(&v->cut_at))
        return SQLITE_IOERR;
    switch ((enum vfs_fault)atomic_load(&v->fault)) {
    case VFS_HEALTHY:
        break;
    case VFS_FULL:
        return writes ? SQLITE_FULL : SQLITE_OK;
    case VFS_READ_ONLY:
        return writes ? SQLITE_READONLY : SQLITE_OK;
    case VFS_BROKEN:
        return SQLITE_IOERR;
    }
    return SQLITE_OK;
}

static int on_write(sqlite3_file *f, const void *data, int size,
                    sqlite3_int64 offset)
{
    int code = may_change(file_of(f)->vfs, true);

    if (code != SQLITE_OK)
        return code;
    remember(file_of(f), data, (size_t)size, (size_t)offset);
    sqlite3_file *real = system_file(f);
    return real->pMethods->xWrite(real, data, size, offset);
}

static int on_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    int code = may_change(file_of(f)->vfs, true);

    if (code != SQLITE_OK)
        return code;
    remember(file_of(f), NULL, (size_t)size, 0);
    sqlite3_file *real = system_file(f);
    return real->pMethods->xTruncate(real, size);
}

static void wait_us(int64_t us)
{
    struct timespec t = {.tv_sec = us / 1000000,
                         .tv_nsec = us % 1000000 * 1000};

    if (us > 0)
        (void)nanosleep(&t, NULL);
}

/* The real file is not synced: the test's folder may die with the machine. */
static int on_sync(sqlite3_file *f, int flags)
{
    struct vfs *v = file_of(f)->vfs;

    (void)flags;
    int code = may_change(v, false);
    if (code != SQLITE_OK)
        return code;
    wait_us(atomic_load(&v->sync_time));
    settle(file_of(f));
    atomic_fetch_add(&v->syncs, 1);
    return SQLITE_OK;
}

// What follows hands on to the system.

static int on_close(sqlite3_file *f)
{
    sqlite3_file *real = system_file(f);
    return real->pMethods ? real->pMethods->xClose(real) : SQLITE_OK;
}

static int on_read(sqlite3_file *f, void *data, int size, sqlite3_int64 offset)
{
    sqlite3_file *real = system_file(f);
    return real->pMethods->xRead(real, data, size, offset);
}

static int on_file_size(sqlite3_file *f, sqlite3_int64 *size)
{
    sqlite3_file *real = system_file(f);
    return real->pMethods->xFileSize(real, size);
}

static int on_lock(sqlite3_file *f, int lock)
{
    sqlite3_file *real = system_file(f);
    return real->pMethods->xLock(real, lock);
}

static int on_unlock(sqlite3_file *f, int lock)
{
    sqlite3_file *real = system_file(f);
    return real->pMethods->xUnlock(real, lock);
}

static int on_check_lock(sqlite3_file *f, int *reserved)
{
    sqlite3_file *real = system_file(f);
    return real->pMethods->xCheckReservedLock(real, reserved);
}

static int on_control(sqlite3_file *f, int what, void *value)
{
    sqlite3_file *real = system_file(f);
    return real->pMethods->xFileControl(real, what, value);
}

static int on_sector_size(sqlite3_file *f)
{
    sqlite3_file *real = system_file(f);
    return real->pMethods->xSectorSize(real);
}

static int on_characteristics(sqlite3_file *f)
{
    sqlite3_file *real = system_file(f);
    return real->pMethods->xDeviceCharacteristics(real);
}

static int on_shm_map(sqlite3_file *f, int page, int size, int extend,
                      void volatile **ret)
{
    sqlite3_file *real = system_file(f);
    return real->pMethods->xShmMap(real, page, size, extend, ret);
}

static int on_shm_lock(sqlite3_file *f, int offset, int count, int flags)
{
    sqlite3_file *real = system_file(f);
    return real->pMethods->xShmLock(real, offset, count, flags);
}

static void on_shm_barrier(sqlite3_file *f)
{
    sqlite3_file *real = system_file(f);
    real->pMethods->xShmBarrier(real);
}

static int on_shm_unmap(sqlite3_file *f, int forget)
{
    sqlite3_file *real = system_file(f);
    return real->pMethods->xShmUnmap(real, forget);
}

// clang-format off
static const sqlite3_io_methods methods = {
    .iVersion = 2,
    .xClose = on_close,
    .xRead = on_read,
    .xWrite = on_write,
    .xTruncate = on_truncate,
    .xSync = on_sync,
    .xFileSize = on_file_size,
    .xLock = on_lock,
    .xUnlock = on_unlock,
    .xCheckReservedLock = on_check_lock,
    .xFileControl = on_control,
    .xSectorSize = on_sector_size,
    .xDeviceCharacteristics = on_characteristics,
    .xShmMap = on_shm_map,
    .xShmLock = on_shm_lock,
    .xShmBarrier = on_shm_barrier,
    .xShmUnmap = on_shm_unmap,
};
// clang-format on

static void forget_platter(struct platter *p)
{
    list_remove(&p->link);
    list_foreach (link, next, &p->changes) {
        drop(list_entry(link, struct change, link));
    }
    free(p->synced.data);
    free(p->path);
    free(p);
}

static struct platter *find_platter(struct vfs *v, const char *path)
{
    list_foreach (link, next, &v->platters) {
        struct platter *p = list_entry(link, struct platter, link);
        if (strcmp(p->path, path) == 0)
            return p;
    }
    return NULL;
}

/* What is there already counts as synced. */
static struct platter *add_platter(struct vfs *v, const char *path)
{
    struct platter *p = xcalloc(1, sizeof(*p));

    p->path = xstrdup(path);
    list_init(&p->changes);
    if (fd_read_file(AT_FDCWD, path, FILE_MOST, &p->synced.data,
                     &p->synced.size) == 0)
        p->synced.room = p->synced.size;
    list_append(&v->platters, &p->link);
    return p;
}

static struct vfs *vfs_of(sqlite3_vfs *base)
{
    return (struct vfs *)(void *)base;
}

static int on_open(sqlite3_vfs *base, sqlite3_filename path, sqlite3_file *f,
                   int flags, int *ret_flags)
{
    const int kept =
        SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL;
    struct vfs *v = vfs_of(base);
    struct file *file = file_of(f);

    file->vfs = v;
    file->platter = NULL;
    if (flags & kept) {
        (void)pthread_mutex_lock(&v->mutex);
        file->platter = find_platter(v, path);
        if (!file->platter)
            file->platter = add_platter(v, path);
        (void)pthread_mutex_unlock(&v->mutex);
    }
    sqlite3_file *real = system_file(f);
    memset(real, 0, (size_t)v->system->szOsFile);
    int code = v->system->xOpen(v->system, path, real, flags, ret_flags);
    f->pMethods = code == SQLITE_OK ? &methods : NULL;
    return code;
}

static int on_delete(sqlite3_vfs *base, const char *path, int sync_folder)
{
    struct vfs *v = vfs_of(base);

    int code = may_change(v, true);
    if (code != SQLITE_OK)
        return code;
    (void)pthread_mutex_lock(&v->mutex);
    struct platter *p = find_platter(v, path);
    if (p)
        forget_platter(p);
    (void)pthread_mutex_unlock(&v->mutex);
    return v->system->xDelete(v->system, path, sync_folder);
}

struct vfs *vfs_create(void)
{
    struct vfs *v = xcalloc(1, sizeof(*v));

    v->system = sqlite3_vfs_find(NULL);
    v->base = *v->system;
    v->base.zName = NAME;
    v->base.pNext = NULL;
    v->base.szOsFile = (int)sizeof(struct file) + v->system->szOsFile;
    v->base.xOpen = on_open;
    v->base.xDelete = on_delete;
    v->cut_at = INT64_MAX;
    list_init(&v->platters);
    (void)pthread_mutex_init(&v->mutex, NULL);
    int code = sqlite3_vfs_register(&v->base, 1);
    assert(code == SQLITE_OK);
    (void)code;
    return v;
}

void vfs_destroy(struct vfs *v)
{
    if (!v)
        return;
    (void)sqlite3_vfs_unregister(&v->base);
    (void)sqlite3_vfs_register(v->system, 1);
    list_foreach (link, next, &v->platters) {
        forget_platter(list_entry(link, struct platter, link));
    }
    (void)pthread_mutex_destroy(&v->mutex);
    free(v);
}

void vfs_set_fault(struct vfs *v, enum vfs_fault fault)
{
    atomic_store(&v->fault, (int)fault);
}

void vfs_set_sync_time(struct vfs *v, int64_t us)
{
    atomic_store(&v->sync_time, us);
}

int64_t vfs_syncs(const struct vfs *v)
{
    return atomic_load(&v->syncs);
}

int64_t vfs_changes(const struct vfs *v)
{
    return atomic_load(&v->changes);
}

void vfs_cut_power_after(struct vfs *v, int64_t changes)
{
    atomic_store(&v->cut_at, atomic_load(&v->changes) + changes);
}

/* Each write that nobody waited for: all, nothing or half of it. */
static void lose(struct platter *p, unsigned *seed)
{
    list_foreach (link, next, &p->changes) {
        struct change *c = list_entry(link, struct change, link);
        const size_t kept[] = {0, c->size, c->size / 2};
        size_t size = kept[rand_r(seed) % 3];
        if (c->data || size > 0)
            apply(&p->synced, c, size);
        drop(c);
    }
}

static void write_platter(const struct platter *p)
{
    int fd = open(p->path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert(fd >= 0);
    int r = fd_write_all(fd, p->synced.data, p->synced.size);
    assert(r == 0);
    (void)r;
    fd_close(&fd);
}

void vfs_restore(struct vfs *v, unsigned seed)
{
    list_foreach (link, next, &v->platters) {
        struct platter *p = list_entry(link, struct platter, link);
        lose(p, &seed);
        write_platter(p);
        forget_platter(p);
    }
    atomic_store(&v->cut_at, INT64_MAX);
}
