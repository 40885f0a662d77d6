/*
 * device: what the machine has to work with, as `Devices` shows it.
 */
#ifndef MODEL_DEVICE_H
#define MODEL_DEVICE_H

#include <stdint.h>

struct json_t;

struct device {
    char id[16];     // "cpu", "cuda:0"
    char name[64];   // "Intel(R) Core(TM) i7-4770 CPU @ 3.40GHz"
    int32_t cores;   // of the CPU, else 0
    int32_t running; // attempts on it now
    int32_t limit;   // attempts at most
    double load;     // 0..1, -1 not available
    char health[16]; // "ok"
};

struct json_t *device_to_json(const struct device *d); // a new reference

#endif
