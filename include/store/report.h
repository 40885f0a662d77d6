/*
 * report: the store's figures by the hour: writing them, and asking for them.
 * Threads and callbacks as in store.h.
 *
 * What was noted since the last commit is lost when the power goes: nothing
 * waits for it.
 */
#ifndef STORE_REPORT_H
#define STORE_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "model/outcome.h"

struct error;
struct store;

#define REPORT_HOUR (3600 * SECOND)
#define REPORT_DAY  (24 * REPORT_HOUR)
#define REPORT_AGE  (396 * REPORT_DAY) // 13 months, and then it is forgotten

/* What one reading of a device was since it was last noted. */
struct store_reading {
    char device[16]; // "cuda:0"
    char name[16];   // "temperature"
    double least;
    double most;
    double sum; // of @count samples
    int64_t count;
};

/* The same over a step of a report: its mean is sum / count. */
struct store_step {
    int64_t time; // µs since the epoch, of its beginning
    struct store_reading reading;
};

/* Attempts of a step that ended alike. */
struct store_tally {
    int64_t time; // µs since the epoch
    char device[16];
    bool is_video; // it encoded or decoded video
    enum outcome outcome;
    char *reason; // owned; why it was not where it was wished, or ""
    int64_t count;
};

struct store_report {
    struct store_step *steps; // owned; by time, device and name
    size_t step_count;
    struct store_tally *tallies; // owned; by time
    size_t tally_count;
};

void store_report_fini(struct store_report *r);

/* Add @readings, which are copied, to this hour's. */
void store_note(struct store *s, const struct store_reading *readings,
                size_t count);

/* The figures from @since (µs since the epoch) on, in steps of @step hours.
 * @report is lent for the call, NULL when @result is -errno. */
typedef void store_reported(void *user, int result,
                            const struct store_report *report,
                            const struct error *e);
void store_report(struct store *s, int64_t since, int32_t step,
                  store_reported *done, void *user);

#endif
