#include "model/order.h"

#include <jansson.h>

#include "base/error.h"
#include "model/field.h"
#include "model/job_table.h"
#include "model/limits.h"

#define ID_MOST 9007199254740992.0 // 2^53, what a JSON number keeps exactly

static const char *const kind_names[ORDER_KIND_COUNT] = {
    [ORDER_JOB] = "job",       [ORDER_GRANT] = "grant", [ORDER_PAUSE] = "pause",
    [ORDER_RESUME] = "resume", [ORDER_STOP] = "stop",
};

// clang-format off
static const struct field kind_fields[] = {
    {"order", ROW_ENUM(struct order, kind, enum order_kind, kind_names)},
};
static const struct record kind_record = {
    RECORD(struct order, kind_fields), .unknown = RECORD_IGNORE,
};

#define J struct order_job
static const struct field job_fields[] = {
    {"id", ROW_INTEGER(J, id), .most = ID_MOST, .fallback = "0"},
    {"attempt", ROW_INTEGER(J, attempt), .least = 1, .most = ID_MOST,
     .fallback = "1"},
    {"plan_only", ROW_BOOL(J, plan_only), .fallback = "false"},
    {"probe_size", ROW_INTEGER(J, probe_size), .least = 32, .most = 1 << 30,
     .fallback = "5242880"},
    {"devices", ROW_LIST(J, devices, struct survey_device *, device_count,
                         &survey_device_record),
     .most = SURVEY_DEVICES_MOST, .fallback = "[]"},
    {"job", ROW_OBJECT(J, job, &job_record)},
};
static const struct record order_job_record = {
    RECORD(J, job_fields), .unknown = RECORD_IGNORE,
};

/* What a kind carries besides its name, and where it lies. */
static const struct {
    const struct record *record; // NULL: nothing
    size_t offset;
} kinds[ORDER_KIND_COUNT] = {
    [ORDER_JOB]   = {&order_job_record, offsetof(struct order, job)},
    [ORDER_GRANT] = {&grant_record, offsetof(struct order, grant)},
};
// clang-format on

int order_from_json(struct order *ret, const struct json_t *json,
                    struct error *e)
{
    struct order o = {0};
    int r = record_from_json(&kind_record, &o, json, RECORD_WHOLE, e);

    if (r == 0 && kinds[o.kind].record)
        r = record_from_json(kinds[o.kind].record,
                             (char *)&o + kinds[o.kind].offset, json,
                             RECORD_WHOLE, e);
    if (r == 0)
        *ret = o;
    return r;
}

struct json_t *order_to_json(const struct order *o)
{
    json_t *json = record_to_json(&kind_record, o);

    if (kinds[o->kind].record) {
        json_t *more = record_to_json(kinds[o->kind].record,
                                      (const char *)o + kinds[o->kind].offset);
        (void)json_object_update(json, more);
        json_decref(more);
    }
    return json;
}

void order_fini(struct order *o)
{
    if (kinds[o->kind].record)
        record_fini(kinds[o->kind].record, (char *)o + kinds[o->kind].offset);
    o->kind = ORDER_NONE;
}
