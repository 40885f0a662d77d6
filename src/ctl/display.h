/*
 * display: the events of jobs, as people or programs want to see them.
 *
 * JSON: each event a line, as it came. A terminal: lines for what changes, and
 * a progress bar below them that is drawn again and again. Anything else: the
 * lines, with progress every few seconds.
 */
#ifndef CTL_DISPLAY_H
#define CTL_DISPLAY_H

#include <stdint.h>

#include "model/state.h"
#include "terminal.h"

struct json_t;
struct display;

enum display_mode {
    DISPLAY_LINES,
    DISPLAY_BAR, // on a terminal that is live, else lines
    DISPLAY_JSON,
};

/* @t must outlive it. Never returns NULL. */
struct display *display_create(struct terminal *t, enum display_mode mode);

/* Takes the bar away first. NULL is allowed. */
void display_destroy(struct display *d);

/* Show one event, borrowed, at @now (µs, monotonic). What is no event that we
 * know is passed over, but printed as JSON: the interface grows. */
void display_event(struct display *d, const struct json_t *event, int64_t now);

/* The terminal has another width. */
void display_resize(struct display *d);

/* Of the last event: the job's id, 0 before the first one. */
int64_t display_job(const struct display *d);

/* What the events have said of the job so far; STATE_QUEUED before any. */
enum state display_state(const struct display *d);

#endif
