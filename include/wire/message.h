/*
 * message: varlink calls and replies ↔ JSON (https://varlink.org), and the bare
 * objects that daemon and worker exchange (model/order.h, model/event.h).
 *
 * Strict about what is read: an object of valid UTF-8 without duplicate keys
 * and without \u0000, nested no deeper than LIMITS_DEPTH. Members that varlink
 * does not know are refused, but for vendors' extensions, which it wants to be
 * objects under a reverse-domain name ("com.example": {…}): these are ignored.
 * A member that is null counts as absent.
 */
#ifndef WIRE_MESSAGE_H
#define WIRE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

struct error;
struct json_t;

struct message_call {
    char *method;              // owned; "io.transcoded.Submit"
    struct json_t *parameters; // referenced; an object, never NULL
    bool more;
    bool oneway;
};

struct message_reply {
    char *error;               // owned; "io.transcoded.InvalidJob", NULL: good
    struct json_t *parameters; // referenced; an object, never NULL
    bool continues;
};

/* 0, or -EINVAL with words when it is none: the connection is to be closed. A
 * call that wants to `upgrade` the connection is none either. */
int message_parse_call(struct message_call *ret, const char *text, size_t size,
                       struct error *e);
int message_parse_reply(struct message_reply *ret, const char *text,
                        size_t size, struct error *e);
void message_call_fini(struct message_call *c);
void message_reply_fini(struct message_reply *r);

/*
 * The text to send, its final NUL included in *@ret_size; the caller frees.
 * @parameters are borrowed, NULL stands for {}.
 */
char *message_format_call(const char *method, const struct json_t *parameters,
                          bool more, size_t *ret_size);
char *message_format_reply(const struct json_t *parameters, bool continues,
                           size_t *ret_size);
char *message_format_error(const char *error, const struct json_t *parameters,
                           size_t *ret_size);

/* The same strictness for an object that is no varlink message. *@ret is a new
 * reference; 0 or -EINVAL with words. */
int message_parse_object(struct json_t **ret, const char *text, size_t size,
                         struct error *e);
/* The text with its final NUL counted in *@ret_size; the caller frees. */
char *message_format_object(const struct json_t *object, size_t *ret_size);

#endif
