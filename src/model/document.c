#include "model/document.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "model/limits.h"

/* Does @json nest at most @left levels? */
static bool is_shallow(const json_t *json, int left)
{
    const char *key;
    json_t *value;
    size_t i;

    if (!json_is_object(json) && !json_is_array(json))
        return true;
    if (left == 0)
        return false;
    json_object_foreach ((json_t *)(size_t)json, key, value) {
        if (!is_shallow(value, left - 1))
            return false;
    }
    json_array_foreach (json, i, value) {
        if (!is_shallow(value, left - 1))
            return false;
    }
    return true;
}

int document_parse(struct json_t **ret, const char *text, size_t size,
                   size_t most, struct error *e)
{
    json_error_t why;

    if (size > most)
        return error_set(e, -EMSGSIZE, "document is larger than %zu bytes",
                         most);

    json_t *json =
        json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &why);
    if (!json)
        return error_set(e, -EINVAL, "not valid JSON in line %d, column %d: %s",
                         why.line, why.column, why.text);
    if (!is_shallow(json, LIMITS_DEPTH)) {
        json_decref(json);
        return error_set(e, -EINVAL, "document nests deeper than %d levels",
                         LIMITS_DEPTH);
    }
    *ret = json;
    return 0;
}

struct json_t *document_text(const char *text)
{
    if (!text)
        return json_null();
    if (text_is_utf8(text, strlen(text)))
        return json_string(text);

    size_t room = strlen(text) * 4 + 1; // \xNN for each byte
    char *escaped = xcalloc(room, 1);
    text_escape(text, escaped, room);
    json_t *json = json_string(escaped);
    free(escaped);
    return json;
}
