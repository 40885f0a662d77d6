/*
 * settings: what the machine is like and which faults it has, as rows of one
 * table.
 *
 * A value comes from the machine's control file (`name = value` lines), else
 * from the environment (VGPU_NAME), else from the row. All are read once, when
 * the process first touches the driver: a changed control file reaches the
 * processes that start afterwards.
 */
#ifndef VGPU_SETTINGS_H
#define VGPU_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SETTING_TEXT 96

enum setting_type {
    SETTING_NUMBER,
    SETTING_WORDS,
};

/* Whether a row's default is known of such a card, or only thought likely. */
enum setting_source {
    SETTING_KNOWN,
    SETTING_GUESS,
};

struct setting {
    const char *name;
    enum setting_type type;
    enum setting_source source;
    size_t offset; // into struct settings
    const char *fallback;
    const char *help;
};

struct settings {
    // the card
    char name[SETTING_TEXT];
    char driver_version[SETTING_TEXT];
    char nvenc_version[SETTING_TEXT]; // "11.1"
    char uuid[SETTING_TEXT];
    int64_t cards;
    int64_t cuda_version;       // 1000 * major + 10 * minor
    int64_t compute_capability; // 10 * major + minor
    int64_t vram;               // MiB
    int64_t sessions;
    int64_t session_error;
    int64_t foreign_sessions;
    int64_t foreign_vram; // MiB
    int64_t temperature;  // °C
    int64_t power;        // mW
    int64_t power_limit;  // mW
    int64_t sm_clock;     // MHz
    int64_t memory_clock; // MHz
    int64_t video_clock;  // MHz
    int64_t throttle;     // NVML's bits
    int64_t nvml_lacks;   // enum nvml_lack

    // decoding: the greatest bit depth, 0 for none
    int64_t decode_h264;
    int64_t decode_hevc;
    int64_t decode_vp9;
    int64_t decode_mpeg2;
    int64_t decode_width;
    int64_t decode_height;

    // encoding
    int64_t h264_b_frames;
    int64_t hevc_b_frames;
    int64_t h264_10bit;
    int64_t hevc_10bit;
    int64_t h264_width;
    int64_t h264_height;
    int64_t hevc_width;
    int64_t hevc_height;
    int64_t h264_claims_b_frames;
    int64_t hevc_claims_b_frames;
    int64_t hevc_claims_10bit;
    int64_t hevc_temporal_aq;

    // guesses about the driver
    int64_t h264_min_width;
    int64_t h264_min_height;
    int64_t hevc_min_width;
    int64_t hevc_min_height;
    int64_t preset_b_frames;
    int64_t b_ref_mode;
    int64_t multiple_refs;
    int64_t context_vram;       // MiB
    int64_t session_vram;       // MiB, of 1920x1080
    int64_t session_fixed_vram; // MiB, of any size
    int64_t map_error;
    int64_t surface_limit;
    int64_t lost_error;
    int64_t init_socket;
    int64_t hevc_rewrite;

    // faults; a count is the n-th such call of a process, 0 for never
    int64_t no_driver;
    int64_t init_error;
    int64_t nvml_error;
    int64_t open_nodes;
    int64_t no_encoder;
    int64_t open_error;
    int64_t load_error;
    int64_t fail_create;
    int64_t fail_decode;
    int64_t fail_map;
    int64_t fail_launch;
    int64_t fail_alloc;
    int64_t fail_encode;
    int64_t fail_lock;
    int64_t sticky;
    int64_t hang_encode;
    int64_t crash_encode;
    int64_t slow_encode; // ms

    int64_t jit_cache;
    int64_t large_copy; // bytes
    int64_t verbose;
};

extern const struct setting settings_table[];
extern const size_t settings_count;

/* The values of this process; loaded by the first call. Any thread. */
const struct settings *settings(void);

/* The folder of the machine: VGPU_MACHINE, or one for the user. */
const char *settings_machine(void);

/*
 * Give @s the defaults, then the environment's values, then those of the
 * control text @control, which may be NULL. Returns the number of lines or
 * variables that were no setting; each is named on standard error.
 */
int settings_load(struct settings *s, const char *control);

#endif
