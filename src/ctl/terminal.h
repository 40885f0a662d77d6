/*
 * terminal: where output for people goes, and what it can do.
 */
#ifndef CTL_TERMINAL_H
#define CTL_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct json_t;

struct terminal {
    FILE *out;    // not owned
    bool live;    // a terminal, whose last line can be drawn again
    bool colour;  // and NO_COLOR is not set
    size_t width; // columns
};

enum terminal_colour {
    TERMINAL_PLAIN,
    TERMINAL_GREEN,
    TERMINAL_YELLOW,
    TERMINAL_RED,
};

/* Something else than a terminal is not live. */
void terminal_init(struct terminal *t, FILE *out);

/* Ask for the width again, after SIGWINCH. */
void terminal_resize(struct terminal *t);

/* What begins and what ends text of a colour; "" where there are none. */
const char *terminal_paint(const struct terminal *t, enum terminal_colour c);
const char *terminal_unpaint(const struct terminal *t, enum terminal_colour c);

/* @s as text_escape() makes it, as long as it comes; the caller frees. */
char *terminal_escape(const char *s);

/* Print @json with jansson's @flags and end the line. On a terminal characters
 * beyond ASCII are escaped, which JSON leaves as they are. */
void terminal_print_json(FILE *out, const struct json_t *json, size_t flags);

/* The columns that escaped text takes. */
size_t terminal_width_of(const char *s);

#endif
