/* libcuda: what the device says of itself, and the words for errors. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "context.h"
#include "cuda_error.h"
#include "machine.h"
#include "settings.h"

static CUresult enter(CUdevice device)
{
    CUresult r = context_enter(NEED_INIT);

    if (r != CUDA_SUCCESS)
        return r;
    return device >= 0 && device < machine_cards()
               ? CUDA_SUCCESS
               : (CUresult)CUDA_INVALID_DEVICE;
}

/* Its form with uuids is not here. */
int cuda_visible(int ret[MACHINE_CARDS])
{
    const char *text = getenv("CUDA_VISIBLE_DEVICES");
    int count = 0;

    for (int i = 0; !text && i < machine_cards(); i++)
        ret[count++] = i;
    while (text && count < MACHINE_CARDS) {
        char *end;
        long card = strtol(text, &end, 10);
        if (end == text || card < 0 || card >= machine_cards())
            break;
        ret[count++] = (int)card;
        text = *end == ',' ? end + 1 : NULL;
    }
    return count;
}

EXPORT CUresult CUDAAPI cuDriverGetVersion(int *ret);
CUresult cuDriverGetVersion(int *ret)
{
    *ret = (int)settings()->cuda_version;
    return CUDA_SUCCESS;
}

EXPORT tcuDeviceGetCount cuDeviceGetCount;
CUresult cuDeviceGetCount(int *ret)
{
    CUresult r = context_enter(NEED_INIT);
    int cards[MACHINE_CARDS];

    if (r == CUDA_SUCCESS)
        *ret = cuda_visible(cards);
    return r;
}

EXPORT tcuDeviceGet cuDeviceGet;
CUresult cuDeviceGet(CUdevice *ret, int ordinal)
{
    CUresult r = context_enter(NEED_INIT);
    int cards[MACHINE_CARDS];

    if (r != CUDA_SUCCESS)
        return r;
    if (ordinal < 0 || ordinal >= cuda_visible(cards))
        return (CUresult)CUDA_INVALID_DEVICE;
    *ret = cards[ordinal];
    return r;
}

EXPORT tcuDeviceGetName cuDeviceGetName;
CUresult cuDeviceGetName(char *name, int size, CUdevice device)
{
    CUresult r = enter(device);

    if (r == CUDA_SUCCESS && size > 0)
        snprintf(name, (size_t)size, "%s", settings()->name);
    return r;
}

EXPORT tcuDeviceGetUuid cuDeviceGetUuid;
CUresult cuDeviceGetUuid(CUuuid *ret, CUdevice device)
{
    CUresult r = enter(device);
    char uuid[SETTING_TEXT];
    size_t nibbles = 0;

    if (r != CUDA_SUCCESS)
        return r;
    machine_uuid(device, uuid);
    const char *text = uuid;
    memset(ret, 0, sizeof(*ret));
    for (text += strncmp(text, "GPU-", 4) ? 0 : 4; *text && nibbles < 32;
         text++) {
        const char *digits = "0123456789abcdef";
        const char *digit = strchr(digits, *text);
        if (!digit)
            continue;
        int value = (int)(digit - digits) << (nibbles % 2 ? 0 : 4);
        ret->bytes[nibbles / 2] = (char)(ret->bytes[nibbles / 2] | value);
        nibbles++;
    }
    return CUDA_SUCCESS;
}

EXPORT tcuDeviceComputeCapability cuDeviceComputeCapability;
CUresult cuDeviceComputeCapability(int *major, int *minor, CUdevice device)
{
    CUresult r = enter(device);

    if (r == CUDA_SUCCESS) {
        *major = (int)settings()->compute_capability / 10;
        *minor = (int)settings()->compute_capability % 10;
    }
    return r;
}

EXPORT CUresult CUDAAPI cuDeviceTotalMem_v2(size_t *ret, CUdevice device);
CUresult cuDeviceTotalMem_v2(size_t *ret, CUdevice device)
{
    CUresult r = enter(device);

    if (r == CUDA_SUCCESS)
        *ret = (size_t)settings()->vram << 20;
    return r;
}

