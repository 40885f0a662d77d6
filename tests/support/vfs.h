/*
 * vfs: a disk under SQLite that a test can slow down, fill up, break and
 * unplug.
 *
 * It lies over the system's own VFS and is SQLite's default between
 * vfs_create() and vfs_destroy(), so that what is tested knows nothing of it.
 * It remembers of each file what was synced and what was only written: after a
 * power cut the first is there, and of the second whatever chance left.
 *
 * All functions may be called while another thread uses the database, but for
 * create, destroy and restore.
 */
#ifndef SUPPORT_VFS_H
#define SUPPORT_VFS_H

#include <stdint.h>

struct vfs;

enum vfs_fault {
    VFS_HEALTHY,
    VFS_FULL,      // writes say that the disk is full
    VFS_READ_ONLY, // writes are refused
    VFS_BROKEN,    // writes and syncs fail
};

struct vfs *vfs_create(void);
void vfs_destroy(struct vfs *v); // NULL is allowed

void vfs_set_fault(struct vfs *v, enum vfs_fault fault);
void vfs_set_sync_time(struct vfs *v, int64_t us); // what each sync takes
int64_t vfs_syncs(const struct vfs *v);            // since vfs_create()
int64_t vfs_changes(const struct vfs *v); // writes, truncations and syncs

/* Nothing reaches the disk after @changes more of them. */
void vfs_cut_power_after(struct vfs *v, int64_t changes);

/*
 * Every file becomes what the disk kept of it, and the power is back. @seed
 * decides what became of each write that no sync had covered: there, not there,
 * or torn. The database must be closed.
 */
void vfs_restore(struct vfs *v, unsigned seed);

#endif
