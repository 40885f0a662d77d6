/*
 * grant: what the scheduler lends to one attempt (DESIGN.md 8).
 *
 * A mixed grant is one without a part: no sessions is NVDEC with the CPU's
 * encoders, no decode is the CPU's decoders with NVENC. A device that is not
 * the CPU always has one of both.
 */
#ifndef MODEL_GRANT_H
#define MODEL_GRANT_H

#include <stdbool.h>
#include <stdint.h>

struct error;
struct json_t;

struct grant {
    char device[16];  // "cpu", "cuda:0"
    int32_t sessions; // of NVENC: so many renditions go there, the rest to the
                      // CPU
    bool decode;      // NVDEC may be used
    int64_t vram;     // bytes that it is expected to stay below
    int32_t threads;  // of the CPU; 0: as libav likes
};

struct record;

extern const struct record grant_record; // its table, for order and tests

int grant_from_json(struct grant *ret, const struct json_t *json,
                    struct error *e);
struct json_t *grant_to_json(const struct grant *g); // a new reference

#endif
