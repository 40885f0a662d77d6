#include "table.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/memory.h"
#include "terminal.h"

struct cell {
    char *text; // owned
    enum terminal_colour colour;
};

struct table {
    const struct table_column *columns; // not owned
    size_t column_count;
    struct cell *cells; // owned, with what they hold; row after row
    size_t cell_count;
    size_t cell_room;
};

struct table *table_create(const struct table_column *columns, size_t count)
{
    struct table *t = xcalloc(1, sizeof(*t));

    t->columns = columns;
    t->column_count = count;
    return t;
}

void table_destroy(struct table *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->cell_count; i++)
        free(t->cells[i].text);
    free(t->cells);
    free(t);
}

void table_add(struct table *t, const char *text)
{
    t->cells =
        xgrow(t->cells, &t->cell_room, t->cell_count + 1, sizeof(*t->cells));
    t->cells[t->cell_count++] = (struct cell){
        .text = terminal_escape(text && text[0] ? text : "-"),
    };
}

void table_paint(struct table *t, enum terminal_colour colour)
{
    t->cells[t->cell_count - 1].colour = colour;
}

void table_addf(struct table *t, const char *format, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    table_add(t, text);
}

static size_t column_width(const struct table *t, size_t column)
{
    size_t most = terminal_width_of(t->columns[column].heading);

    for (size_t i = column; i < t->cell_count; i += t->column_count) {
        size_t width = terminal_width_of(t->cells[i].text);
        if (width > most)
            most = width;
    }
    return most;
}

static void print_cell(const struct table *t, size_t column,
                       const struct cell *cell, size_t width,
                       const struct terminal *to)
{
    int gap = (int)(width - terminal_width_of(cell->text));
    bool is_last = column + 1 == t->column_count;
    bool is_right = t->columns[column].align == TABLE_RIGHT;

    (void)fprintf(to->out, "%*s%s%s%s%*s%s", is_right ? gap : 0, "",
                  terminal_paint(to, cell->colour), cell->text,
                  terminal_unpaint(to, cell->colour),
                  is_right || is_last ? 0 : gap, "", is_last ? "\n" : "  ");
}

void table_print(const struct table *t, FILE *out)
{
    size_t *widths = xcalloc(t->column_count, sizeof(*widths));
    struct terminal to;

    terminal_init(&to, out);
    for (size_t c = 0; c < t->column_count; c++)
        widths[c] = column_width(t, c);
    for (size_t c = 0; c < t->column_count; c++) {
        const struct cell heading = {.text = (char *)t->columns[c].heading};
        print_cell(t, c, &heading, widths[c], &to);
    }
    for (size_t i = 0; i < t->cell_count; i++)
        print_cell(t, i % t->column_count, &t->cells[i],
                   widths[i % t->column_count], &to);
    free(widths);
}

void table_show(const struct table_column *columns, size_t count,
                const json_t *rows, void (*add)(struct table *, const json_t *),
                FILE *out)
{
    struct table *t = table_create(columns, count);
    size_t i;
    const json_t *row;

    json_array_foreach (rows, i, row) {
        add(t, row);
    }
    table_print(t, out);
    table_destroy(t);
}
