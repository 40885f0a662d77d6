/*
 * page: facts with labels, for people; and how they read a time.
 */
#ifndef CTL_PAGE_H
#define CTL_PAGE_H

#include <stddef.h>
#include <stdint.h>

struct json_t;

#define PAGE_TIME 32 // bytes that hold any time

/* "  label       text", the text escaped, on standard output. */
void page_line(const char *label, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* A line where @value is a text, an integer or true; nothing where it is not.
 */
void page_value(const char *label, const struct json_t *value);

/* A line for each text of the list @values, which may be NULL. */
void page_texts(const char *label, const struct json_t *values);

/* "2026-03-01 20:15:00", here. "" when @value (µs since the epoch) is no time.
 */
void page_format_time(const struct json_t *value, char ret[PAGE_TIME]);

/* From the one to the other, "1min 30s"; "" when one of them is not known. */
void page_format_span(const struct json_t *from, const struct json_t *to,
                      char ret[PAGE_TIME]);

#endif
