#include "model/need.h"

#include "model/field.h"

#define SIDE_MOST 65536 // pixels; what no decoder exceeds

// clang-format off
static const struct field rendition_fields[] = {
    {"codec", ROW_CHARS(struct need_rendition, codec)},
    {"width", ROW_INT32(struct need_rendition, width), .most = SIDE_MOST},
    {"height", ROW_INT32(struct need_rendition, height), .most = SIDE_MOST},
    {"depth", ROW_INT32(struct need_rendition, depth), .most = 32,
     .fallback = "8"},
};
static const struct record rendition_record = {
    RECORD(struct need_rendition, rendition_fields),
    .unknown = RECORD_IGNORE,
};

static const struct field device_fields[] = {
    {"id", ROW_CHARS(struct need_device, id)},
    {"sessions", ROW_INT32(struct need_device, sessions),
     .most = NEED_RENDITIONS_MOST},
    {"decodes", ROW_BOOL(struct need_device, decodes)},
    {"surfaces", ROW_INT32(struct need_device, surfaces), .most = 1024,
     .fallback = "0"},
    {"why", ROW_CHARS(struct need_device, why), .fallback = "\"\""},
};
static const struct record device_record = {
    RECORD(struct need_device, device_fields),
    .unknown = RECORD_IGNORE,
};

static const struct field fields[] = {
    {"decodes_video", ROW_BOOL(struct need, decodes_video)},
    {"codec", ROW_CHARS(struct need, codec), .fallback = "\"\""},
    {"width", ROW_INT32(struct need, width), .most = SIDE_MOST,
     .fallback = "0"},
    {"height", ROW_INT32(struct need, height), .most = SIDE_MOST,
     .fallback = "0"},
    {"depth", ROW_INT32(struct need, depth), .most = 32, .fallback = "0"},
    {"renditions", ROW_ARRAY(struct need, renditions, rendition_count,
                             &rendition_record),
     .most = NEED_RENDITIONS_MOST, .fallback = "[]"},
    {"devices", ROW_ARRAY(struct need, devices, device_count, &device_record),
     .most = NEED_DEVICES_MOST, .fallback = "[]"},
    {"duration", ROW_NUMBER(struct need, duration), .flags = FIELD_NULLABLE,
     .most = 1e9, .fallback = "null"},
    {"input_passes", ROW_BOOL(struct need, input_passes), .fallback = "false"},
};
// clang-format on

const struct record need_record = {
    RECORD(struct need, fields),
    .unknown = RECORD_IGNORE,
};

int need_from_json(struct need *ret, const struct json_t *json, struct error *e)
{
    return record_from_json(&need_record, ret, json, RECORD_WHOLE, e);
}

struct json_t *need_to_json(const struct need *n)
{
    return record_to_json(&need_record, n);
}
