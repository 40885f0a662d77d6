/*
 * plan_options: an encoder's options, collected while planning.
 */
#ifndef MEDIA_PLAN_OPTIONS_H
#define MEDIA_PLAN_OPTIONS_H

#include <stdint.h>

struct plan_options;

/* One more, or another value for one that is there. Values of a job are never
 * parsed for further options. */
void plan_options_set(struct plan_options *options, const char *name,
                      const char *value);
void plan_options_set_integer(struct plan_options *options, const char *name,
                              int64_t value);
void plan_options_set_number(struct plan_options *options, const char *name,
                             double value);

/* All of "name=value:…" of a table of ours; NULL: none. */
void plan_options_set_all(struct plan_options *options, const char *text);

/* NULL when it was not set. */
const char *plan_options_get(const struct plan_options *options,
                             const char *name);

#endif
