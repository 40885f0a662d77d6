#include "model/event.h"

#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "base/error.h"
#include "model/field.h"
#include "model/limits.h"

#define E          struct event

#define ID_MOST    9007199254740992.0 // 2^53, what a JSON number keeps exactly
#define COUNT_MOST 1e15
#define REAL_MOST  1e9

static const char *const kind_names[EVENT_KIND_COUNT] = {
    [EVENT_STATE] = "state",       [EVENT_SANDBOX] = "sandbox",
    [EVENT_NEED] = "need",         [EVENT_READY] = "ready",
    [EVENT_PROGRESS] = "progress", [EVENT_CLAMP] = "clamp",
    [EVENT_FALLBACK] = "fallback", [EVENT_LOG] = "log",
    [EVENT_OUTCOME] = "outcome",   [EVENT_RELEASED] = "released",
};

// clang-format off
/* What a worker says is brought into its range rather than refused: a wrong
 * figure is no reason to lose a job. */
#define LENIENT_TEXT \
    .bytes = EVENT_TEXT_MOST, .flags = FIELD_LENIENT, .fallback = "\"\""
#define LENIENT_TEXTS \
    .bytes = EVENT_TEXT_MOST, .flags = FIELD_LENIENT, .fallback = "[]"
#define LENIENT_COUNT \
    .most = COUNT_MOST, .flags = FIELD_LENIENT, .fallback = "0"
#define LENIENT_REAL(from, to, otherwise) \
    .least = (from), .most = (to), .flags = FIELD_LENIENT, \
    .fallback = (otherwise)
#define LENIENT_WHOLE \
    .most = REAL_MOST, .flags = FIELD_LENIENT | FIELD_NULLABLE | FIELD_LATE, \
    .fallback = "null"

static const struct field common_fields[] = {
    {"job", ROW_INTEGER(E, job), .most = ID_MOST, .fallback = "0"},
    {"attempt", ROW_INTEGER(E, attempt), .most = ID_MOST, .fallback = "0"},
    {"time", ROW_INTEGER(E, time), .most = ID_MOST, .fallback = "0"},
    {"event", ROW_ENUM(E, kind, enum event_kind, kind_names)},
};
static const struct field state_fields[] = {
    {"state", ROW_ENUM(E, state, enum state, state_names)},
};
#define Y struct event_layer
static const struct field layer_fields[] = {
    {"name", ROW_CHARS(Y, name)},
    {"state", ROW_CHARS(Y, state)},
    {"note", ROW_CHARS(Y, note), .fallback = "\"\""},
};
static const struct record layer_record = {
    RECORD(Y, layer_fields), .unknown = RECORD_IGNORE,
};
static const struct field sandbox_fields[] = {
    {"layers", ROW_LIST(E, sandbox.layers, struct event_layer *,
                        sandbox.layer_count, &layer_record),
     .most = EVENT_LAYERS_MOST, .fallback = "[]"},
    {"missing", ROW_TEXT(E, sandbox.missing), .bytes = EVENT_TEXT_MOST,
     .flags = FIELD_LENIENT | FIELD_NULLABLE, .fallback = "null"},
};
static const struct field ready_fields[] = {
    {"device", ROW_CHARS(E, ready.device)},
    {"plan", ROW_TEXTS(E, ready.plan, ready.plan_count),
     .most = EVENT_PLAN_MOST, LENIENT_TEXTS},
    {"why", ROW_TEXTS(E, ready.why, ready.why_count),
     .most = EVENT_PLAN_MOST, LENIENT_TEXTS},
};
static const struct field progress_fields[] = {
    {"frame", ROW_INTEGER(E, progress.frame), LENIENT_COUNT},
    {"fps", ROW_NUMBER(E, progress.fps), LENIENT_REAL(0, REAL_MOST, "0")},
    {"speed", ROW_NUMBER(E, progress.speed), LENIENT_REAL(0, REAL_MOST, "0")},
    {"out_time", ROW_NUMBER(E, progress.out_time),
     LENIENT_REAL(-REAL_MOST, REAL_MOST, "0")},
    {"percent", ROW_NUMBER(E, progress.percent), LENIENT_REAL(-1, 100, "-1")},
    {"eta", ROW_NUMBER(E, progress.eta), LENIENT_REAL(-1, REAL_MOST, "-1")},
    {"size", ROW_INTEGER(E, progress.size), LENIENT_COUNT},
    {"bitrate", ROW_INTEGER(E, progress.bitrate), LENIENT_COUNT},
    {"whole", ROW_NUMBER(E, progress.whole), LENIENT_WHOLE},
};
static const struct field clamp_fields[] = {
    {"field", ROW_TEXT(E, clamp.field), LENIENT_TEXT},
    {"from", ROW_NUMBER(E, clamp.from),
     LENIENT_REAL(-COUNT_MOST, COUNT_MOST, "0")},
    {"to", ROW_NUMBER(E, clamp.to), LENIENT_REAL(-COUNT_MOST, COUNT_MOST, "0")},
    {"reason", ROW_TEXT(E, clamp.reason), LENIENT_TEXT},
};
static const struct field fallback_fields[] = {
    {"from", ROW_TEXT(E, fallback.from), LENIENT_TEXT},
    {"to", ROW_TEXT(E, fallback.to), LENIENT_TEXT},
    {"reason", ROW_TEXT(E, fallback.reason), LENIENT_TEXT},
};
static const struct field log_fields[] = {
    {"level", ROW_ENUM(E, log.level, enum log_level, log_level_names)},
    {"text", ROW_TEXT(E, log.text), LENIENT_TEXT},
};

