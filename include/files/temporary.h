/*
 * temporary: a new file that nobody sees before it is complete.
 *
 * Without a name (O_TMPFILE) the kernel removes it with its last descriptor. A
 * file system that cannot do that, and replacing a file anywhere, needs a
 * hidden name for a while: such a file is locked (flock) as long as it is
 * wanted, and whoever makes the next one in a folder removes those that
 * are not locked, whose owners have died.
 */
#ifndef FILES_TEMPORARY_H
#define FILES_TEMPORARY_H

struct error;

/* The best way that is tried; a file system that cannot go it gets the next
 * one, so that others than the first are for tests. */
enum temporary_kind {
    TEMPORARY_UNNAMED,
    TEMPORARY_HIDDEN, // renamed, with RENAME_NOREPLACE to keep what is there
    TEMPORARY_LINKED, // hidden too; a hard link keeps what is there
};

enum temporary_mode {
    TEMPORARY_KEEP,    // fail with -EEXIST when the name is taken
    TEMPORARY_REPLACE, // a file or a symbolic link, in one step
};

struct temporary {
    int folder; // not owned; a descriptor, O_PATH will do
    int fd;     // owned; O_RDWR, -1: there is none
    enum temporary_kind kind;
    char name[40]; // hidden, "" without one
};

/* 0666 & umask. 0 or -errno with words; *@ret is written on success only. */
int temporary_create(struct temporary *ret, int folder,
                     enum temporary_kind kind, struct error *e);

/*
 * Make it durable and give it @name in its folder. 0 or -errno with words, then
 * it is still there, unseen; but for a disk that fails in the last step, which
 * makes the name durable: then it has its name.
 */
int temporary_publish(struct temporary *t, const char *name,
                      enum temporary_mode mode, struct error *e);

/* Close it; without having been published nothing is left of it. */
void temporary_fini(struct temporary *t);

/* Make the entries of @folder durable. 0 or -errno. */
int temporary_sync_folder(int folder);

#endif
