#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "command.h"
#include "page.h"
#include "session.h"
#include "terminal.h"
#include "wire/interface.h"

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "-";
}

static void print_time(const char *label, const json_t *object,
                       const char *name)
{
    char when[PAGE_TIME];

    page_format_time(json_object_get(object, name), when);
    if (when[0])
        page_line(label, "%s", when);
}

static void print_span(const json_t *object)
{
    char took[PAGE_TIME];

    page_format_span(json_object_get(object, "started"),
                     json_object_get(object, "ended"), took);
    if (took[0])
        page_line("took", "%s", took);
}

static void print_document(const json_t *job)
{
    size_t i;
    const json_t *output;

    page_value("profile", json_object_get(job, "profile"));
    page_value("key", json_object_get(job, "key"));
    page_value("priority", json_object_get(job, "priority"));
    page_value("hardware", json_object_get(job, "hardware"));
    page_value("input", json_object_get(json_object_get(job, "input"), "path"));
    json_array_foreach (json_object_get(job, "outputs"), i, output) {
        page_value("output", json_object_get(output, "path"));
    }
}

static void print_attempt(const json_t *attempt)
{
    const json_t *outcome = json_object_get(attempt, "outcome");
    const json_t *text = json_object_get(attempt, "text");
    char *device = terminal_escape(text_of(attempt, "device"));

    (void)printf("\nattempt %" JSON_INTEGER_FORMAT " on %s\n",
                 json_integer_value(json_object_get(attempt, "number")),
                 device);
    free(device);
    page_value("after", json_object_get(attempt, "fallback"));
    page_texts("plan", json_object_get(attempt, "plan"));
    page_texts("why", json_object_get(attempt, "why"));
    print_time("started", attempt, "started");
    print_span(attempt);
    page_value("outcome", outcome);
    if (!json_equal(text, outcome))
        page_value("", text);
    page_texts("log", json_object_get(attempt, "log"));
}

static void print_page(const json_t *answer)
{
    size_t i;
    const json_t *attempt;
    char *state = terminal_escape(text_of(answer, "state"));

    (void)printf("job %" JSON_INTEGER_FORMAT ": %s\n",
                 json_integer_value(json_object_get(answer, "id")), state);
    free(state);
    print_time("submitted", answer, "created");
    print_time("started", answer, "started");
    print_time("ended", answer, "ended");
    print_span(answer);
    page_value("outcome", json_object_get(answer, "outcome"));
    page_value("owner's uid", json_object_get(answer, "uid"));
    page_value("attached", json_object_get(answer, "attached"));
    print_document(json_object_get(answer, "job"));
    json_array_foreach (json_object_get(answer, "attempts"), i, attempt) {
        print_attempt(attempt);
    }
}

static enum status run(const struct invocation *v)
{
    int64_t id = 0;
    enum status s = session_parse_id(&id, v->operands[0]);

    if (s != STATUS_GOOD)
        return s;
    return session_query(v, INTERFACE_SHOW,
                         json_pack("{sI}", "id", (json_int_t)id), print_page);
}

const struct command command_show = {
    .name = "show",
    .operands = "ID",
    .help = "Show all that is known of a job",
    .least = 1,
    .most = 1,
    .run = run,
};
