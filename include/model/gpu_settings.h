/*
 * gpu_settings: what the operator decided about GPUs, the configuration's "gpu"
 * object.
 *
 *   { "sessions": 3, "vram_reserve": "512M" }
 *   { "sessions": {"cuda:0": 3, "GPU-…": 0} }
 */
#ifndef MODEL_GPU_SETTINGS_H
#define MODEL_GPU_SETTINGS_H

#include <stddef.h>
#include <stdint.h>

#define GPU_SESSIONS_UNSET (-1) // nobody has said
#define GPU_SESSIONS_MOST  1024
#define GPU_SESSIONS_ROWS  16

struct record;

/* Encoder sessions that this service may have of a device, by its id or UUID.
 */
struct gpu_sessions {
    int32_t all; // of each that has no row, GPU_SESSIONS_UNSET
    struct {
        char device[64];
        int32_t sessions;
    } rows[GPU_SESSIONS_ROWS];
    size_t count;
};

struct gpu_settings {
    struct gpu_sessions sessions;
    int64_t vram_reserve; // bytes of each device that others can have
};

extern const struct record gpu_settings_record; // for configuration

/* GPU_SESSIONS_UNSET, or what is set for the device with @id and @uuid. */
int32_t gpu_sessions_of(const struct gpu_sessions *s, const char *id,
                        const char *uuid);

#endif
