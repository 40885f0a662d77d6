/*
 * hush: log lines of an attempt on a GPU are not told at once. When they turn
 * out to be a device's last words, the job goes on elsewhere and its client is
 * told that, and nothing of drivers; else they are told a little later. Pure.
 */
#ifndef DAEMON_HUSH_H
#define DAEMON_HUSH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/log.h"

struct event;

#define HUSH_MOST 16 // lines that are kept; more are the same again

struct hush_line {
    enum log_level level;
    char *text; // owned
};

/* A zeroed one is ready. */
struct hush {
    struct hush_line lines[HUSH_MOST];
    size_t count;
    int64_t frame; // the last one that was reported
    int went_on;   // reports of more frames since the last line
};

/* Keep what @ev, a log line, says. */
void hush_keep(struct hush *h, const struct event *ev);

/* A progress report. True: it has gone on in spite of the lines, and they are
 * to be told. */
bool hush_progress(struct hush *h, const struct event *ev);

/* The next line, for the caller to tell and to finish. False: there is none. */
bool hush_take(struct hush *h, struct event *ret);

/* Nobody is to hear of them. May be used again. */
void hush_fini(struct hush *h);

#endif
