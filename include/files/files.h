/*
 * files: the opener. Opens the files of one job for its worker, over the file
 * channel (wire/channel.h), with the rights of the process that it runs in.
 *
 * Three users: `transcodectl run` (its user's own rights), `transcoded-files`
 * (below the configured roots) and later the shim. It maps role and number to
 * the names in the job document and refuses all else.
 *
 * An output is an unnamed file (O_TMPFILE) in the destination's folder, synced
 * and linked under its final name on `done`, so that nothing is left of it
 * whatever dies; where the file system has none, a hidden temporary beside the
 * destination, locked while it lives, unlocked ones of dead openers being
 * removed by the next one. `growing` outputs have their final name at once.
 */
#ifndef FILES_FILES_H
#define FILES_FILES_H

#include <stdbool.h>
#include <stddef.h>

struct error;
struct files;
struct job;

struct files_roots {
    char **read;  // not owned; absolute folders
    size_t read_count;
    char **write; // not owned
    size_t write_count;
};

/*
 * @roots NULL: any name that the process may open (a person's own rights);
 * else names must lie below one, and are opened with openat2(RESOLVE_BENEATH |
 * RESOLVE_NO_MAGICLINKS). @job must outlive it. Opens nothing yet.
 */
struct files *files_create(const struct job *job,
                           const struct files_roots *roots);

/* Aborts what is not done: nothing is left of it. NULL is allowed. */
void files_destroy(struct files *f);

/*
 * What can be said before the job is sent: input there, a regular file or a
 * FIFO; outputs' folders there, nothing in the way, input and output not the
 * same file. 0, or -errno with e->field and the reason.
 */
int files_check(struct files *f, struct error *e);

/*
 * Answer one request from @channel, which is readable: 1 answered, 0 hung up,
 * or -errno when the worker broke the protocol (close the channel then).
 */
int files_serve(struct files *f, int channel, struct error *e);

/* Serve until the channel hangs up. 0 or -errno. */
int files_run(struct files *f, int channel, struct error *e);

#endif
