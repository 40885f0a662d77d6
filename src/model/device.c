#include "model/device.h"

#include "model/field.h"

// clang-format off
static const struct field fields[] = {
    {"id", ROW_CHARS(struct device, id)},
    {"name", ROW_CHARS(struct device, name)},
    {"cores", ROW_INT32(struct device, cores)},
    {"running", ROW_INT32(struct device, running)},
    {"limit", ROW_INT32(struct device, limit)},
    {"load", ROW_NUMBER(struct device, load), .flags = FIELD_NULLABLE},
    {"health", ROW_CHARS(struct device, health)},
};
// clang-format on

static const struct record device_record = {RECORD(struct device, fields)};

struct json_t *device_to_json(const struct device *d)
{
    return record_to_json(&device_record, d);
}
