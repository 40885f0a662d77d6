/*
 * message: varlink calls and replies ↔ JSON (https://varlink.org).
 */
#ifndef WIRE_MESSAGE_H
#define WIRE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>

struct error;
struct json_t;

#define MESSAGE_INTERFACE "io.transcoded"

struct message_call {
    char *method;             // owned; "io.transcoded.Submit"
    struct json_t *parameters; // referenced; an object, never NULL
    bool more;
    bool oneway;
};

struct message_reply {
    char *error;              // owned; "io.transcoded.InvalidJob", NULL: good
    struct json_t *parameters; // referenced; an object, never NULL
    bool continues;
};

/* 0, or -EINVAL when it is no call (no JSON, no object, unknown members, deeper
 * than LIMITS_DEPTH, duplicate keys, \u0000): the connection is to be closed. */
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

#endif
