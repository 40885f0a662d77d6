#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "base/clock.h"
#include "command.h"
#include "session.h"
#include "table.h"
#include "terminal.h"
#include "wire/interface.h"

#define DAY_SECONDS 86400
#define MIB         (1 << 20)

// clang-format off
static const struct table_column columns[] = {
    {"FROM", TABLE_LEFT},        {"DEVICE", TABLE_LEFT},
    {"JOBS", TABLE_RIGHT},       {"LOAD", TABLE_RIGHT},
    {"ENCODER", TABLE_RIGHT},    {"DECODER", TABLE_RIGHT},
    {"MEMORY", TABLE_RIGHT},     {"TEMPERATURE", TABLE_RIGHT},
    {"POWER", TABLE_RIGHT},
};

/* Readings in the table's order, from their unit to what is shown. */
static const struct {
    const char *name;
    double factor;
    const char *unit;
} readings[] = {
    {"load",         100,       "%"},
    {"encoder_load", 100,       "%"},
    {"decoder_load", 100,       "%"},
    {"vram_used",    1.0 / MIB, " MiB"},
    {"temperature",  1,         " °C"},
    {"power",        1,         " W"},
};
// clang-format on

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

static json_int_t count_of(const json_t *tally)
{
    return json_integer_value(json_object_get(tally, "count"));
}

static bool is_done(const json_t *tally)
{
    return strcmp(text_of(tally, "outcome"), "done") == 0;
}

static bool is_video(const json_t *tally)
{
    return json_is_true(json_object_get(tally, "video"));
}

/* How many were done: of video or not, on @device or (NULL) anywhere. */
static json_int_t count_done(const json_t *tallies, bool video,
                             const char *device)
{
    json_int_t count = 0;
    size_t i;
    const json_t *t;

    json_array_foreach (tallies, i, t) {
        if (is_done(t) && is_video(t) == video &&
            (!device || strcmp(text_of(t, "device"), device) == 0))
            count += count_of(t);
    }
    return count;
}

/* "BEFORE device AFTER reason." behind a count. */
static void say(json_int_t count, const char *before, const char *device,
                const char *after, const char *reason)
{
    char *safe_device = terminal_escape(device);
    char *safe_reason = terminal_escape(reason);

    (void)printf("%" JSON_INTEGER_FORMAT " %s%s%s%s.\n", count, before,
                 safe_device, after, safe_reason);
    free(safe_device);
    free(safe_reason);
}

/* Is it the first of its device? */
static bool is_first(const json_t *tallies, size_t index)
{
    const char *device = text_of(json_array_get(tallies, index), "device");

    for (size_t i = 0; i < index; i++) {
        if (strcmp(text_of(json_array_get(tallies, i), "device"), device) == 0)
            return false;
    }
    return true;
}

static void say_devices(const json_t *tallies, json_int_t total)
{
    size_t i;
    const json_t *t;

    json_array_foreach (tallies, i, t) {
        const char *device = text_of(t, "device");
        json_int_t count = count_done(tallies, true, device);
        if (!is_first(tallies, i) || count == 0)
            continue;
        char *safe = terminal_escape(device);
        (void)printf("%s did %" JSON_INTEGER_FORMAT " of %" JSON_INTEGER_FORMAT
                     " video job%s.\n",
                     safe, count, total, total == 1 ? "" : "s");
        free(safe);
    }
}

/* What went elsewhere than it was wished, and what went wrong. */
static void say_reasons(const json_t *tallies)
{
    size_t i;
    const json_t *t;

    json_array_foreach (tallies, i, t) {
        const char *device = text_of(t, "device");
        const char *reason = text_of(t, "reason");
        const char *outcome = text_of(t, "outcome");
        if (is_done(t) && reason[0] && strcmp(device, "cpu") == 0)
            say(count_of(t), "went to ", device, ": ", reason);
        else if (is_done(t) && reason[0])
            say(count_of(t), "did not get all of ", device, ": ", reason);
        else if (!is_done(t) && strcmp(outcome, "cancelled") != 0)
            say(count_of(t),
                device[0] ? "ended on " : "ended before they had a device",
                device, " as ", outcome);
    }
}

