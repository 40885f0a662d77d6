#include "report.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <jansson.h>

#include "base/memory.h"

struct row {
    struct report_measure measure;
    double ours;
    double theirs; // NAN: nothing to compare with
    double value;  // what is held against the figure to reach
    double lowest; // of the values
    double highest;
    size_t count;
};

struct report {
    struct row *rows; // owned
    size_t count;
    size_t room;
    size_t printed;
};

struct report *report_create(void)
{
    return xcalloc(1, sizeof(struct report));
}

void report_destroy(struct report *r)
{
    if (!r)
        return;
    free(r->rows);
    free(r);
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;

    return (x > y) - (x < y);
}

static double sort_median(double *values, size_t count)
{
    qsort(values, count, sizeof(values[0]), compare);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

static double median(const double *values, size_t count)
{
    double sorted[REPORT_SAMPLES_MOST];

    memcpy(sorted, values, count * sizeof(values[0]));
    return sort_median(sorted, count);
}

static void add(struct report *r, const struct row *row)
{
    r->rows = xgrow(r->rows, &r->room, r->count + 1, sizeof(*row));
    r->rows[r->count++] = *row;
}

void report_pairs(struct report *r, const struct report_measure *m,
                  const double *ours, const double *theirs, size_t count)
{
    double ratios[REPORT_SAMPLES_MOST];
    struct row row = {.measure = *m, .count = count};

    for (size_t i = 0; i < count; i++)
        ratios[i] = ours[i] / theirs[i];
    row.ours = median(ours, count);
    row.theirs = median(theirs, count);
    row.value = sort_median(ratios, count);
    row.lowest = ratios[0];
    row.highest = ratios[count - 1];
    add(r, &row);
}

void report_values(struct report *r, const struct report_measure *m,
                   const double *values, size_t count)
{
    double sorted[REPORT_SAMPLES_MOST];
    struct row row = {.measure = *m, .theirs = NAN, .count = count};

    memcpy(sorted, values, count * sizeof(values[0]));
    row.value = sort_median(sorted, count);
    row.ours = row.value;
    row.lowest = sorted[0];
    row.highest = sorted[count - 1];
    add(r, &row);
}

void report_difference(struct report *r, const struct report_measure *m,
                       double ours, double theirs)
{
    const double difference = fabs(ours - theirs);

    add(r, &(struct row){.measure = *m,
                         .ours = ours,
                         .theirs = theirs,
                         .value = difference,
                         .lowest = difference,
                         .highest = difference,
                         .count = 1});
}

static bool reached(const struct row *row)
{
    switch (row->measure.goal) {
    case REPORT_AT_MOST:
        return row->value <= row->measure.reach;
    case REPORT_AT_LEAST:
        return row->value >= row->measure.reach;
    case REPORT_SHOWN:
        break;
    }
    return true;
}

static const char *const goal_signs[] = {
    [REPORT_AT_MOST] = "<=", [REPORT_AT_LEAST] = ">=", [REPORT_SHOWN] = ""};
static const char *const goal_names[] = {[REPORT_AT_MOST] = "at most",
                                         [REPORT_AT_LEAST] = "at least",
                                         [REPORT_SHOWN] = "shown"};

static void print_row(const struct row *row)
{
    const struct report_measure *m = &row->measure;
    char theirs[16] = "";
    char range[40] = "";
    char goal[32] = "";

    if (!isnan(row->theirs))
        (void)snprintf(theirs, sizeof(theirs), "%.3f", row->theirs);
    if (row->count > 1)
        (void)snprintf(range, sizeof(range), "%.2f..%.2f", row->lowest,
                       row->highest);
    if (m->goal != REPORT_SHOWN)
        (void)snprintf(goal, sizeof(goal), "%s %-5g %s", goal_signs[m->goal],
                       m->reach, reached(row) ? "yes" : "NO");
    (void)printf("%-10s %-16s %-17s %9.3f %8s %-4s %9.3f %-18s %s\n", m->name,
                 m->what, m->against ? m->against : "", row->ours, theirs,
                 m->unit, row->value, range, goal);
}

void report_print(struct report *r)
{
    if (r->printed == 0 && r->count > 0)
        (void)printf("%-10s %-16s %-17s %9s %8s %-4s %9s %-18s %s\n", "case",
                     "measure", "against", "ours", "theirs", "", "value",
                     "lowest..highest", "to reach");
    while (r->printed < r->count)
        print_row(&r->rows[r->printed++]);
    (void)fflush(stdout);
}

static json_t *number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

static json_t *row_to_json(const struct row *row)
{
    const struct report_measure *m = &row->measure;

    return json_pack("{s:s, s:s, s:s?, s:s, s:o, s:o, s:o, s:o, s:o, s:i, s:s,"
                     " s:f, s:b}",
                     "case", m->name, "measure", m->what, "against", m->against,
                     "unit", m->unit, "ours", number(row->ours), "theirs",
                     number(row->theirs), "value", number(row->value), "lowest",
                     number(row->lowest), "highest", number(row->highest),
                     "runs", (int)row->count, "goal", goal_names[m->goal],
                     "reach", m->reach, "reached", reached(row));
}

int report_write(const struct report *r, const char *path)
{
    struct utsname system;
    json_t *rows = json_array();

    for (size_t i = 0; i < r->count; i++)
        (void)json_array_append_new(rows, row_to_json(&r->rows[i]));
    (void)uname(&system);
    json_t *all =
        json_pack("{s:s, s:s, s:i, s:o}", "version", TRANSCODED_VERSION,
                  "kernel", system.release, "cores",
                  (int)sysconf(_SC_NPROCESSORS_ONLN), "rows", rows);
    int r_write = json_dump_file(all, path, JSON_INDENT(2));
    json_decref(all);
    return r_write < 0 ? -EIO : 0;
}

int report_missed(const struct report *r)
{
    int missed = 0;

    for (size_t i = 0; i < r->count; i++)
        missed += !reached(&r->rows[i]);
    return missed;
}
