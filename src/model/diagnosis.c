#include "model/diagnosis.h"

#include <string.h>

#include <jansson.h>

#include "model/field.h"

#define BYTES_MOST 9e15
#define IDS_MOST   4294967295.0
#define TEXT_BYTES 256

// clang-format off
const struct diagnosis_known_node diagnosis_nodes[DIAGNOSIS_NODES] = {
    {"/dev/nvidia0",          "nvidia",         true},
    {"/dev/nvidiactl",        "nvidia",         true},
    {"/dev/nvidia-modeset",   "nvidia_modeset", false},
    {"/dev/nvidia-uvm",       "nvidia_uvm",     true},
    {"/dev/nvidia-uvm-tools", "nvidia_uvm",     false},
    {"/dev/dri/card0",        "nvidia_drm",     false},
    {"/dev/dri/renderD128",   "nvidia_drm",     false},
};

const struct diagnosis_known_library diagnosis_libraries[DIAGNOSIS_LIBRARIES] = {
    {"libcuda.so.1",          "CUDA"},
    {"libnvcuvid.so.1",       "decoding"},
    {"libnvidia-encode.so.1", "encoding"},
    {"libnvidia-ml.so.1",     "its state"},
};

#define V struct diagnosis_variable
static const struct field variable_fields[] = {
    {"name", ROW_CHARS(V, name)},
    {"value", ROW_CHARS(V, value)},
};
static const struct record variable_record = {
    RECORD(V, variable_fields), .unknown = RECORD_IGNORE,
};
#undef V

#define N struct diagnosis_node
static const struct field node_fields[] = {
    {"path", ROW_CHARS(N, path)},
    {"error", ROW_INT32(N, error), .most = 4095},
};
static const struct record node_record = {
    RECORD(N, node_fields), .unknown = RECORD_IGNORE,
};
#undef N

#define L struct diagnosis_library
static const struct field library_fields[] = {
    {"name", ROW_CHARS(L, name)},
    {"path", ROW_CHARS(L, path)},
    {"problem", ROW_CHARS(L, problem)},
};
static const struct record library_record = {
    RECORD(L, library_fields), .unknown = RECORD_IGNORE,
};
#undef L

#define Y struct diagnosis_layer
static const struct field layer_fields[] = {
    {"name", ROW_CHARS(Y, name)},
    {"state", ROW_CHARS(Y, state)},
    {"note", ROW_CHARS(Y, note), .fallback = "\"\""},
};
static const struct record layer_record = {
    RECORD(Y, layer_fields), .unknown = RECORD_IGNORE,
};
#undef Y

#define A struct diagnosis_absence
static const struct field absence_fields[] = {
    {"kind", ROW_CHARS(A, kind)},
    {"name", ROW_CHARS(A, name)},
    {"gpu", ROW_BOOL(A, is_gpu)},
    {"needed", ROW_BOOL(A, is_needed)},
};
static const struct record absence_record = {
    RECORD(A, absence_fields), .unknown = RECORD_IGNORE,
};
#undef A

#define P struct diagnosis_process
#define MAYBE .flags = FIELD_NULLABLE, .fallback = "null"
#define EMPTY .fallback = "\"\""
static const struct field process_fields[] = {
    {"step", ROW_CHARS(P, step), EMPTY},
    {"problem", ROW_CHARS(P, problem), EMPTY},
    {"uid", ROW_INTEGER(P, uid), .most = IDS_MOST, MAYBE},
    {"gid", ROW_INTEGER(P, gid), .most = IDS_MOST, MAYBE},
    {"user", ROW_CHARS(P, user), EMPTY},
    {"groups", ROW_TEXTS(P, groups, group_count), .bytes = TEXT_BYTES,
     .most = DIAGNOSIS_GROUPS_MOST, .fallback = "[]"},
    {"environment", ROW_ARRAY(P, variables, variable_count, &variable_record),
     .most = DIAGNOSIS_VARIABLES, .fallback = "[]"},
    {"nodes", ROW_ARRAY(P, nodes, node_count, &node_record),
     .most = DIAGNOSIS_NODES, .fallback = "[]"},
    {"libraries", ROW_ARRAY(P, libraries, library_count, &library_record),
     .most = DIAGNOSIS_LIBRARIES, .fallback = "[]"},
    {"confined", ROW_CHARS(P, confined), EMPTY},
    {"cuda_result", ROW_INT32(P, cuda_result), .most = 1e6, MAYBE},
    {"cuda_version", ROW_INT32(P, cuda_version), .most = 1e9, MAYBE},
    {"cuda_devices", ROW_INT32(P, cuda_devices), .most = 1e6, MAYBE},
    {"nvml_result", ROW_INT32(P, nvml_result), .most = 1e6, MAYBE},
    {"nvml_driver", ROW_CHARS(P, nvml_driver), EMPTY},
    {"nvenc_api", ROW_CHARS(P, nvenc_api), EMPTY},
    {"absent", ROW_ARRAY(P, absences, absence_count, &absence_record),
     .most = DIAGNOSIS_ABSENCES_MOST, .fallback = "[]"},
    {"layers", ROW_ARRAY(P, layers, layer_count, &layer_record),
     .most = DIAGNOSIS_LAYERS_MOST, .fallback = "[]"},
};
static const struct record process_record = {
    RECORD(P, process_fields), .unknown = RECORD_IGNORE,
};
#undef P

