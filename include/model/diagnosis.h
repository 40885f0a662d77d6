/*
 * diagnosis: what the service itself sees of the machine (`Diagnose`), for
 * people who look for a fault. Said by a worker, an opener and the daemon, each
 * what it is that it does later: a node counts as usable when the process that
 * is to use it has opened it.
 */
#ifndef MODEL_DIAGNOSIS_H
#define MODEL_DIAGNOSIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct json_t;

#define DIAGNOSIS_UNKNOWN       (-1)
#define DIAGNOSIS_NODES         7
#define DIAGNOSIS_LIBRARIES     4
#define DIAGNOSIS_GROUPS_MOST   256
#define DIAGNOSIS_VARIABLES     32
#define DIAGNOSIS_LAYERS_MOST   16
#define DIAGNOSIS_FOLDERS_MOST  256
#define DIAGNOSIS_ABSENCES_MOST 64
#define DIAGNOSIS_SESSIONS_MOST 1024

/* The nodes of an NVIDIA card that the service is given. */
struct diagnosis_known_node {
    const char *path;
    const char *module; // of the kernel, that it belongs to
    bool is_needed;     // nothing works without it
};

/* The libraries of the driver that FFmpeg opens. */
struct diagnosis_known_library {
    const char *name;    // "libcuda.so.1"
    const char *purpose; // "CUDA"
};

extern const struct diagnosis_known_node diagnosis_nodes[DIAGNOSIS_NODES];
extern const struct diagnosis_known_library
    diagnosis_libraries[DIAGNOSIS_LIBRARIES];

struct diagnosis_node {
    char path[64];
    int32_t error; // errno of open(2), 0: it opened
};

struct diagnosis_library {
    char name[32];
    char path[256];    // the file that it really is, "" not found
    char problem[256]; // the loader's words, ""
};

struct diagnosis_variable {
    char name[64];
    char value[512]; // cut to this
};

/* A part that this build of libav lacks. */
struct diagnosis_absence {
    char kind[16];  // "encoder", "filter", "decoder"
    char name[32];  // "h264_nvenc"
    bool is_gpu;    // only a GPU would use it
    bool is_needed; // most jobs would
};

/* One layer of the worker's sandbox. */
struct diagnosis_layer {
    char name[32];
    char state[32]; // "on", "unavailable", …
    char note[256]; // why
};

/* What a worker that was started for it found. */
struct diagnosis_process {
    char step[32];     // what it was doing when it said this last; "": all done
    char problem[256]; // why it did not come to its end, ""
    int64_t uid;
    int64_t gid;
    char user[64];
    char **groups; // owned; names, or numbers where they have none
    size_t group_count;
    struct diagnosis_variable variables[DIAGNOSIS_VARIABLES];
    size_t variable_count;
    struct diagnosis_node nodes[DIAGNOSIS_NODES];
    size_t node_count;
    struct diagnosis_library libraries[DIAGNOSIS_LIBRARIES];
    size_t library_count;
    char confined[128];   // why cuInit fails in the sandbox, "" it does not
    int32_t cuda_result;  // of cuInit; DIAGNOSIS_UNKNOWN: it was not called
    int32_t cuda_version; // 11040, DIAGNOSIS_UNKNOWN
    int32_t cuda_devices; // DIAGNOSIS_UNKNOWN
    int32_t nvml_result;  // of nvmlInit_v2; DIAGNOSIS_UNKNOWN
    char nvml_driver[32]; // version that NVML tells, ""
    char nvenc_api[16];   // newest of the driver's library, ""
    struct diagnosis_absence absences[DIAGNOSIS_ABSENCES_MOST];
    size_t absence_count;
    struct diagnosis_layer layers[DIAGNOSIS_LAYERS_MOST];
    size_t layer_count;
};

enum diagnosis_role {
    DIAGNOSIS_STORE, // where the service keeps its jobs
    DIAGNOSIS_READ,  // a root
    DIAGNOSIS_WRITE, // a root
    DIAGNOSIS_ROLE_COUNT
};

struct diagnosis_folder {
    enum diagnosis_role role;
    char path[512];
    int32_t error;     // errno of opening it, or of making a file in it; 0
    bool is_read_only; // its file system is, for the service
    int64_t free;      // bytes that the service may still write, or UNKNOWN
    int64_t total;     // bytes of its file system, or UNKNOWN
    char problem[128]; // instead of all that: it does not answer; ""
};

/* An encoder session that is open on a GPU, and who holds it. */
struct diagnosis_session {
    char device[16]; // "cuda:0"
    int64_t pid;
    char name[64];  // of its program, "" unknown
    char codec[16]; // "h264", ""
    int32_t width;  // pixels
    int32_t height;
};

struct diagnosis {
    char version[32];
    int64_t pid;
    bool is_service; // started by the system's service manager
    struct diagnosis_process process;
    struct diagnosis_folder *folders; // owned
    size_t folder_count;
    bool is_surveyed;       // the GPUs have been, well or badly
    char nvenc_headers[16]; // what FFmpeg was built for, where that is known
    struct diagnosis_session *sessions; // owned
    size_t session_count;
};

const char *diagnosis_role_name(enum diagnosis_role role);

int diagnosis_from_json(struct diagnosis *ret, const struct json_t *json,
                        struct error *e);
struct json_t *diagnosis_to_json(const struct diagnosis *d); // a new reference
void diagnosis_fini(struct diagnosis *d);

/* Everything unknown. */
void diagnosis_process_init(struct diagnosis_process *ret);
int diagnosis_process_from_json(struct diagnosis_process *ret,
                                const struct json_t *json, struct error *e);
struct json_t *diagnosis_process_to_json(const struct diagnosis_process *p);
void diagnosis_process_fini(struct diagnosis_process *p);

int diagnosis_folder_from_json(struct diagnosis_folder *ret,
                               const struct json_t *json, struct error *e);
struct json_t *diagnosis_folder_to_json(const struct diagnosis_folder *f);

/* The value that the process has in its environment, NULL: not set. */
const char *diagnosis_variable(const struct diagnosis_process *p,
                               const char *name);

#endif
