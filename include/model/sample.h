/*
 * sample: what NVML says of one GPU at one moment (`transcoded-worker --watch`
 * says it each second). What a driver does not tell is SAMPLE_UNKNOWN: never a
 * zero, and null in JSON.
 */
#ifndef MODEL_SAMPLE_H
#define MODEL_SAMPLE_H

#include <stddef.h>
#include <stdint.h>

struct error;
struct json_t;
struct record;

#define SAMPLE_UNKNOWN        (-1)
#define SAMPLE_SESSIONS_MOST  64
#define SAMPLE_PROCESSES_MOST 64

/* An encoder session that somebody holds: ours or not is for the daemon. */
struct sample_session {
    int64_t pid;    // as NVML sees it
    char codec[16]; // "h264", "hevc", ""
    int32_t width;  // pixels
    int32_t height;
    int32_t fps; // average, frames a second
};

struct sample_process {
    int64_t pid;
    int64_t vram;  // bytes, SAMPLE_UNKNOWN
    char name[64]; // of its program, "" unknown
};

struct sample {
    char uuid[64]; // by which it is matched: NVML counts cards as it likes
    char name[64];
    char driver[32];
    int64_t time;          // µs since the epoch
    int64_t vram_total;    // bytes
    int64_t vram_used;     // bytes, of all processes and the driver
    int64_t vram_free;     // bytes
    double load;           // 0..1, of the SMs
    double encoder_load;   // 0..1
    double decoder_load;   // 0..1
    double temperature;    // °C
    double power;          // W
    double power_limit;    // W
    int32_t clock;         // MHz, of the SMs
    int32_t memory_clock;  // MHz
    int32_t video_clock;   // MHz, of encoder and decoder
    int64_t throttle;      // NVML's clocksThrottleReasons, SAMPLE_UNKNOWN
    int32_t session_total; // also where it is not said whose they are
    struct sample_session sessions[SAMPLE_SESSIONS_MOST];
    size_t session_count;
    struct sample_process processes[SAMPLE_PROCESSES_MOST];
    size_t process_count;
};

/* All unknown. */
void sample_init(struct sample *ret);

int sample_from_json(struct sample *ret, const struct json_t *json,
                     struct error *e);
struct json_t *sample_to_json(const struct sample *s); // a new reference

#endif