#define O struct event_output
static const struct field output_fields[] = {
    {"path", ROW_TEXT(O, path), .bytes = LIMITS_PATH, .flags = FIELD_LENIENT,
     .fallback = "\"\""},
    {"size", ROW_INTEGER(O, size), LENIENT_COUNT},
    {"duration", ROW_NUMBER(O, duration), LENIENT_REAL(0, REAL_MOST, "0")},
    {"frames", ROW_INTEGER(O, frames), LENIENT_COUNT},
};
static const struct record output_record = {
    RECORD(O, output_fields), .unknown = RECORD_IGNORE,
};

static const struct field outcome_fields[] = {
    {"outcome", ROW_ENUM(E, outcome.outcome, enum outcome, outcome_names)},
    {"text", ROW_TEXT(E, outcome.text), LENIENT_TEXT},
    {"part", ROW_ENUM(E, outcome.part, enum outcome_part, outcome_part_names),
     .flags = FIELD_NULLABLE, .fallback = "null"},
    {"frames", ROW_INTEGER(E, outcome.frames), LENIENT_COUNT},
    {"errors", ROW_INTEGER(E, outcome.errors), LENIENT_COUNT},
    {"whole", ROW_NUMBER(E, outcome.whole), LENIENT_WHOLE},
    {"outputs", ROW_LIST(E, outcome.outputs, struct event_output *,
                         outcome.output_count, &output_record),
     .most = LIMITS_OUTPUTS, .fallback = "[]"},
};

static int check_outcome(const void *base, struct error *e)
{
    const struct event *ev = base;

    if (ev->outcome.outcome == OUTCOME_NONE)
        return error_set_field(e, -EINVAL, "outcome", "must not be 'none'");
    return 0;
}

/* Clients may be older than the daemon, and events grow by addition. */
#define RECORD_OF(table) {RECORD(E, table), .unknown = RECORD_IGNORE}

static const struct record common_record = RECORD_OF(common_fields);
static const struct record state_record = RECORD_OF(state_fields);
static const struct record sandbox_record = RECORD_OF(sandbox_fields);
static const struct record ready_record = RECORD_OF(ready_fields);
static const struct record progress_record = RECORD_OF(progress_fields);
static const struct record clamp_record = RECORD_OF(clamp_fields);
static const struct record fallback_record = RECORD_OF(fallback_fields);
static const struct record log_record = RECORD_OF(log_fields);
static const struct record outcome_record = {
    RECORD(E, outcome_fields), .unknown = RECORD_IGNORE, .check = check_outcome,
};

/* Nothing of its own. */
static const struct record released_record = {
    .size = sizeof(E), .unknown = RECORD_IGNORE,
};

/* What a kind has besides the common fields, and where it lies. */
static const struct {
    const struct record *record;
    size_t offset;
} kinds[EVENT_KIND_COUNT] = {
    [EVENT_STATE]    = {&state_record, 0},
    [EVENT_SANDBOX]  = {&sandbox_record, 0},
    [EVENT_NEED]     = {&need_record, offsetof(E, need)},
    [EVENT_READY]    = {&ready_record, 0},
    [EVENT_PROGRESS] = {&progress_record, 0},
    [EVENT_CLAMP]    = {&clamp_record, 0},
    [EVENT_FALLBACK] = {&fallback_record, 0},
    [EVENT_LOG]      = {&log_record, 0},
    [EVENT_OUTCOME]  = {&outcome_record, 0},
    [EVENT_RELEASED] = {&released_record, 0},
};
// clang-format on

/* Where the fields of its kind lie in @ev. */
static void *part(struct event *ev)
{
    return (char *)ev + kinds[ev->kind].offset;
}

int event_from_json(struct event *ret, const struct json_t *json,
                    struct error *e)
{
    struct event common;
    struct event ev = {0};
    int r = record_from_json(&common_record, &common, json, RECORD_WHOLE, e);

    if (r < 0)
        return r;
    ev.kind = common.kind;
    r = record_from_json(kinds[ev.kind].record, part(&ev), json, RECORD_WHOLE,
                         e);
    if (r < 0)
        return r;

    *ret = ev; // the record of a kind may have cleared what is common
    ret->job = common.job;
    ret->attempt = common.attempt;
    ret->time = common.time;
    ret->kind = common.kind;
    return 0;
}

struct json_t *event_to_json(const struct event *ev)
{
    const void *own = (const char *)ev + kinds[ev->kind].offset;
    json_t *json = record_to_json(&common_record, ev);
    json_t *more = record_to_json(kinds[ev->kind].record, own);

    (void)json_object_update(json, more);
    json_decref(more);
    return json;
}

void event_fini(struct event *ev)
{
    if (ev->kind == EVENT_NONE)
        return;
    record_fini(kinds[ev->kind].record, part(ev));
    ev->kind = EVENT_NONE;
}

const char *event_kind_name(enum event_kind k)
{
    return kind_names[k];
}
