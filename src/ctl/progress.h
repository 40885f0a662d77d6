/*
 * progress: how far a job is, in one line of a given width.
 *
 * Pure: a number of columns goes in, text comes out.
 */
#ifndef CTL_PROGRESS_H
#define CTL_PROGRESS_H

#include <stddef.h>

struct event_progress;

/*
 * For a terminal, at most @width columns, with a bar where there is room:
 *
 *    34.0%  [#######-------------]  ETA 0:52  4.80x  143 fps  nvdec>scale_cuda
 *
 * A narrow terminal loses the plan, the rate, the bar, the speed and the time
 * left, in this order. @plan is escaped already, "" for none.
 */
void progress_format_bar(const struct event_progress *p, const char *plan,
                         size_t width, char *ret, size_t size);

/* For a log: "34.0%, 143 fps, 4.80x, ETA 0:52". */
void progress_format_line(const struct event_progress *p, char *ret,
                          size_t size);

#endif
