#include "model/grant.h"

#include "model/field.h"

// clang-format off
static const struct field fields[] = {
    {"device", ROW_CHARS(struct grant, device)},
    {"sessions", ROW_INT32(struct grant, sessions), .most = 64,
     .fallback = "0"},
    {"decode", ROW_BOOL(struct grant, decode), .fallback = "false"},
    {"vram", ROW_INTEGER(struct grant, vram), .most = 1e15, .fallback = "0"},
    {"threads", ROW_INT32(struct grant, threads), .most = 1024,
     .fallback = "0"},
};
// clang-format on

const struct record grant_record = {
    RECORD(struct grant, fields),
    .unknown = RECORD_IGNORE,
};

int grant_from_json(struct grant *ret, const struct json_t *json,
                    struct error *e)
{
    return record_from_json(&grant_record, ret, json, RECORD_WHOLE, e);
}

struct json_t *grant_to_json(const struct grant *g)
{
    return record_to_json(&grant_record, g);
}
