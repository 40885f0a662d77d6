/*
 * output: one file that a job makes, from nothing to its final name.
 *
 * Complete outputs are a temporary until output_finish(); growing ones have
 * their name at once and lose it in output_abort(). Without `overwrite`
 * anything that has the name is in the way; with it a regular file or a
 * symbolic link is replaced (the link itself, nothing is written through it),
 * and nothing else ever is. What this output itself once finished may always be
 * replaced: an attempt that failed later is repeated.
 */
#ifndef FILES_OUTPUT_H
#define FILES_OUTPUT_H

#include <stdbool.h>
#include <sys/types.h>

#include "files/identity.h"
#include "files/temporary.h"

struct error;
struct files_roots;
struct output;

#define OUTPUT_FOLDER_GROUP ((gid_t)-1)

/* Who else may use an output, whatever the umask of the process is. */
struct output_sharing {
    gid_t group; // OUTPUT_FOLDER_GROUP: its folder's, where we may give it that
    mode_t mode; // as far as its file system knows modes
};

struct output_config {
    const char *path;                // not owned; absolute
    const struct files_roots *roots; // not owned; NULL: anywhere
    const char *mark;                // not owned; see files_set_mark(), or NULL
    const struct output_sharing *sharing; // not owned; NULL: by the umask
    bool overwrite;
    bool growing;
    enum temporary_kind kind;
};

/* Opens nothing yet. @config is copied, what it points to must outlive it. */
struct output *output_create(const struct output_config *config);

/* Aborts what is not finished. NULL is allowed. */
void output_destroy(struct output *o);

/*
 * Can it be begun? Its folder is there and may be written to, nothing is in the
 * way, and it is not @input (NULL: not known). 0 or -errno with words; -EBUSY
 * when it has been begun.
 */
int output_check(struct output *o, const struct identity *input,
                 struct error *e);

/* Begin it, after output_check() has said that it can be. A descriptor, O_RDWR,
 * that stays the output's, or -errno with words. */
int output_open(struct output *o, struct error *e);

/* Durable, under its final name. 0, or -errno with words: abort it then. */
int output_finish(struct output *o, struct error *e);

/* Whoever wrote a growing output is gone: what there is of it keeps its name,
 * for others have read it. Does nothing to one without a byte, or to others. */
void output_keep(struct output *o);

/* Nothing is left of what was begun and not finished. */
void output_abort(struct output *o);

/* An earlier attempt's output, finished or not, may be begun anew. */
void output_reset(struct output *o);

bool output_is_open(const struct output *o);
bool output_is_finished(const struct output *o);

/* Have both, while they are open or have been checked, the same place? */
bool output_collides(const struct output *a, const struct output *b);

#endif