EXPORT CUresult CUDAAPI cuMemGetInfo_v2(size_t *available, size_t *total);
CUresult cuMemGetInfo_v2(size_t *available, size_t *total)
{
    CUresult r = context_enter(NEED_CONTEXT);

    if (r != CUDA_SUCCESS)
        return r;
    machine_lock();
    int64_t left = (settings()->vram << 20) -
                   machine_vram_used(context_card(context_current()));
    machine_unlock();
    *available = left > 0 ? (size_t)left : 0;
    *total = (size_t)settings()->vram << 20;
    return CUDA_SUCCESS;
}

/* Those of a P1000 that somebody may ask for. */
static const struct {
    int attribute;
    int value;
} attributes[] = {
    {1, 1024}, // threads a block
    {CU_DEVICE_ATTRIBUTE_CLOCK_RATE, 1480500},
    {CU_DEVICE_ATTRIBUTE_TEXTURE_ALIGNMENT, 512},
    {CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT, 5},
    {CU_DEVICE_ATTRIBUTE_INTEGRATED, 0},
    {CU_DEVICE_ATTRIBUTE_CAN_MAP_HOST_MEMORY, 1},
    {CU_DEVICE_ATTRIBUTE_COMPUTE_MODE, 0},
    {CU_DEVICE_ATTRIBUTE_CONCURRENT_KERNELS, 1},
    {CU_DEVICE_ATTRIBUTE_PCI_BUS_ID, 1},
    {CU_DEVICE_ATTRIBUTE_PCI_DEVICE_ID, 0},
    {CU_DEVICE_ATTRIBUTE_PCI_DOMAIN_ID, 0},
    {CU_DEVICE_ATTRIBUTE_TCC_DRIVER, 0},
    {CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE, 3003000},
    {CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH, 128},
    {CU_DEVICE_ATTRIBUTE_ASYNC_ENGINE_COUNT, 2},
    {CU_DEVICE_ATTRIBUTE_UNIFIED_ADDRESSING, 1},
    {CU_DEVICE_ATTRIBUTE_TEXTURE_PITCH_ALIGNMENT, 32},
    {CU_DEVICE_ATTRIBUTE_MANAGED_MEMORY, 1},
};

EXPORT tcuDeviceGetAttribute cuDeviceGetAttribute;
CUresult cuDeviceGetAttribute(int *ret, CUdevice_attribute attribute,
                              CUdevice device)
{
    CUresult r = enter(device);
    int unused;

    if (r != CUDA_SUCCESS)
        return r;
    if (attribute == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)
        return cuDeviceComputeCapability(ret, &unused, device);
    if (attribute == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)
        return cuDeviceComputeCapability(&unused, ret, device);
    for (size_t i = 0; i < sizeof(attributes) / sizeof(attributes[0]); i++) {
        if (attributes[i].attribute == (int)attribute) {
            *ret = attributes[i].value;
            if (attribute == CU_DEVICE_ATTRIBUTE_PCI_BUS_ID)
                *ret += device;
            return CUDA_SUCCESS;
        }
    }
    return (CUresult)CUDA_INVALID_VALUE;
}

#define CUDA_ROW(name, value, text) {value, "CUDA_ERROR_" #name, text},
static const struct {
    int code;
    const char *name;
    const char *text;
} errors[] = {
    {CUDA_SUCCESS, "CUDA_SUCCESS", "no error"},
    {CUDA_ERROR_NOT_READY, "CUDA_ERROR_NOT_READY", "device not ready"},
    CUDA_ERRORS(CUDA_ROW)};

EXPORT tcuGetErrorName cuGetErrorName;
CUresult cuGetErrorName(CUresult code, const char **ret)
{
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        if (errors[i].code == (int)code) {
            *ret = errors[i].name;
            return CUDA_SUCCESS;
        }
    }
    *ret = NULL;
    return (CUresult)CUDA_INVALID_VALUE;
}

EXPORT tcuGetErrorString cuGetErrorString;
CUresult cuGetErrorString(CUresult code, const char **ret)
{
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        if (errors[i].code == (int)code) {
            *ret = errors[i].text;
            return CUDA_SUCCESS;
        }
    }
    *ret = NULL;
    return (CUresult)CUDA_INVALID_VALUE;
}
