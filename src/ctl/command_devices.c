#include <jansson.h>

#include "command.h"
#include "session.h"
#include "table.h"
#include "wire/interface.h"

// clang-format off
static const struct table_column columns[] = {
    {"DEVICE", TABLE_LEFT}, {"JOBS", TABLE_RIGHT}, {"LIMIT", TABLE_RIGHT},
    {"CORES", TABLE_RIGHT}, {"LOAD", TABLE_RIGHT}, {"HEALTH", TABLE_LEFT},
    {"NAME", TABLE_LEFT},
};
// clang-format on

static void add_integer(struct table *t, const json_t *device, const char *name)
{
    table_addf(t, "%" JSON_INTEGER_FORMAT,
               json_integer_value(json_object_get(device, name)));
}

static void add_device(struct table *t, const json_t *device)
{
    double load = json_number_value(json_object_get(device, "load"));

    table_add(t, json_string_value(json_object_get(device, "id")));
    add_integer(t, device, "running");
    add_integer(t, device, "limit");
    add_integer(t, device, "cores");
    if (load >= 0)
        table_addf(t, "%.0f%%", 100 * load);
    else
        table_add(t, NULL);
    table_add(t, json_string_value(json_object_get(device, "health")));
    table_add(t, json_string_value(json_object_get(device, "name")));
}

static void print_devices(const json_t *answer)
{
    table_show(columns, sizeof(columns) / sizeof(columns[0]),
               json_object_get(answer, "devices"), add_device, stdout);
}

static enum status run(const struct invocation *v)
{
    return session_query(v, INTERFACE_DEVICES, NULL, print_devices);
}

const struct command command_devices = {
    .name = "devices",
    .operands = "",
    .help = "List what the machine has to work with",
    .run = run,
};
