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
 *
 * An input may be asked for again, each time with a descriptor of its own; an
 * output only once in an attempt. `attempt N` aborts what an earlier attempt
 * began, and lets its outputs, finished or not, be begun anew.
 */
#ifndef FILES_FILES_H
#define FILES_FILES_H

#include "files/roots.h"

struct error;
struct files;
struct job;
struct output_sharing;

/*
 * @roots NULL: any name that the process may open (a person's own rights);
 * else names must lie below one, and are opened with openat2(RESOLVE_BENEATH |
 * RESOLVE_NO_MAGICLINKS). Both must outlive it. Opens nothing yet.
 */
struct files *files_create(const struct job *job,
                           const struct files_roots *roots);

/* Aborts what is not done: nothing is left of it. NULL is allowed. */
void files_destroy(struct files *f);

/*
 * Finished outputs shall bear @mark (at most 255 bytes), an extended attribute,
 * and may replace one that does, even if the job does not overwrite. With a
 * mark that no other job has, a job whose daemon died between an output's last
 * step and its own can be done again. Copied; NULL (the default): none.
 *
 * The limit of it: on a file system without user's attributes (FAT, NFS before
 * 4.2, tmpfs before Linux 6.6) such a job, if it does not overwrite, ends with
 * `output_failed`, for its own whole output is in its way. Whose file that is
 * cannot be told there by anything that a stranger's file might not be, too.
 */
void files_set_mark(struct files *f, const char *mark);

/* Who else may use the outputs. Not owned; NULL (the default): the umask says
 * it, as for all that this process makes. */
void files_set_sharing(struct files *f, const struct output_sharing *sharing);

/*
 * What can be said before the job is sent: input there, a regular file or a
 * FIFO; outputs' folders there, nothing in the way, input and output not the
 * same file, nor two outputs. 0, or -errno with e->field and the reason. Not
 * while a worker is served.
 */
int files_check(struct files *f, struct error *e);

/*
 * Answer one request from @channel, which is readable, and is made nonblocking:
 * 1 answered, 0 hung up, or -errno when the worker broke the protocol (close
 * the channel then). `done` waits for the disk. What there is of a growing
 * output when the worker hangs up is kept.
 */
int files_serve(struct files *f, int channel, struct error *e);

/* Serve until the channel hangs up. 0 or -errno. */
int files_run(struct files *f, int channel, struct error *e);

#endif
