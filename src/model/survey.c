#include "model/survey.h"

#include <jansson.h>
#include <string.h>

#include "base/error.h"
#include "model/field.h"

#define SIDE_MOST  65536 // pixels; what no codec exceeds
#define TEXTS_MOST 64
#define TEXT_BYTES 1024

static const char *const sure_names[SURVEY_SURE_COUNT] = {
    [SURVEY_SURE_NOTHING] = "nothing",
    [SURVEY_SURE_ENCODERS] = "encoders",
    [SURVEY_SURE_ALL] = "all",
};

// clang-format off
#define D struct survey_decoder
static const struct field decoder_fields[] = {
    {"codec", ROW_CHARS(D, codec)},
    {"depth", ROW_INT32(D, depth), .most = 32},
    {"chroma", ROW_INT32(D, chroma), .most = 444},
    {"least_width", ROW_INT32(D, least_width), .most = SIDE_MOST},
    {"least_height", ROW_INT32(D, least_height), .most = SIDE_MOST},
    {"width", ROW_INT32(D, width), .most = SIDE_MOST},
    {"height", ROW_INT32(D, height), .most = SIDE_MOST},
};
static const struct record decoder_record = {
    RECORD(D, decoder_fields), .unknown = RECORD_IGNORE,
};
#undef D

#define E struct survey_encoder
static const struct field encoder_fields[] = {
    {"codec", ROW_CHARS(E, codec)},
    {"name", ROW_CHARS(E, name)},
    {"depth", ROW_INT32(E, depth), .most = 32},
    {"least_width", ROW_INT32(E, least_width), .most = SIDE_MOST},
    {"least_height", ROW_INT32(E, least_height), .most = SIDE_MOST},
    {"width", ROW_INT32(E, width), .most = SIDE_MOST},
    {"height", ROW_INT32(E, height), .most = SIDE_MOST},
    {"level", ROW_INT32(E, level), .most = 255, .fallback = "0"},
    {"b_frames", ROW_INT32(E, b_frames), .most = 64},
    {"b_frame_refs", ROW_BOOL(E, b_frame_refs)},
    {"temporal_aq", ROW_BOOL(E, temporal_aq)},
    {"lookahead", ROW_BOOL(E, lookahead)},
    {"dynamic_bitrate", ROW_BOOL(E, dynamic_bitrate)},
};
static const struct record encoder_record = {
    RECORD(E, encoder_fields), .unknown = RECORD_IGNORE,
};
#undef E

#define V struct survey_device
static const struct field device_fields[] = {
    {"id", ROW_CHARS(V, id)},
    {"uuid", ROW_CHARS(V, uuid)},
    {"name", ROW_CHARS(V, name)},
    {"driver", ROW_CHARS(V, driver)},
    {"nvenc_api", ROW_CHARS(V, nvenc_api)},
    {"compute", ROW_INT32(V, compute), .most = 9999},
    {"vram", ROW_INTEGER(V, vram), .most = 1e15},
    {"decoders", ROW_LIST(V, decoders, struct survey_decoder *, decoder_count,
                          &decoder_record), .most = SURVEY_CODECS_MOST},
    {"encoders", ROW_LIST(V, encoders, struct survey_encoder *, encoder_count,
                          &encoder_record), .most = SURVEY_CODECS_MOST},
    {"filters", ROW_TEXTS(V, filters, filter_count), .most = TEXTS_MOST,
     .bytes = 64},
    {"problems", ROW_TEXTS(V, problems, problem_count), .most = TEXTS_MOST,
     .bytes = TEXT_BYTES},
    {"is_partial", ROW_BOOL(V, is_partial), .fallback = "false"},
    {"sure", ROW_ENUM(V, sure, enum survey_sure, sure_names),
     .fallback = "\"nothing\""},
};
#undef V

const struct record survey_device_record = {
    RECORD(struct survey_device, device_fields), .unknown = RECORD_IGNORE,
};

#define S struct survey
static const struct field fields[] = {
    {"libav", ROW_CHARS(S, libav)},
    {"nvenc_headers", ROW_CHARS(S, nvenc_headers)},
    {"devices", ROW_LIST(S, devices, struct survey_device *, device_count,
                         &survey_device_record), .most = SURVEY_DEVICES_MOST},
    {"problems", ROW_TEXTS(S, problems, problem_count), .most = TEXTS_MOST,
     .bytes = TEXT_BYTES},
};
#undef S
// clang-format on

static const struct record survey_record = {
    RECORD(struct survey, fields),
    .unknown = RECORD_IGNORE,
};

int survey_from_json(struct survey *ret, const struct json_t *json,
                     struct error *e)
{
    return record_from_json(&survey_record, ret, json, RECORD_WHOLE, e);
}

struct json_t *survey_to_json(const struct survey *s)
{
    return record_to_json(&survey_record, s);
}

void survey_fini(struct survey *s)
{
    record_fini(&survey_record, s);
}

struct json_t *survey_device_to_json(const struct survey_device *d)
{
    return record_to_json(&survey_device_record, d);
}

void survey_device_fini(struct survey_device *d)
{
    record_fini(&survey_device_record, d);
}

void survey_device_copy(struct survey_device *ret,
                        const struct survey_device *d)
{
    json_t *json = survey_device_to_json(d);

    // what was written is within the ranges that are read
    struct error e = {0};

    memset(ret, 0, sizeof(*ret));
    (void)record_from_json(&survey_device_record, ret, json, RECORD_WHOLE, &e);
    json_decref(json);
}

const struct survey_decoder *survey_find_decoder(const struct survey_device *d,
                                                 const char *codec,
                                                 int32_t depth, int32_t chroma)
{
    for (size_t i = 0; i < d->decoder_count; i++) {
        const struct survey_decoder *s = &d->decoders[i];
        if (strcmp(s->codec, codec) == 0 && s->depth == depth &&
            s->chroma == chroma)
            return s;
    }
    return NULL;
}

const struct survey_encoder *survey_find_encoder(const struct survey_device *d,
                                                 const char *codec)
{
    for (size_t i = 0; i < d->encoder_count; i++) {
        if (strcmp(d->encoders[i].codec, codec) == 0)
            return &d->encoders[i];
    }
    return NULL;
}

bool survey_has_filter(const struct survey_device *d, const char *name)
{
    for (size_t i = 0; i < d->filter_count; i++) {
        if (strcmp(d->filters[i], name) == 0)
            return true;
    }
    return false;
}