static void say_summary(const json_t *tallies)
{
    json_int_t video = count_done(tallies, true, NULL);
    json_int_t other = count_done(tallies, false, NULL);

    if (video == 0)
        (void)printf("No video job was done.\n");
    else
        say_devices(tallies, video);
    if (video > 0 && video == count_done(tallies, true, "cpu"))
        (void)printf("No GPU did any of them.\n");
    if (other > 0)
        (void)printf("%" JSON_INTEGER_FORMAT
                     " more copied their video or had none.\n",
                     other);
    say_reasons(tallies);
}

static void add_time(struct table *t, const json_t *period, json_int_t step)
{
    time_t seconds =
        (time_t)(json_integer_value(json_object_get(period, "time")) / SECOND);
    struct tm when;
    char text[32] = "";

    // days are those of UTC, as they are counted; hours are the reader's
    if (step < DAY_SECONDS ? localtime_r(&seconds, &when)
                           : gmtime_r(&seconds, &when))
        (void)strftime(text, sizeof(text),
                       step < DAY_SECONDS ? "%Y-%m-%d %H:%M" : "%Y-%m-%d",
                       &when);
    table_add(t, text);
}

/* "41 52 66 °C": the least, the mean, the greatest. */
static void add_range(struct table *t, const json_t *range, double factor,
                      const char *unit)
{
    double values[3];
    static const char *const names[] = {"least", "mean", "most"};

    if (!json_is_object(range)) {
        table_add(t, NULL);
        return;
    }
    for (size_t i = 0; i < 3; i++)
        values[i] =
            factor * json_number_value(json_object_get(range, names[i]));
    table_addf(t, "%.0f %.0f %.0f%s", values[0], values[1], values[2], unit);
}

static void add_period(struct table *t, const json_t *period, json_int_t step)
{
    add_time(t, period, step);
    table_add(t, text_of(period, "device"));
    table_addf(t, "%" JSON_INTEGER_FORMAT,
               json_integer_value(json_object_get(period, "jobs")));
    for (size_t i = 0; i < sizeof(readings) / sizeof(readings[0]); i++)
        add_range(t, json_object_get(period, readings[i].name),
                  readings[i].factor, readings[i].unit);
}

static void print_periods(const json_t *periods, json_int_t step)
{
    struct table *t =
        table_create(columns, sizeof(columns) / sizeof(columns[0]));
    size_t i;
    const json_t *period;

    json_array_foreach (periods, i, period) {
        add_period(t, period, step);
    }
    (void)printf("\nOf each reading the least, the mean and the greatest, by "
                 "%s:\n\n",
                 step < DAY_SECONDS    ? "the hour"
                 : step == DAY_SECONDS ? "the day"
                                       : "the week");
    table_print(t, stdout);
    table_destroy(t);
}

static void print_report(const json_t *answer)
{
    const json_t *periods = json_object_get(answer, "periods");

    say_summary(json_object_get(answer, "tallies"));
    if (json_array_size(periods) > 0)
        print_periods(periods,
                      json_integer_value(json_object_get(answer, "step")));
}

static enum status run(const struct invocation *v)
{
    return session_query(
        v, INTERFACE_REPORT,
        json_pack("{sI}", "days", (json_int_t)v->settings.days), print_report);
}

// clang-format off
static const struct flag flags[] = {
    FLAG_COUNT(days, 'n', "N", 1, 396, "7", "Of the last days"),
    FLAG_END
};
// clang-format on

const struct command command_report = {
    .name = "report",
    .operands = "",
    .help = "Tell where jobs were done, why not elsewhere, and how GPUs were",
    .flags = flags,
    .run = run,
};
