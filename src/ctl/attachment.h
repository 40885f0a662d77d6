/*
 * attachment: a job whose files this process opens for the worker, with its
 * user's own rights: the file channel, and the opener at its near end.
 */
#ifndef CTL_ATTACHMENT_H
#define CTL_ATTACHMENT_H

#include "command.h"
#include "status.h"

struct client;
struct files;
struct json_t;

/* Follows the call on @c to its end, and meanwhile serves the worker @files
 * (lent) through @channel (consumed). */
typedef enum status attachment_attend(const struct invocation *v,
                                      struct client *c, struct files *files,
                                      int channel, void *user);

/*
 * Read the document that is @v's operand, merge it over the daemon's profile
 * where it names one, see whether its files are there; then call @method (with
 * `more`) with the document as it was written and with the worker's end of the
 * channel, and @attend to it. Outputs that are not done then are aborted. What
 * goes wrong has been told.
 */
enum status attachment_run(const struct invocation *v, const char *method,
                           attachment_attend *attend);

/* The same with a document that is not a file's, and is consumed; @user is
 * @attend's. */
enum status attachment_run_document(const struct invocation *v,
                                    struct json_t *document, const char *method,
                                    attachment_attend *attend, void *user);

#endif
