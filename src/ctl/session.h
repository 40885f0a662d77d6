/*
 * session: a command's talk with the daemon.
 *
 * What goes wrong is told on standard error here and comes back as the status
 * that the command ends with; STATUS_GOOD is 0.
 */
#ifndef CTL_SESSION_H
#define CTL_SESSION_H

#include "command.h"
#include "status.h"

struct client;
struct error;
struct json_t;
struct message_reply;

/* The caller closes *@ret with client_close(). */
enum status session_open(struct client **ret, const struct invocation *v);

/* Call @method with @parameters (consumed, NULL: none) and wait for the one
 * reply. *@ret is a new reference to its parameters. */
enum status session_ask(struct json_t **ret, struct client *c,
                        const struct invocation *v, const char *method,
                        struct json_t *parameters);

/*
 * Both at once, for commands that ask a single question. The reply goes to
 * @print, or as JSON to standard output; a @print of NULL has nothing to say.
 */
enum status session_query(const struct invocation *v, const char *method,
                          struct json_t *parameters,
                          void (*print)(const struct json_t *answer));

/* An error reply: its words go to @e; with --json the reply is printed. */
enum status session_refused(const struct invocation *v,
                            const struct message_reply *reply, struct error *e);

/* One JSON document, a line of its own. */
void session_print_json(const struct json_t *json);

/* @method for each operand, which are job ids: {"id": …}. All are tried, and
 * the worst status is returned. */
enum status session_each_id(const struct invocation *v, const char *method);

/* An operand as a job's id. */
enum status session_parse_id(int64_t *ret, const char *operand);

#endif
