#include "model/sample.h"

#include "model/field.h"

#define BYTES_MOST 1e15
#define PID_MOST   4194304.0 // Linux's own bound

// clang-format off
#define S struct sample_session
static const struct field session_fields[] = {
    {"pid", ROW_INTEGER(S, pid), .most = PID_MOST},
    {"codec", ROW_CHARS(S, codec), .fallback = "\"\""},
    {"width", ROW_INT32(S, width), .most = 65536, .fallback = "0"},
    {"height", ROW_INT32(S, height), .most = 65536, .fallback = "0"},
    {"fps", ROW_INT32(S, fps), .most = 1e6, .fallback = "0"},
};
static const struct record session_record = {
    RECORD(S, session_fields), .unknown = RECORD_IGNORE,
};
#undef S

#define P struct sample_process
static const struct field process_fields[] = {
    {"pid", ROW_INTEGER(P, pid), .most = PID_MOST},
    {"vram", ROW_INTEGER(P, vram), .flags = FIELD_NULLABLE, .most = BYTES_MOST,
     .fallback = "null"},
    {"name", ROW_CHARS(P, name), .fallback = "\"\""},
};
static const struct record process_record = {
    RECORD(P, process_fields), .unknown = RECORD_IGNORE,
};
#undef P

#define T struct sample
static const struct field fields[] = {
    {"uuid", ROW_CHARS(T, uuid)},
    {"name", ROW_CHARS(T, name), .fallback = "\"\""},
    {"driver", ROW_CHARS(T, driver), .fallback = "\"\""},
    {"time", ROW_INTEGER(T, time), .most = 9e15, .fallback = "0"},
    {"vram_total", ROW_INTEGER(T, vram_total), .flags = FIELD_NULLABLE,
     .most = BYTES_MOST, .fallback = "null"},
    {"vram_used", ROW_INTEGER(T, vram_used), .flags = FIELD_NULLABLE,
     .most = BYTES_MOST, .fallback = "null"},
    {"vram_free", ROW_INTEGER(T, vram_free), .flags = FIELD_NULLABLE,
     .most = BYTES_MOST, .fallback = "null"},
    {"load", ROW_NUMBER(T, load), .flags = FIELD_NULLABLE, .most = 1,
     .fallback = "null"},
    {"encoder_load", ROW_NUMBER(T, encoder_load), .flags = FIELD_NULLABLE,
     .most = 1, .fallback = "null"},
    {"decoder_load", ROW_NUMBER(T, decoder_load), .flags = FIELD_NULLABLE,
     .most = 1, .fallback = "null"},
    {"temperature", ROW_NUMBER(T, temperature), .flags = FIELD_NULLABLE,
     .most = 1000, .fallback = "null"},
    {"power", ROW_NUMBER(T, power), .flags = FIELD_NULLABLE, .most = 1e5,
     .fallback = "null"},
    {"power_limit", ROW_NUMBER(T, power_limit), .flags = FIELD_NULLABLE,
     .most = 1e5, .fallback = "null"},
    {"clock", ROW_INT32(T, clock), .flags = FIELD_NULLABLE, .most = 1e6,
     .fallback = "null"},
    {"memory_clock", ROW_INT32(T, memory_clock), .flags = FIELD_NULLABLE,
     .most = 1e6, .fallback = "null"},
    {"video_clock", ROW_INT32(T, video_clock), .flags = FIELD_NULLABLE,
     .most = 1e6, .fallback = "null"},
    {"throttle", ROW_INTEGER(T, throttle), .flags = FIELD_NULLABLE,
     .most = 9e15, .fallback = "null"},
    {"session_total", ROW_INT32(T, session_total), .flags = FIELD_NULLABLE,
     .most = 1e6, .fallback = "null"},
    {"sessions", ROW_ARRAY(T, sessions, session_count, &session_record),
     .most = SAMPLE_SESSIONS_MOST, .fallback = "[]"},
    {"processes", ROW_ARRAY(T, processes, process_count, &process_record),
     .most = SAMPLE_PROCESSES_MOST, .fallback = "[]"},
};
#undef T
// clang-format on

static const struct record sample_record = {
    RECORD(struct sample, fields),
    .unknown = RECORD_IGNORE,
};

void sample_init(struct sample *ret)
{
    *ret = (struct sample){
        .vram_total = SAMPLE_UNKNOWN,
        .vram_used = SAMPLE_UNKNOWN,
        .vram_free = SAMPLE_UNKNOWN,
        .load = SAMPLE_UNKNOWN,
        .encoder_load = SAMPLE_UNKNOWN,
        .decoder_load = SAMPLE_UNKNOWN,
        .temperature = SAMPLE_UNKNOWN,
        .power = SAMPLE_UNKNOWN,
        .power_limit = SAMPLE_UNKNOWN,
        .clock = SAMPLE_UNKNOWN,
        .memory_clock = SAMPLE_UNKNOWN,
        .video_clock = SAMPLE_UNKNOWN,
        .throttle = SAMPLE_UNKNOWN,
        .session_total = SAMPLE_UNKNOWN,
    };
}

int sample_from_json(struct sample *ret, const struct json_t *json,
                     struct error *e)
{
    return record_from_json(&sample_record, ret, json, RECORD_WHOLE, e);
}

struct json_t *sample_to_json(const struct sample *s)
{
    return record_to_json(&sample_record, s);
}
