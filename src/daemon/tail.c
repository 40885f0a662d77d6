#include "tail.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"

#define LINE 500 // bytes of a line that are kept

struct tail {
    char **lines; // owned; a ring
    size_t room;
    size_t next;
    char line[LINE + 1]; // the unfinished one
    size_t used;
};

struct tail *tail_create(size_t lines)
{
    struct tail *t = xcalloc(1, sizeof(*t));

    t->room = lines ? lines : 1;
    t->lines = xcalloc(t->room, sizeof(*t->lines));
    return t;
}

void tail_destroy(struct tail *t)
{
    if (!t)
        return;
    for (size_t i = 0; i < t->room; i++)
        free(t->lines[i]);
    free(t->lines);
    free(t);
}

static char *printable(const struct tail *t)
{
    char escaped[4 * LINE + 1];
    char raw[LINE + 1];

    memcpy(raw, t->line, t->used);
    raw[t->used] = '\0';
    for (char *c = raw; c < raw + t->used; c++) {
        if (!*c)
            *c = ' '; // or the rest would be lost
    }
    text_escape(raw, escaped, sizeof(escaped));
    return xstrdup(escaped);
}

static void finish_line(struct tail *t,
                        void (*on_line)(void *user, const char *line),
                        void *user)
{
    free(t->lines[t->next]);
    t->lines[t->next] = printable(t);
    t->used = 0;
    if (on_line)
        on_line(user, t->lines[t->next]);
    t->next = (t->next + 1) % t->room;
}

void tail_write(struct tail *t, const char *data, size_t size,
                void (*on_line)(void *user, const char *line), void *user)
{
    for (size_t i = 0; i < size; i++) {
        if (data[i] == '\n' || data[i] == '\r') {
            if (t->used)
                finish_line(t, on_line, user);
        } else if (t->used < LINE) {
            t->line[t->used++] = data[i];
        }
    }
}

struct json_t *tail_to_json(const struct tail *t)
{
    json_t *array = json_array();

    for (size_t i = 0; i < t->room; i++) {
        const char *line = t->lines[(t->next + i) % t->room];
        if (line)
            json_array_append_new(array, json_string(line));
    }
    if (t->used) {
        char *line = printable(t);
        json_array_append_new(array, json_string(line));
        free(line);
    }
    return array;
}
