#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "command.h"
#include "session.h"
#include "table.h"
#include "terminal.h"
#include "wire/client.h"
#include "wire/interface.h"

// clang-format off
static const struct table_column columns[] = {
    {"PROFILE", TABLE_LEFT}, {"OUTPUTS", TABLE_RIGHT}, {"CODECS", TABLE_LEFT},
};
// clang-format on

/* What the first output makes of its first tracks: "h264 aac". */
static void add_codecs(struct table *t, const json_t *document)
{
    const json_t *output =
        json_array_get(json_object_get(document, "outputs"), 0);
    const char *video = json_string_value(
        json_object_get(json_object_get(output, "video"), "codec"));
    const char *audio = json_string_value(json_object_get(
        json_array_get(json_object_get(output, "audio"), 0), "codec"));

    table_addf(t, "%s%s%s", video ? video : "", video && audio ? " " : "",
               audio ? audio : "");
}

static void add_profile(struct table *t, const json_t *profile)
{
    const json_t *document = json_object_get(profile, "document");

    table_add(t, json_string_value(json_object_get(profile, "name")));
    table_addf(t, "%zu", json_array_size(json_object_get(document, "outputs")));
    add_codecs(t, document);
}

static void print_all(const json_t *answer)
{
    table_show(columns, sizeof(columns) / sizeof(columns[0]),
               json_object_get(answer, "profiles"), add_profile, stdout);
}

static enum status print_one(const struct invocation *v, const json_t *profiles)
{
    size_t i;
    const json_t *profile;

    json_array_foreach (profiles, i, profile) {
        const char *name = json_string_value(json_object_get(profile, "name"));
        if (!name || strcmp(name, v->operands[0]) != 0)
            continue;
        terminal_print_json(stdout, json_object_get(profile, "document"),
                            v->settings.json ? JSON_COMPACT : JSON_INDENT(2));
        return STATUS_GOOD;
    }
    return status_fail(STATUS_REFUSED, "there is no profile '%s'",
                       v->operands[0]);
}

/* The daemon gives all of them; one is picked here. */
static enum status show_one(const struct invocation *v)
{
    struct client *c;
    json_t *answer;
    enum status s = session_open(&c, v);

    if (s != STATUS_GOOD)
        return s;
    s = session_ask(&answer, c, v, INTERFACE_PROFILES, NULL);
    client_close(c);
    if (s == STATUS_GOOD) {
        s = print_one(v, json_object_get(answer, "profiles"));
        json_decref(answer);
    }
    return s;
}

static enum status run(const struct invocation *v)
{
    if (v->operand_count > 0)
        return show_one(v);
    return session_query(v, INTERFACE_PROFILES, NULL, print_all);
}

const struct command command_profiles = {
    .name = "profiles",
    .operands = "[NAME]",
    .help = "List the profiles that a job can name, or show one",
    .most = 1,
    .run = run,
};
