/*
 * configuration: what the operator decided; a JSON object in a file.
 *
 *   { "socket_mode": "0660", "socket_group": "transcoded",
 *     "admin_group": "wheel", "roots": {"read": ["/media"], "write": ["/out"]},
 *     "output_group": "media", "output_mode": "0664",
 *     "profiles": "/etc/transcoded/profiles", "worker": null,
 *     "sandbox": "auto", "log_level": "info",
 *     "gpu": {"sessions": 3, "vram_reserve": "512M"},
 *     "limits": {"cpu_jobs": 2} }
 *
 * An empty object is valid. Unknown keys and bad values are refused by name.
 */
#ifndef MODEL_CONFIGURATION_H
#define MODEL_CONFIGURATION_H

#include <stdbool.h>
#include <stddef.h>

#include "base/log.h"
#include "model/gpu_settings.h"
#include "model/limits.h"

struct json_t;

/* What workers are confined by (sandbox/sandbox.h). */
enum configuration_sandbox {
    CONFIGURATION_SANDBOX_AUTO,
    CONFIGURATION_SANDBOX_REQUIRED,
    CONFIGURATION_SANDBOX_OFF,
    CONFIGURATION_SANDBOX_COUNT
};

extern const char
    *const configuration_sandbox_names[CONFIGURATION_SANDBOX_COUNT];

struct configuration {
    char *socket_group;   // owned; NULL: the service's own
    unsigned socket_mode; // 0660
    char *admin_group;    // owned; NULL: only root administers
    char **read_roots;    // owned; absolute folders
    size_t read_root_count;
    char **write_roots; // owned
    size_t write_root_count;
    char *output_group;   // owned; NULL: that of the output's folder
    unsigned output_mode; // 0664; its owner can always read and write
    char *profiles;       // owned; overriding folder, or NULL
    char *worker;         // owned; program, NULL: beside this one or in libexec
    char *opener;         // owned; likewise transcoded-files
    enum configuration_sandbox sandbox;
    bool sandbox_debug;   // say which system call ended a worker
    char **sandbox_paths; // owned; workers may read and write below
    size_t sandbox_path_count;
    enum log_level log_level;
    struct gpu_settings gpu;
    struct limits limits;
};

/* All defaults. */
void configuration_init(struct configuration *ret);

/* 0, -errno from reading, or -EINVAL with the file, the key and the reason.
 * @ret is written on success only. */
int configuration_from_file(struct configuration *ret, const char *path,
                            struct error *e);
int configuration_from_json(struct configuration *ret,
                            const struct json_t *json, struct error *e);
/* What --print-config shows: everything, defaults filled in. */
struct json_t *configuration_to_json(const struct configuration *c);
void configuration_fini(struct configuration *c);

#endif
