/*
 * device: what the machine has to work with, as `Devices` shows it.
 */
#ifndef MODEL_DEVICE_H
#define MODEL_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

struct json_t;
struct marks;
struct sample;
struct survey_device;

#define DEVICE_UNKNOWN (-1)

/* What only a GPU has. Nothing here is owned. */
struct device_gpu {
    const struct survey_device *survey;
    const struct sample *sample; // NULL: none that is fresh
    const struct marks *marks;
    int32_t own;      // encoder sessions of ours, DEVICE_UNKNOWN
    int32_t foreign;  // of others
    int32_t limit;    // in all, as far as one knows
    bool is_discreet; // its programs are counted, and not named
};

struct device {
    char id[16];      // "cpu", "cuda:0"
    char name[64];    // "Intel(R) Core(TM) i7-4770 CPU @ 3.40GHz"
    int32_t cores;    // of the CPU, else 0
    int32_t running;  // attempts on it now
    int32_t limit;    // attempts at most; DEVICE_UNKNOWN: what sessions and
                      // memory allow
    double load;      // 0..1, DEVICE_UNKNOWN
    char health[192]; // "ok", or words for what is wrong
    const struct device_gpu *gpu; // not owned; NULL: it is none
};

struct json_t *device_to_json(const struct device *d); // a new reference

#endif
