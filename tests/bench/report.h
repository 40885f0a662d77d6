/*
 * report: the figures, as a table for people and as JSON.
 */
#ifndef BENCH_REPORT_H
#define BENCH_REPORT_H

#include <stddef.h>

#define REPORT_SAMPLES_MOST 101

struct report;

enum report_goal {
    REPORT_AT_MOST,
    REPORT_AT_LEAST,
    REPORT_SHOWN, // for information: nothing to reach
};

/* What is measured, and the figure to reach. */
struct report_measure {
    const char *name;    // of the case: "transcode"
    const char *what;    // "wall"
    const char *against; // "ffmpeg", NULL: nothing
    const char *unit;    // "s", "MiB", "1/s", …
    enum report_goal goal;
    double reach;
};

struct report *report_create(void);
void report_destroy(struct report *r);

/* @count pairs, taken in turns; the value is the median of their ratios, ours
 * by theirs. */
void report_pairs(struct report *r, const struct report_measure *m,
                  const double *ours, const double *theirs, size_t count);

/* @count measurements; the value is their median. */
void report_values(struct report *r, const struct report_measure *m,
                   const double *values, size_t count);

/* The value is how far apart the two are. */
void report_difference(struct report *r, const struct report_measure *m,
                       double ours, double theirs);

/* The rows since the last call, to standard output. */
void report_print(struct report *r);

/* All of them as JSON into @path. 0 or -errno. */
int report_write(const struct report *r, const char *path);

/* Did every value reach its figure? */
int report_missed(const struct report *r);

#endif
