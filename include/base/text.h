/*
 * text: words and numbers that people write, and text from strangers that
 * people will read.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Is it valid UTF-8 (no overlong forms, no surrogates) of @size bytes? */
bool text_is_utf8(const char *s, size_t size);

/*
 * Copy @s into @ret of @size bytes, cut where it must be, so that a terminal
 * or a journal takes no harm: control characters, bytes that are no UTF-8 and
 * direction overrides become \n, \t, \xNN or \uNNNN, a backslash stays itself.
 * Always NUL-terminated; a character is written whole or not at all.
 */
void text_escape(const char *s, char *ret, size_t size);

/* Put '?' for bytes of @s that are no UTF-8, such as half a character at a
 * cut. */
void text_repair(char *s);

/*
 * "30s", "500ms", "5min", "2h", "1d" or "90" (seconds) to µs.
 * 0, -EINVAL when it is none, -ERANGE when it does not fit.
 */
int text_parse_duration(const char *s, int64_t *ret_us);

/* "5M", "64K", "1G" (powers of 1024) or bytes. Errors as above. */
int text_parse_size(const char *s, int64_t *ret_bytes);

/* A decimal integer, all of @s. Errors as above. */
int text_parse_integer(const char *s, int64_t *ret);

/* "yes", "true", "on", "1", and their contraries. 0 or -EINVAL. */
int text_parse_bool(const char *s, bool *ret);

/* The other way, for people: "1min 30s", "5.0M". @ret holds @size bytes. */
void text_format_duration(int64_t us, char *ret, size_t size);
void text_format_size(int64_t bytes, char *ret, size_t size);

#endif
