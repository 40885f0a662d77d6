#include "reporter.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/memory.h"
#include "model/event.h"

/* Log events in one second, at most: clients read them. */
#define LINES_MOST 5

struct reporter {
    pthread_mutex_t lock;
    int fd; // not owned
    bool ended;

    int64_t second; // in which the lines were counted
    int lines;
    int left_out;
};

struct reporter *reporter_create(int fd)
{
    struct reporter *r = xcalloc(1, sizeof(*r));

    pthread_mutex_init(&r->lock, NULL);
    r->fd = fd;
    return r;
}

void reporter_destroy(struct reporter *r)
{
    if (!r)
        return;
    pthread_mutex_destroy(&r->lock);
    free(r);
}

static char *format_event(const struct event *event)
{
    json_t *json = event_to_json(event);
    char *text = json_dumps(json, JSON_COMPACT);

    json_decref(json);
    return text;
}

void reporter_send(struct reporter *r, const struct event *event)
{
    char *text = format_event(event);

    if (!text)
        return; // no UTF-8, which text_escape() has prevented
    pthread_mutex_lock(&r->lock);
    if (!r->ended || event->kind == EVENT_RELEASED)
        (void)fd_write_all(r->fd, text, strlen(text) + 1); // if they listen
    r->ended |= event->kind == EVENT_OUTCOME;
    pthread_mutex_unlock(&r->lock);
    free(text);
}

void reporter_end(struct reporter *r, enum outcome outcome, const char *format,
                  ...)
{
    char text[EVENT_TEXT_MOST];
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    struct event event = {
        .kind = EVENT_OUTCOME,
        .outcome = {.outcome = outcome, .text = text, .whole = -1},
    };
    reporter_send(r, &event);
}

/* How many lines were left out before this one, or -1 to leave it out too. */
static int admit(struct reporter *r)
{
    int64_t second = clock_now() / SECOND;
    int before = -1;

    pthread_mutex_lock(&r->lock);
    if (second != r->second) {
        r->second = second;
        r->lines = 0;
    }
    if (r->lines++ < LINES_MOST) {
        before = r->left_out;
        r->left_out = 0;
    } else {
        r->left_out++;
    }
    pthread_mutex_unlock(&r->lock);
    return before;
}

void reporter_log(struct reporter *r, enum log_level level, const char *text)
{
    char line[EVENT_TEXT_MOST];
    int left_out = admit(r);

    if (left_out < 0)
        return;
    if (left_out)
        (void)snprintf(line, sizeof(line), "%s (%d lines before left out)",
                       text, left_out);
    else
        (void)snprintf(line, sizeof(line), "%s", text);
    struct event event = {
        .kind = EVENT_LOG,
        .log = {.level = level, .text = line},
    };
    reporter_send(r, &event);
}
