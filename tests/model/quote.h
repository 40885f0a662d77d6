/*
 * quote: JSON in C strings without a backslash before each quote: 'a' for "a".
 */
#ifndef TESTS_MODEL_QUOTE_H
#define TESTS_MODEL_QUOTE_H

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/memory.h"

/* @text with double quotes; the caller frees. */
static inline char *requote(const char *text)
{
    char *copy = xstrdup(text);

    for (char *s = copy; (s = strchr(s, '\''));)
        *s = '"';
    return copy;
}

/* The value; a new reference. */
static inline json_t *quote(const char *text)
{
    char *quoted = requote(text);
    json_t *json = json_loads(quoted, JSON_DECODE_ANY, NULL);

    free(quoted);
    assert_non_null(json);
    return json;
}

/* Is @json what @text says? Consumes @json. */
static inline void assert_json(json_t *json, const char *text)
{
    json_t *expect = quote(text);

    if (!json_equal(json, expect)) {
        char *shown = json_dumps(json, JSON_SORT_KEYS | JSON_ENCODE_ANY);
        char *wanted = json_dumps(expect, JSON_SORT_KEYS | JSON_ENCODE_ANY);
        print_error("%s\nis not\n%s\n", shown, wanted);
        free(shown);
        free(wanted);
        fail();
    }
    json_decref(json);
    json_decref(expect);
}

#endif
