#include <stdio.h>

#include <jansson.h>

#include "base/text.h"
#include "command.h"
#include "model/state.h"
#include "page.h"
#include "session.h"
#include "wire/interface.h"

static void print_status(const json_t *answer)
{
    const char *version = json_string_value(json_object_get(answer, "version"));
    const json_t *jobs = json_object_get(answer, "jobs");
    bool drained = json_is_true(json_object_get(answer, "drained"));
    char uptime[PAGE_TIME];

    text_format_duration(
        (int64_t)(json_number_value(json_object_get(answer, "uptime")) * 1e6),
        uptime, sizeof(uptime));
    (void)printf("transcoded\n");
    page_line("version", "%s", version ? version : "");
    page_line("up", "%s", uptime);
    page_line("starts jobs", "%s", drained ? "no, it is drained" : "yes");
    page_texts("problem", json_object_get(answer, "problems"));
    for (int i = 0; i < STATE_COUNT; i++)
        page_value(state_name((enum state)i),
                   json_object_get(jobs, state_name((enum state)i)));
}

static enum status run(const struct invocation *v)
{
    return session_query(v, INTERFACE_STATUS, NULL, print_status);
}

const struct command command_status = {
    .name = "status",
    .operands = "",
    .help = "Tell how the service is, and how many jobs are in each state",
    .run = run,
};
