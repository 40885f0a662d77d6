/*
 * need: what a worker found that its job needs, for the scheduler.
 */
#ifndef MODEL_NEED_H
#define MODEL_NEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct error;
struct json_t;

#define NEED_RENDITIONS_MOST 16
#define NEED_DEVICES_MOST    16

struct need_rendition {
    char codec[16]; // "h264"
    int32_t width;
    int32_t height;
    int32_t depth; // bits a sample
};

/* What the job would take of one of the devices that came with its order, if it
 * were granted all that it can use there. */
struct need_device {
    char id[16];      // "cuda:0"
    int32_t sessions; // renditions that its NVENC takes
    bool decodes;     // its NVDEC takes the video
    int32_t surfaces; // frames that the decoder's pool holds; 0 without
    char why[128];    // what it does not do of it, in words, or ""
};

struct need {
    bool decodes_video; // else only copies, or touches no video
    char codec[32];     // libav's name of the video that is decoded
    int32_t width;
    int32_t height;
    int32_t depth;
    struct need_rendition renditions[NEED_RENDITIONS_MOST];
    size_t rendition_count;
    struct need_device devices[NEED_DEVICES_MOST]; // without the CPU
    size_t device_count;
    double duration;   // s of media to do, -1 unknown
    bool input_passes; // a pipe: no other worker can begin it anew
};

struct record;

extern const struct record need_record; // its table, for event and tests

int need_from_json(struct need *ret, const struct json_t *json,
                   struct error *e);
struct json_t *need_to_json(const struct need *n); // a new reference

#endif
