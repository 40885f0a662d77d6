/*
 * table: rows of text in aligned columns, for people.
 */
#ifndef CTL_TABLE_H
#define CTL_TABLE_H

#include <stddef.h>
#include <stdio.h>

#include "terminal.h"

struct json_t;
struct table;

enum table_align { TABLE_LEFT, TABLE_RIGHT };

struct table_column {
    const char *heading;
    enum table_align align;
};

/* @columns must outlive it. Never returns NULL. */
struct table *table_create(const struct table_column *columns, size_t count);
void table_destroy(struct table *t); // NULL is allowed

/* The next cell, from left to right and row by row; escaped here. NULL and ""
 * are shown as "-". */
void table_add(struct table *t, const char *text);
void table_addf(struct table *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* The colour of the cell that was added last, on a terminal that has any. */
void table_paint(struct table *t, enum terminal_colour colour);

/* Two blanks between columns, none at the end of a line. */
void table_print(const struct table *t, FILE *out);

/* All at once: a row for each of the list @rows, which @add fills. */
void table_show(const struct table_column *columns, size_t count,
                const struct json_t *rows,
                void (*add)(struct table *t, const struct json_t *row),
                FILE *out);

#endif
