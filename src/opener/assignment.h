/*
 * assignment: the one document that `transcoded-files` reads, from its parent.
 *
 *   {"job": {…}, "read_roots": ["/media"], "write_roots": ["/out"],
 *    "any": false, "mark": null, "group": null, "mode": 436}
 *
 * `any` means that no roots bound it, but the rights of its uid alone. `mark`:
 * see files_set_mark(). `group` and `mode` are numbers; a null mode leaves both
 * to the umask, a null group is that of the output's folder.
 */
#ifndef OPENER_ASSIGNMENT_H
#define OPENER_ASSIGNMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "files/roots.h"
#include "model/job.h"

struct error;

struct assignment {
    struct job job;
    struct files_roots roots; // its texts are owned here
    bool any;
    char *mark;    // owned, or NULL
    int64_t group; // -1: the folder's
    int64_t mode;  // -1: the umask says both
};

/* 0, or -EINVAL with field and words. @ret is written on success only. */
int assignment_from_text(struct assignment *ret, const char *text, size_t size,
                         struct error *e);

/*
 * Read it from @fd until a NUL or the end. 0; -EMSGSIZE, -EINVAL or another
 * -errno with words.
 */
int assignment_read(struct assignment *ret, int fd, struct error *e);

void assignment_fini(struct assignment *a);

#endif
