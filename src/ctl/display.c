#include "display.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "model/event.h"
#include "progress.h"

#define LINE_INTERVAL (5 * SECOND) // between two lines of progress

struct display {
    struct terminal *terminal; // not owned
    enum display_mode mode;
    int64_t job;
    enum state state;
    int64_t line_due; // monotonic µs, the next line of progress
    char plan[256];   // of the first stream that is not copied, escaped
    bool has_bar;     // it stands on the terminal's last line
    bool has_progress;
    struct event_progress progress; // the latest
};

struct display *display_create(struct terminal *t, enum display_mode mode)
{
    struct display *d = xcalloc(1, sizeof(*d));

    d->terminal = t;
    d->mode = mode == DISPLAY_BAR && !t->live ? DISPLAY_LINES : mode;
    return d;
}

static void hide_bar(struct display *d)
{
    if (d->has_bar)
        (void)fputs("\r\033[K", d->terminal->out);
    d->has_bar = false;
}

static void show_bar(struct display *d)
{
    char line[1024];

    if (d->mode != DISPLAY_BAR || !d->has_progress)
        return;
    progress_format_bar(&d->progress, d->plan, d->terminal->width, line,
                        sizeof(line));
    (void)fprintf(d->terminal->out, "\r%s\033[K", line);
    d->has_bar = true;
}

void display_destroy(struct display *d)
{
    if (!d)
        return;
    hide_bar(d);
    (void)fflush(d->terminal->out);
    free(d);
}

void display_resize(struct display *d)
{
    terminal_resize(d->terminal);
    show_bar(d);
    (void)fflush(d->terminal->out);
}

int64_t display_job(const struct display *d)
{
    return d->job;
}

enum state display_state(const struct display *d)
{
    return d->state;
}

/* A line that stays, after "job 17: ". */
static void say(struct display *d, enum terminal_colour colour,
                const char *format, ...) __attribute__((format(printf, 3, 4)));

static void say(struct display *d, enum terminal_colour colour,
                const char *format, ...)
{
    char text[EVENT_TEXT_MOST + 512];
    va_list ap;

    va_start(ap, format);
    (void)vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);

    char *safe = terminal_escape(text);
    hide_bar(d);
    (void)fprintf(d->terminal->out, "%sjob %" PRId64 ": %s%s\n",
                  terminal_paint(d->terminal, colour), d->job, safe,
                  terminal_unpaint(d->terminal, colour));
    free(safe);
}

static void show_state(struct display *d, const struct event *ev, int64_t now)
{
    say(d, TERMINAL_PLAIN, "%s", state_name(ev->state));
    d->has_progress = false; // a new attempt begins again
    d->line_due = now + LINE_INTERVAL;
}

static void show_ready(struct display *d, const struct event *ev, int64_t now)
{
    const struct event_ready *ready = &ev->ready;

    (void)now;
    d->plan[0] = '\0';
    for (size_t i = 0; i < ready->plan_count; i++) {
        say(d, TERMINAL_PLAIN, "plan on %s: %s", ready->device, ready->plan[i]);
        if (!d->plan[0] && strcmp(ready->plan[i], "copy") != 0)
            text_escape(ready->plan[i], d->plan, sizeof(d->plan));
    }
    for (size_t i = 0; i < ready->why_count; i++)
        say(d, TERMINAL_PLAIN, "because %s", ready->why[i]);
}

static void show_progress(struct display *d, const struct event *ev,
                          int64_t now)
{
    char line[256];

    d->progress = ev->progress;
    d->has_progress = true;
    if (d->mode == DISPLAY_BAR || now < d->line_due)
        return;
    progress_format_line(&ev->progress, line, sizeof(line));
    say(d, TERMINAL_PLAIN, "%s", line);
    d->line_due = now + LINE_INTERVAL;
}

static void show_clamp(struct display *d, const struct event *ev, int64_t now)
{
    (void)now;
    say(d, TERMINAL_YELLOW, "%s is %g instead of %g: %s", ev->clamp.field,
        ev->clamp.to, ev->clamp.from, ev->clamp.reason);
}

static void show_fallback(struct display *d, const struct event *ev,
                          int64_t now)
{
    const char *from = ev->fallback.from;
    const char *to = ev->fallback.to;

    (void)now;
    if (strcmp(from, to) == 0)
        say(d, TERMINAL_YELLOW, "goes on without a part of %s: %s", from,
            ev->fallback.reason);
    else
        say(d, TERMINAL_YELLOW, "goes on on %s instead of %s: %s", to, from,
            ev->fallback.reason);
}

static void show_log(struct display *d, const struct event *ev, int64_t now)
{
    (void)now;
    say(d, ev->log.level == LOG_LEVEL_ERROR ? TERMINAL_RED : TERMINAL_PLAIN,
        "%s: %s", log_level_name(ev->log.level), ev->log.text);
}

static void show_output(struct display *d, const struct event_output *o)
{
    char size[32];
    char duration[32];

    text_format_size(o->size, size, sizeof(size));
    text_format_duration((int64_t)(o->duration * 1e6), duration,
                         sizeof(duration));
    say(d, TERMINAL_PLAIN, "%s, %s, %s", o->path, size, duration);
}

static void show_outcome(struct display *d, const struct event *ev, int64_t now)
{
    const struct event_outcome *o = &ev->outcome;
    const char *name = outcome_name(o->outcome);
    bool says_more = o->text && o->text[0] && strcmp(o->text, name) != 0;

    (void)now;
    d->has_progress = false;
    for (size_t i = 0; i < o->output_count; i++)
        show_output(d, &o->outputs[i]);
    if (o->errors > 0)
        say(d, TERMINAL_YELLOW, "%" PRId64 " errors in the input were survived",
            o->errors);
    say(d, o->outcome == OUTCOME_DONE ? TERMINAL_GREEN : TERMINAL_RED, "%s%s%s",
        name, says_more ? ": " : "", says_more ? o->text : "");
}

static void (*const shows[EVENT_KIND_COUNT])(struct display *d,
                                             const struct event *ev,
                                             int64_t now) = {
    [EVENT_STATE] = show_state,       [EVENT_READY] = show_ready,
    [EVENT_PROGRESS] = show_progress, [EVENT_CLAMP] = show_clamp,
    [EVENT_FALLBACK] = show_fallback, [EVENT_LOG] = show_log,
    [EVENT_OUTCOME] = show_outcome,
};

/* A later state takes an attempt's outcome back: the job is tried again. */
static void note(struct display *d, const struct event *ev)
{
    d->job = ev->job;
    if (ev->kind == EVENT_STATE)
        d->state = ev->state;
    else if (ev->kind == EVENT_OUTCOME)
        d->state = outcome_final_state(ev->outcome.outcome);
}

void display_event(struct display *d, const json_t *event, int64_t now)
{
    struct event ev;

    if (d->mode == DISPLAY_JSON)
        terminal_print_json(d->terminal->out, event, JSON_COMPACT);
    if (event_from_json(&ev, event, NULL) == 0) {
        note(d, &ev);
        if (d->mode != DISPLAY_JSON && shows[ev.kind])
            shows[ev.kind](d, &ev, now);
        event_fini(&ev);
        show_bar(d);
    }
    (void)fflush(d->terminal->out);
}
