/*
 * document: text of a stranger ↔ JSON, within bounds.
 */
#ifndef MODEL_DOCUMENT_H
#define MODEL_DOCUMENT_H

#include <stddef.h>

struct error;
struct json_t;

/*
 * Parse @size bytes that need no final NUL. A new reference in *@ret, or
 * -EMSGSIZE above @most bytes, -EINVAL with line and reason for what is no
 * JSON, has a key twice, has \u0000 or bytes that are no UTF-8, or nests deeper
 * than LIMITS_DEPTH. Any kind of value is a document.
 */
int document_parse(struct json_t **ret, const char *text, size_t size,
                   size_t most, struct error *e);

/* A string that is always valid: bytes of @text that are no UTF-8 are escaped.
 * A new reference; NULL becomes null. */
struct json_t *document_text(const char *text);

#endif