static const char *const roles[DIAGNOSIS_ROLE_COUNT] = {
    [DIAGNOSIS_STORE] = "store",
    [DIAGNOSIS_READ]  = "read",
    [DIAGNOSIS_WRITE] = "write",
};

#define F struct diagnosis_folder
static const struct field folder_fields[] = {
    {"role", ROW_ENUM(F, role, enum diagnosis_role, roles)},
    {"path", ROW_CHARS(F, path)},
    {"error", ROW_INT32(F, error), .most = 4095, .fallback = "0"},
    {"read_only", ROW_BOOL(F, is_read_only), .fallback = "false"},
    {"free", ROW_INTEGER(F, free), .most = BYTES_MOST, MAYBE},
    {"total", ROW_INTEGER(F, total), .most = BYTES_MOST, MAYBE},
    {"problem", ROW_CHARS(F, problem), EMPTY},
};
static const struct record folder_record = {
    RECORD(F, folder_fields), .unknown = RECORD_IGNORE,
};
#undef F

#define W struct diagnosis_session
static const struct field session_fields[] = {
    {"device", ROW_CHARS(W, device)},
    {"pid", ROW_INTEGER(W, pid), .most = IDS_MOST},
    {"name", ROW_CHARS(W, name), EMPTY},
    {"codec", ROW_CHARS(W, codec), EMPTY},
    {"width", ROW_INT32(W, width), .most = 65536, .fallback = "0"},
    {"height", ROW_INT32(W, height), .most = 65536, .fallback = "0"},
};
static const struct record session_record = {
    RECORD(W, session_fields), .unknown = RECORD_IGNORE,
};
#undef W

#define D struct diagnosis
static const struct field fields[] = {
    {"version", ROW_CHARS(D, version), EMPTY},
    {"pid", ROW_INTEGER(D, pid), .most = IDS_MOST},
    {"service", ROW_BOOL(D, is_service)},
    {"process", ROW_OBJECT(D, process, &process_record)},
    {"folders", ROW_LIST(D, folders, struct diagnosis_folder *, folder_count,
                         &folder_record), .most = DIAGNOSIS_FOLDERS_MOST},
    {"surveyed", ROW_BOOL(D, is_surveyed), .fallback = "false"},
    {"nvenc_headers", ROW_CHARS(D, nvenc_headers), EMPTY},
    {"sessions", ROW_LIST(D, sessions, struct diagnosis_session *,
                          session_count, &session_record),
     .most = DIAGNOSIS_SESSIONS_MOST, .fallback = "[]"},
};
static const struct record record = {
    RECORD(D, fields), .unknown = RECORD_IGNORE,
};
#undef D
// clang-format on

const char *diagnosis_role_name(enum diagnosis_role role)
{
    return roles[role];
}

int diagnosis_from_json(struct diagnosis *ret, const struct json_t *json,
                        struct error *e)
{
    return record_from_json(&record, ret, json, RECORD_WHOLE, e);
}

struct json_t *diagnosis_to_json(const struct diagnosis *d)
{
    return record_to_json(&record, d);
}

void diagnosis_fini(struct diagnosis *d)
{
    record_fini(&record, d);
}

void diagnosis_process_init(struct diagnosis_process *ret)
{
    *ret = (struct diagnosis_process){
        .uid = DIAGNOSIS_UNKNOWN,
        .gid = DIAGNOSIS_UNKNOWN,
        .cuda_result = DIAGNOSIS_UNKNOWN,
        .cuda_version = DIAGNOSIS_UNKNOWN,
        .cuda_devices = DIAGNOSIS_UNKNOWN,
        .nvml_result = DIAGNOSIS_UNKNOWN,
    };
}

int diagnosis_process_from_json(struct diagnosis_process *ret,
                                const struct json_t *json, struct error *e)
{
    return record_from_json(&process_record, ret, json, RECORD_WHOLE, e);
}

struct json_t *diagnosis_process_to_json(const struct diagnosis_process *p)
{
    return record_to_json(&process_record, p);
}

void diagnosis_process_fini(struct diagnosis_process *p)
{
    record_fini(&process_record, p);
}

int diagnosis_folder_from_json(struct diagnosis_folder *ret,
                               const struct json_t *json, struct error *e)
{
    return record_from_json(&folder_record, ret, json, RECORD_WHOLE, e);
}

struct json_t *diagnosis_folder_to_json(const struct diagnosis_folder *f)
{
    return record_to_json(&folder_record, f);
}

const char *diagnosis_variable(const struct diagnosis_process *p,
                               const char *name)
{
    for (size_t i = 0; i < p->variable_count; i++) {
        if (strcmp(p->variables[i].name, name) == 0)
            return p->variables[i].value;
    }
    return NULL;
}
