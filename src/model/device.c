#include "model/device.h"

#include <string.h>

#include <jansson.h>

#include "model/field.h"
#include "model/mark.h"
#include "model/sample.h"
#include "model/survey.h"

// clang-format off
static const struct field fields[] = {
    {"id", ROW_CHARS(struct device, id)},
    {"name", ROW_CHARS(struct device, name)},
    {"cores", ROW_INT32(struct device, cores)},
    {"running", ROW_INT32(struct device, running)},
    {"limit", ROW_INT32(struct device, limit), .flags = FIELD_NULLABLE},
    {"load", ROW_NUMBER(struct device, load), .flags = FIELD_NULLABLE},
    {"health", ROW_CHARS(struct device, health)},
};

#define G struct device_gpu
static const struct field session_fields[] = {
    {"own", ROW_INT32(G, own), .flags = FIELD_NULLABLE},
    {"foreign", ROW_INT32(G, foreign), .flags = FIELD_NULLABLE},
    {"limit", ROW_INT32(G, limit), .flags = FIELD_NULLABLE},
};
#undef G

#define M struct marks
#define MARK(name) {#name, ROW_ENUM(M, name, enum mark, mark_names)}
static const struct field mark_fields[] = {
    MARK(vram), MARK(load), MARK(encoder_load), MARK(decoder_load),
    MARK(temperature), MARK(power), MARK(clock), MARK(throttle),
};
#undef MARK
#undef M
// clang-format on

static const struct record device_record = {RECORD(struct device, fields)};
static const struct record session_record = {
    RECORD(struct device_gpu, session_fields)};
static const struct record mark_record = {RECORD(struct marks, mark_fields)};

/* Of a sample, those that the device shows as they are. */
static const char *const readings[] = {
    "vram_total",   "vram_used",    "vram_free",   "encoder_load",
    "decoder_load", "temperature",  "power",       "power_limit",
    "clock",        "memory_clock", "video_clock", "processes",
};

/* What they take may be seen by all, what they are may not. */
static void forget_names(const json_t *processes)
{
    size_t i;
    json_t *p;

    json_array_foreach (processes, i, p) {
        json_object_set_new(p, "pid", json_integer(0));
        json_object_set_new(p, "name", json_string(""));
    }
}

static void add_readings(json_t *gpu, const struct sample *s)
{
    struct sample nothing;

    sample_init(&nothing);
    json_t *all = sample_to_json(s ? s : &nothing);
    for (size_t i = 0; i < sizeof(readings) / sizeof(readings[0]); i++)
        json_object_set(gpu, readings[i], json_object_get(all, readings[i]));
    json_object_set_new(gpu, "sampled",
                        s ? json_integer(s->time) : json_null());
    json_decref(all);
}

static json_t *throttle_to_json(const struct sample *s)
{
    const char *words[MARK_REASONS_MOST];

    if (!s || s->throttle < 0)
        return json_null();
    json_t *list = json_array();
    size_t count = mark_reasons(s->throttle, words);
    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_string(words[i]));
    return list;
}

/* "hevc" once, however many depths of it there are. */
static void add_name(json_t *list, const char *name)
{
    size_t i;
    const json_t *known;

    json_array_foreach (list, i, known) {
        if (strcmp(json_string_value(known), name) == 0)
            return;
    }
    json_array_append_new(list, json_string(name));
}

static void add_abilities(json_t *gpu, const struct survey_device *s)
{
    json_t *decoders = json_array();
    json_t *encoders = json_array();
    json_t *filters = json_array();
    json_t *problems = json_array();

    for (size_t i = 0; i < s->decoder_count; i++)
        add_name(decoders, s->decoders[i].codec);
    for (size_t i = 0; i < s->encoder_count; i++)
        add_name(encoders, s->encoders[i].codec);
    for (size_t i = 0; i < s->filter_count; i++)
        add_name(filters, s->filters[i]);
    for (size_t i = 0; i < s->problem_count; i++)
        add_name(problems, s->problems[i]);
    json_object_set_new(gpu, "decoders", decoders);
    json_object_set_new(gpu, "encoders", encoders);
    json_object_set_new(gpu, "filters", filters);
    json_object_set_new(gpu, "problems", problems);
}

static json_t *gpu_to_json(const struct device_gpu *g)
{
    const struct survey_device *s = g->survey;
    json_t *notes = json_array();
    json_t *gpu =
        json_pack("{s:s, s:s, s:s, s:i}", "uuid", s->uuid, "driver", s->driver,
                  "nvenc_api", s->nvenc_api, "compute", (int)s->compute);

    for (size_t i = 0; i < g->marks->note_count; i++)
        json_array_append_new(notes, json_string(g->marks->notes[i]));
    json_object_set_new(gpu, "sessions", record_to_json(&session_record, g));
    add_readings(gpu, g->sample);
    if (g->is_discreet)
        forget_names(json_object_get(gpu, "processes"));
    json_object_set_new(gpu, "throttle", throttle_to_json(g->sample));
    json_object_set_new(gpu, "marks", record_to_json(&mark_record, g->marks));
    json_object_set_new(gpu, "notes", notes);
    add_abilities(gpu, s);
    return gpu;
}

struct json_t *device_to_json(const struct device *d)
{
    json_t *json = record_to_json(&device_record, d);

    json_object_set_new(json, "gpu",
                        d->gpu ? gpu_to_json(d->gpu) : json_null());
    return json;
}
