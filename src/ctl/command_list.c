#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/memory.h"
#include "command.h"
#include "model/state.h"
#include "page.h"
#include "session.h"
#include "table.h"
#include "wire/interface.h"

// clang-format off
static const struct table_column columns[] = {
    {"ID", TABLE_RIGHT}, {"STATE", TABLE_LEFT}, {"PRIORITY", TABLE_LEFT},
    {"SUBMITTED", TABLE_LEFT}, {"TOOK", TABLE_RIGHT}, {"INPUT", TABLE_LEFT},
};
// clang-format on

static const char *text_of(const json_t *job, const char *name)
{
    return json_string_value(json_object_get(job, name));
}

static void add_job(struct table *t, const json_t *job)
{
    char submitted[PAGE_TIME];
    char took[PAGE_TIME];

    page_format_time(json_object_get(job, "created"), submitted);
    page_format_span(json_object_get(job, "started"),
                     json_object_get(job, "ended"), took);
    table_addf(t, "%" JSON_INTEGER_FORMAT,
               json_integer_value(json_object_get(job, "id")));
    table_add(t, text_of(job, "state"));
    table_add(t, text_of(job, "priority"));
    table_add(t, submitted);
    table_add(t, took);
    table_add(t, text_of(job, "input"));
}

static void print_jobs(const json_t *answer)
{
    table_show(columns, sizeof(columns) / sizeof(columns[0]),
               json_object_get(answer, "jobs"), add_job, stdout);
}

/* "queued,running" to a list; a new reference, NULL: that was told. */
static json_t *parse_states(const char *text)
{
    char *copy = xstrdup(text);
    char *rest = copy;
    json_t *states = json_array();

    for (char *name; (name = strsep(&rest, ","));) {
        if (state_from_name(name) < 0) {
            (void)status_fail(STATUS_REFUSED, "no such state: '%s'", name);
            json_decref(states);
            states = NULL;
            break;
        }
        (void)json_array_append_new(states, json_string(name));
    }
    free(copy);
    return states;
}

static enum status run(const struct invocation *v)
{
    json_t *parameters =
        json_pack("{sI}", "limit", (json_int_t)v->settings.limit);

    if (v->settings.state) {
        json_t *states = parse_states(v->settings.state);
        if (!states) {
            json_decref(parameters);
            return STATUS_REFUSED;
        }
        (void)json_object_set_new(parameters, "states", states);
    }
    if (v->settings.before)
        (void)json_object_set_new(parameters, "before",
                                  json_integer(v->settings.before));

    return session_query(v, INTERFACE_LIST, parameters, print_jobs);
}

// clang-format off
static const struct flag flags[] = {
    FLAG_TEXT(state, 0, "STATE,...", "Only jobs in these states"),
    FLAG_COUNT(limit, 'n', "N", 1, 1000, "50", "At most so many"),
    FLAG_COUNT(before, 0, "ID", 0, INT64_MAX, "0",
               "Only jobs with ids below this one, for the next page"),
    FLAG_END
};
// clang-format on

const struct command command_list = {
    .name = "list",
    .operands = "",
    .help = "List jobs, newest first",
    .flags = flags,
    .run = run,
};
