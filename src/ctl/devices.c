#include "devices.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/text.h"
#include "model/field.h"
#include "model/mark.h"
#include "page.h"
#include "table.h"
#include "terminal.h"

#define MIB (1 << 20)

// clang-format off
static const struct table_column columns[] = {
    {"DEVICE", TABLE_LEFT},    {"JOBS", TABLE_RIGHT},
    {"SESSIONS", TABLE_RIGHT}, {"LOAD", TABLE_RIGHT},
    {"ENCODER", TABLE_RIGHT},  {"DECODER", TABLE_RIGHT},
    {"MEMORY", TABLE_RIGHT},   {"TEMPERATURE", TABLE_RIGHT},
    {"POWER", TABLE_RIGHT},    {"NAME", TABLE_LEFT},
};

static const enum terminal_colour colours[MARK_COUNT] = {
    [MARK_WARN] = TERMINAL_YELLOW,
    [MARK_BAD]  = TERMINAL_RED,
};
// clang-format on

/* In the colour of the GPU's mark for it. */
static void paint(struct table *t, const json_t *gpu, const char *reading)
{
    const char *mark = json_string_value(
        json_object_get(json_object_get(gpu, "marks"), reading));
    int i = mark ? field_name_index(mark_names, MARK_COUNT, mark) : -1;

    if (i >= 0)
        table_paint(t, colours[i]);
}

/* "1/2", or "1" where nothing is known of a limit. */
static void add_jobs(struct table *t, const json_t *device)
{
    const json_t *limit = json_object_get(device, "limit");
    json_int_t running = json_integer_value(json_object_get(device, "running"));

    if (json_is_integer(limit))
        table_addf(t, "%" JSON_INTEGER_FORMAT "/%" JSON_INTEGER_FORMAT, running,
                   json_integer_value(limit));
    else
        table_addf(t, "%" JSON_INTEGER_FORMAT, running);
}

/* "2+1/3": ours, those of others, and what the driver grants. */
static void add_sessions(struct table *t, const json_t *gpu)
{
    const json_t *sessions = json_object_get(gpu, "sessions");
    const json_t *own = json_object_get(sessions, "own");
    const json_t *foreign = json_object_get(sessions, "foreign");
    const json_t *limit = json_object_get(sessions, "limit");
    char text[64] = "";
    size_t used = 0;

    if (json_is_integer(own))
        used = (size_t)snprintf(text, sizeof(text), "%d",
                                (int)json_integer_value(own));
    if (json_integer_value(foreign) > 0)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "+%d",
                                 (int)json_integer_value(foreign));
    if (used && json_is_integer(limit))
        (void)snprintf(text + used, sizeof(text) - used, "/%d",
                       (int)json_integer_value(limit));
    table_add(t, text);
}

static void add_percent(struct table *t, const json_t *gpu,
                        const json_t *holder, const char *name)
{
    const json_t *value = json_object_get(holder, name);

    if (json_is_number(value))
        table_addf(t, "%.0f%%", 100 * json_number_value(value));
    else
        table_add(t, NULL);
    paint(t, gpu, name);
}

static void add_memory(struct table *t, const json_t *gpu)
{
    const json_t *used = json_object_get(gpu, "vram_used");
    const json_t *total = json_object_get(gpu, "vram_total");

    if (json_is_integer(used) && json_is_integer(total))
        table_addf(t, "%.0f/%.0f MiB", json_number_value(used) / MIB,
                   json_number_value(total) / MIB);
    else
        table_add(t, NULL);
    paint(t, gpu, "vram");
}

static void add_reading(struct table *t, const json_t *gpu, const char *name,
                        int digits, const char *unit)
{
    const json_t *value = json_object_get(gpu, name);

    if (json_is_number(value))
        table_addf(t, "%.*f %s", digits, json_number_value(value), unit);
    else
        table_add(t, NULL);
    paint(t, gpu, name);
}

static void add_device(struct table *t, const json_t *device)
{
    const json_t *gpu = json_object_get(device, "gpu");

    table_add(t, json_string_value(json_object_get(device, "id")));
    add_jobs(t, device);
    add_sessions(t, gpu);
    add_percent(t, gpu, device, "load");
    add_percent(t, gpu, gpu, "encoder_load");
    add_percent(t, gpu, gpu, "decoder_load");
    add_memory(t, gpu);
    add_reading(t, gpu, "temperature", 0, "°C");
    add_reading(t, gpu, "power", 1, "W");
    table_add(t, json_string_value(json_object_get(device, "name")));
}

