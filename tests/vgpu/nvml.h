/*
 * nvml: the part of NVIDIA's management library that is offered, declared
 * here; no public header of it is free to ship.
 */
#ifndef VGPU_NVML_H
#define VGPU_NVML_H

#include <stdint.h>

#include "context.h"

#define NVML EXPORT nvmlReturn_t

typedef struct nvml_device *nvmlDevice_t;
typedef int nvmlReturn_t;

enum nvml_status {
    NVML_SUCCESS = 0,
    NVML_ERROR_UNINITIALIZED = 1,
    NVML_ERROR_INVALID_ARGUMENT = 2,
    NVML_ERROR_NOT_SUPPORTED = 3,
    NVML_ERROR_NOT_FOUND = 6,
    NVML_ERROR_INSUFFICIENT_SIZE = 7,
    NVML_ERROR_DRIVER_NOT_LOADED = 9,
    NVML_ERROR_GPU_IS_LOST = 15,
    NVML_ERROR_LIB_RM_VERSION_MISMATCH = 18,
};

/* What a client may find missing: bits of the setting nvml_lacks. */
enum nvml_lack {
    NVML_LACKS_MEMORY = 1,
    NVML_LACKS_SESSIONS = 2,
    NVML_LACKS_PROCESS_MEMORY = 4,
    NVML_LACKS_UUID = 8,
};

typedef struct {
    unsigned long long total;
    unsigned long long free;
    unsigned long long used;
} nvmlMemory_t;

typedef struct {
    unsigned gpu; // percent
    unsigned memory;
} nvmlUtilization_t;

typedef struct {
    char busIdLegacy[16];
    unsigned domain;
    unsigned bus;
    unsigned device;
    unsigned pciDeviceId;
    unsigned pciSubSystemId;
    char busId[32];
} nvmlPciInfo_t;

typedef struct {
    unsigned sessionId;
    unsigned pid;
    unsigned vgpuInstance; // unused
    int codecType;         // 0 H.264, 1 HEVC
    unsigned hResolution;
    unsigned vResolution;
    unsigned averageFps;
    unsigned averageLatency; // µs
} nvmlEncoderSessionInfo_t;

typedef struct {
    unsigned pid;
    unsigned long long usedGpuMemory;
} nvmlProcessInfo_v1_t;

typedef struct {
    unsigned pid;
    unsigned long long usedGpuMemory;
    unsigned gpuInstanceId;
    unsigned computeInstanceId;
} nvmlProcessInfo_t;

/* The number of its card, -1 for none. */
int nvml_card(nvmlDevice_t device);

/* What every function of a device asks first. */
nvmlReturn_t nvml_enter_device(nvmlDevice_t device);

#endif