/* "h264, hevc" on a line, if there are any. */
static void print_list(const char *label, const json_t *list)
{
    char text[512] = "";
    size_t used = 0;
    size_t i;
    const json_t *one;

    json_array_foreach (list, i, one) {
        const char *word = json_string_value(one);
        int n = snprintf(text + used, sizeof(text) - used, "%s%s",
                         i ? ", " : "", word ? word : "");
        if (n < 0 || (size_t)n >= sizeof(text) - used)
            break;
        used += (size_t)n;
    }
    if (used)
        page_line(label, "%s", text);
}

static void print_driver(const json_t *gpu)
{
    const char *driver = json_string_value(json_object_get(gpu, "driver"));
    const char *api = json_string_value(json_object_get(gpu, "nvenc_api"));

    page_line("driver", "%s, %s%s", driver ? driver : "not known",
              api && *api ? "NVENC " : "without an encoder", api ? api : "");
}

static void print_clocks(const json_t *gpu)
{
    static const struct {
        const char *name;
        const char *words;
    } clocks[] = {
        {"clock", ""}, {"memory_clock", "memory "}, {"video_clock", "video "}};
    json_t *list = json_array();

    for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
        const json_t *mhz = json_object_get(gpu, clocks[i].name);
        if (json_is_integer(mhz))
            (void)json_array_append_new(
                list, json_sprintf("%s%d MHz", clocks[i].words,
                                   (int)json_integer_value(mhz)));
    }
    print_list("clocks", list);
    json_decref(list);
}

static void print_processes(const json_t *gpu)
{
    size_t i;
    const json_t *p;

    json_array_foreach (json_object_get(gpu, "processes"), i, p) {
        const char *name = json_string_value(json_object_get(p, "name"));
        const json_t *vram = json_object_get(p, "vram");
        json_int_t pid = json_integer_value(json_object_get(p, "pid"));
        char size[32] = "not known how much";

        if (json_is_integer(vram))
            text_format_size(json_integer_value(vram), size, sizeof(size));
        if (pid)
            page_line("used by", "%s (pid %" JSON_INTEGER_FORMAT "), %s",
                      name && *name ? name : "?", pid, size);
        else
            page_line("used by", "a program (which: not permitted), %s", size);
    }
}

static void print_health(const json_t *device, const struct terminal *t)
{
    const char *health = json_string_value(json_object_get(device, "health"));
    bool is_well = health && strcmp(health, "ok") == 0;
    enum terminal_colour colour = is_well ? TERMINAL_GREEN : TERMINAL_RED;

    (void)fputs(terminal_paint(t, colour), t->out);
    page_line("health", "%s", health ? health : "not known");
    (void)fputs(terminal_unpaint(t, colour), t->out);
}

static void print_gpu(const json_t *device, const struct terminal *t)
{
    const char *id = json_string_value(json_object_get(device, "id"));
    const json_t *gpu = json_object_get(device, "gpu");
    const json_t *limit = json_object_get(gpu, "power_limit");
    char *safe = terminal_escape(id ? id : "");

    (void)fprintf(t->out, "\n%s\n", safe);
    free(safe);
    print_health(device, t);
    print_driver(gpu);
    if (!json_is_integer(json_object_get(gpu, "sampled")))
        page_line("readings", "not available");
    print_clocks(gpu);
    if (json_is_number(limit))
        page_line("power limit", "%.1f W", json_number_value(limit));
    print_list("slowed by", json_object_get(gpu, "throttle"));
    print_list("decodes", json_object_get(gpu, "decoders"));
    print_list("encodes", json_object_get(gpu, "encoders"));
    print_processes(gpu);
    page_texts("note", json_object_get(gpu, "notes"));
    page_texts("problem", json_object_get(gpu, "problems"));
}

void devices_print(const json_t *answer, const struct terminal *t)
{
    const json_t *devices = json_object_get(answer, "devices");
    const char *problem = json_string_value(json_object_get(answer, "problem"));
    size_t i;
    const json_t *device;

    table_show(columns, sizeof(columns) / sizeof(columns[0]), devices,
               add_device, t->out);
    json_array_foreach (devices, i, device) {
        if (json_is_object(json_object_get(device, "gpu")))
            print_gpu(device, t);
    }
    if (problem && *problem) {
        char *safe = terminal_escape(problem);
        (void)fprintf(t->out, "\n%s\n", safe);
        free(safe);
    }
}
