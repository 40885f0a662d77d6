/* libnvidia-ml: what the machine is doing, over all its processes. */
#include "nvml.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "context.h"
#include "machine.h"
#include "settings.h"

#define PERIOD        100000     // µs between two samples of the load
#define BUS           1          // the first card's; the others follow
#define PCI_DEVICE_ID 0x1cb110de // a Quadro P1000

/* Device handles are only ever compared. */
static const char the_devices[MACHINE_CARDS];
static atomic_int users; // nvmlInit less nvmlShutdown
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static nvmlReturn_t enter(void)
{
    if (!users)
        return NVML_ERROR_UNINITIALIZED;
    return machine_lost() ? NVML_ERROR_GPU_IS_LOST : NVML_SUCCESS;
}

int nvml_card(nvmlDevice_t device)
{
    for (int i = 0; i < machine_cards(); i++) {
        if ((const void *)device == &the_devices[i])
            return i;
    }
    return -1;
}

nvmlReturn_t nvml_enter_device(nvmlDevice_t device)
{
    nvmlReturn_t r = enter();

    if (r != NVML_SUCCESS)
        return r;
    return nvml_card(device) >= 0 ? NVML_SUCCESS : NVML_ERROR_INVALID_ARGUMENT;
}

static nvmlReturn_t answer(char *to, unsigned size, const char *text)
{
    if (size <= strlen(text))
        return NVML_ERROR_INSUFFICIENT_SIZE;
    strcpy(to, text);
    return NVML_SUCCESS;
}

NVML nvmlInit_v2(void);
nvmlReturn_t nvmlInit_v2(void)
{
    if (settings()->no_driver || !machine_state())
        return NVML_ERROR_DRIVER_NOT_LOADED;
    if (settings()->nvml_error)
        return (nvmlReturn_t)settings()->nvml_error;
    pthread_mutex_lock(&mutex);
    users++;
    pthread_mutex_unlock(&mutex);
    return NVML_SUCCESS;
}

NVML nvmlInit(void);
nvmlReturn_t nvmlInit(void)
{
    return nvmlInit_v2();
}

NVML nvmlInitWithFlags(unsigned flags);
nvmlReturn_t nvmlInitWithFlags(unsigned flags)
{
    (void)flags;
    return nvmlInit_v2();
}

NVML nvmlShutdown(void);
nvmlReturn_t nvmlShutdown(void)
{
    nvmlReturn_t r = NVML_SUCCESS;

    pthread_mutex_lock(&mutex);
    if (users)
        users--;
    else
        r = NVML_ERROR_UNINITIALIZED;
    pthread_mutex_unlock(&mutex);
    return r;
}

static const struct {
    nvmlReturn_t status;
    const char *text;
} texts[] = {
    {NVML_SUCCESS, "Success"},
    {NVML_ERROR_UNINITIALIZED, "Uninitialized"},
    {NVML_ERROR_INVALID_ARGUMENT, "Invalid Argument"},
    {NVML_ERROR_NOT_SUPPORTED, "Not Supported"},
    {NVML_ERROR_NOT_FOUND, "Not Found"},
    {NVML_ERROR_INSUFFICIENT_SIZE, "Insufficient Size"},
    {NVML_ERROR_DRIVER_NOT_LOADED, "Driver Not Loaded"},
    {NVML_ERROR_GPU_IS_LOST, "GPU is lost"},
    {NVML_ERROR_LIB_RM_VERSION_MISMATCH, "Driver/library version mismatch"},
};

EXPORT const char *nvmlErrorString(nvmlReturn_t status);
const char *nvmlErrorString(nvmlReturn_t status)
{
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i].status == status)
            return texts[i].text;
    }
    return "Unknown Error";
}

NVML nvmlSystemGetDriverVersion(char *to, unsigned size);
nvmlReturn_t nvmlSystemGetDriverVersion(char *to, unsigned size)
{
    nvmlReturn_t r = enter();

    return r ? r : answer(to, size, settings()->driver_version);
}

NVML nvmlSystemGetNVMLVersion(char *to, unsigned size);
nvmlReturn_t nvmlSystemGetNVMLVersion(char *to, unsigned size)
{
    char text[SETTING_TEXT + 8];
    nvmlReturn_t r = enter();

    snprintf(text, sizeof(text), "11.%s", settings()->driver_version);
    return r ? r : answer(to, size, text);
}

NVML nvmlSystemGetCudaDriverVersion(int *ret);
nvmlReturn_t nvmlSystemGetCudaDriverVersion(int *ret)
{
    *ret = (int)settings()->cuda_version;
    return enter();
}

NVML nvmlSystemGetCudaDriverVersion_v2(int *ret);
nvmlReturn_t nvmlSystemGetCudaDriverVersion_v2(int *ret)
{
    return nvmlSystemGetCudaDriverVersion(ret);
}

NVML nvmlSystemGetProcessName(unsigned pid, char *to, unsigned size);
nvmlReturn_t nvmlSystemGetProcessName(unsigned pid, char *to, unsigned size)
{
    const struct machine_state *m = machine_state();
    nvmlReturn_t r = enter();

    for (int i = 0; r == NVML_SUCCESS && i < MACHINE_PROCESSES; i++) {
        const struct machine_process *p = &m->processes[i];
        if (p->used && p->pid == (int)pid)
            return answer(to, size, p->program);
    }
    return r ? r : NVML_ERROR_NOT_FOUND;
}

NVML nvmlDeviceGetCount_v2(unsigned *ret);
nvmlReturn_t nvmlDeviceGetCount_v2(unsigned *ret)
{
    *ret = (unsigned)machine_cards();
    return enter();
}

NVML nvmlDeviceGetCount(unsigned *ret);
nvmlReturn_t nvmlDeviceGetCount(unsigned *ret)
{
    return nvmlDeviceGetCount_v2(ret);
}

/* -1 where there is no such card. */
static nvmlReturn_t give_device(int card, nvmlDevice_t *ret)
{
    nvmlReturn_t r = enter();

    if (r == NVML_SUCCESS && card >= 0)
        *ret = (nvmlDevice_t)(uintptr_t)&the_devices[card];
    return r ? r : card >= 0 ? NVML_SUCCESS : NVML_ERROR_NOT_FOUND;
}

NVML nvmlDeviceGetHandleByIndex_v2(unsigned index, nvmlDevice_t *ret);
nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned index, nvmlDevice_t *ret)
{
    bool is_any = index < (unsigned)machine_cards();
    nvmlReturn_t r = give_device(is_any ? (int)index : -1, ret);

    return r == NVML_ERROR_NOT_FOUND ? NVML_ERROR_INVALID_ARGUMENT : r;
}

NVML nvmlDeviceGetHandleByIndex(unsigned index, nvmlDevice_t *ret);
nvmlReturn_t nvmlDeviceGetHandleByIndex(unsigned index, nvmlDevice_t *ret)
{
    return nvmlDeviceGetHandleByIndex_v2(index, ret);
}

NVML nvmlDeviceGetHandleByUUID(const char *uuid, nvmlDevice_t *ret);
nvmlReturn_t nvmlDeviceGetHandleByUUID(const char *uuid, nvmlDevice_t *ret)
{
    int card = machine_cards() - 1;

    for (char known[SETTING_TEXT]; card >= 0; card--) {
        machine_uuid(card, known);
        if (!strcmp(uuid, known))
            break;
    }
    return give_device(card, ret);
}

static void print_bus_id(int card, char *to, size_t size)
{
    snprintf(to, size, "00000000:%02x:00.0", (unsigned)(BUS + card));
}

NVML nvmlDeviceGetHandleByPciBusId_v2(const char *bus, nvmlDevice_t *ret);
nvmlReturn_t nvmlDeviceGetHandleByPciBusId_v2(const char *bus,
                                              nvmlDevice_t *ret)
{
    int card = machine_cards() - 1;

    for (char known[32]; card >= 0; card--) {
        print_bus_id(card, known, sizeof(known));
        // Clients write the domain with four digits or eight.
        if (!strcmp(bus, known) || !strcmp(bus, known + 4))
            break;
    }
    return give_device(card, ret);
}

NVML nvmlDeviceGetName(nvmlDevice_t device, char *to, unsigned size);
nvmlReturn_t nvmlDeviceGetName(nvmlDevice_t device, char *to, unsigned size)
{
    nvmlReturn_t r = nvml_enter_device(device);

    return r ? r : answer(to, size, settings()->name);
}

NVML nvmlDeviceGetUUID(nvmlDevice_t device, char *to, unsigned size);
nvmlReturn_t nvmlDeviceGetUUID(nvmlDevice_t device, char *to, unsigned size)
{
    nvmlReturn_t r = nvml_enter_device(device);
    char uuid[SETTING_TEXT];

    if (r != NVML_SUCCESS)
        return r;
    if (settings()->nvml_lacks & NVML_LACKS_UUID)
        return NVML_ERROR_NOT_SUPPORTED;
    machine_uuid(nvml_card(device), uuid);
    return answer(to, size, uuid);
}

NVML nvmlDeviceGetIndex(nvmlDevice_t device, unsigned *ret);
nvmlReturn_t nvmlDeviceGetIndex(nvmlDevice_t device, unsigned *ret)
{
    *ret = (unsigned)nvml_card(device);
    return nvml_enter_device(device);
}

NVML nvmlDeviceGetMinorNumber(nvmlDevice_t device, unsigned *ret);
nvmlReturn_t nvmlDeviceGetMinorNumber(nvmlDevice_t device, unsigned *ret)
{
    *ret = (unsigned)nvml_card(device);
    return nvml_enter_device(device);
}

NVML nvmlDeviceGetPciInfo_v3(nvmlDevice_t device, nvmlPciInfo_t *ret);
nvmlReturn_t nvmlDeviceGetPciInfo_v3(nvmlDevice_t device, nvmlPciInfo_t *ret)
{
    nvmlReturn_t r = nvml_enter_device(device);

    if (r != NVML_SUCCESS)
        return r;
    *ret = (nvmlPciInfo_t){.bus = (unsigned)(BUS + nvml_card(device)),
                           .pciDeviceId = PCI_DEVICE_ID};
    print_bus_id(nvml_card(device), ret->busId, sizeof(ret->busId));
    snprintf(ret->busIdLegacy, sizeof(ret->busIdLegacy), "%.*s",
             (int)sizeof(ret->busIdLegacy) - 1, &ret->busId[4]);
    return NVML_SUCCESS;
}

NVML nvmlDeviceGetCudaComputeCapability(nvmlDevice_t device, int *major,
                                        int *minor);
nvmlReturn_t nvmlDeviceGetCudaComputeCapability(nvmlDevice_t device, int *major,
                                                int *minor)
{
    *major = (int)settings()->compute_capability / 10;
    *minor = (int)settings()->compute_capability % 10;
    return nvml_enter_device(device);
}

NVML nvmlDeviceGetMemoryInfo(nvmlDevice_t device, nvmlMemory_t *ret);
nvmlReturn_t nvmlDeviceGetMemoryInfo(nvmlDevice_t device, nvmlMemory_t *ret)
{
    nvmlReturn_t r = nvml_enter_device(device);
    int64_t total = settings()->vram << 20;

    if (r != NVML_SUCCESS)
        return r;
    if (settings()->nvml_lacks & NVML_LACKS_MEMORY)
        return NVML_ERROR_NOT_SUPPORTED;
    machine_lock();
    int64_t used = machine_vram_used(nvml_card(device));
    machine_unlock();
    used = used > total ? total : used;
    ret->total = (unsigned long long)total;
    ret->used = (unsigned long long)used;
    ret->free = (unsigned long long)(total - used);
    return NVML_SUCCESS;
}

NVML nvmlDeviceGetTemperature(nvmlDevice_t device, int sensor, unsigned *ret);
nvmlReturn_t nvmlDeviceGetTemperature(nvmlDevice_t device, int sensor,
                                      unsigned *ret)
{
    *ret = (unsigned)settings()->temperature;
    return sensor ? NVML_ERROR_INVALID_ARGUMENT : nvml_enter_device(device);
}

/* A setting that is 0 where the card does not say it. */
static nvmlReturn_t tell(nvmlDevice_t device, int64_t value, unsigned *ret)
{
    nvmlReturn_t r = nvml_enter_device(device);

    *ret = (unsigned)value;
    return r ? r : value ? NVML_SUCCESS : NVML_ERROR_NOT_SUPPORTED;
}

NVML nvmlDeviceGetPowerUsage(nvmlDevice_t device, unsigned *ret);
nvmlReturn_t nvmlDeviceGetPowerUsage(nvmlDevice_t device, unsigned *ret)
{
    return tell(device, settings()->power, ret);
}

NVML nvmlDeviceGetEnforcedPowerLimit(nvmlDevice_t device, unsigned *ret);
nvmlReturn_t nvmlDeviceGetEnforcedPowerLimit(nvmlDevice_t device, unsigned *ret)
{
    return tell(device, settings()->power_limit, ret);
}

NVML nvmlDeviceGetClockInfo(nvmlDevice_t device, int type, unsigned *ret);
nvmlReturn_t nvmlDeviceGetClockInfo(nvmlDevice_t device, int type,
                                    unsigned *ret)
{
    const int64_t clocks[] = {settings()->sm_clock, settings()->sm_clock,
                              settings()->memory_clock,
                              settings()->video_clock};

    if (type < 0 || type > 3)
        return NVML_ERROR_INVALID_ARGUMENT;
    return tell(device, clocks[type], ret);
}

NVML nvmlDeviceGetCurrentClocksThrottleReasons(nvmlDevice_t device,
                                               unsigned long long *ret);
nvmlReturn_t nvmlDeviceGetCurrentClocksThrottleReasons(nvmlDevice_t device,
                                                       unsigned long long *ret)
{
    nvmlReturn_t r = nvml_enter_device(device);

    *ret = (unsigned long long)settings()->throttle;
    return r ? r : settings()->throttle < 0 ? NVML_ERROR_NOT_SUPPORTED : r;
}

enum load { LOAD_ENCODER, LOAD_DECODER, LOAD_KERNELS, LOAD_COUNT };

/* Busy time of all processes that live, µs. With the machine's lock held. */
static int64_t busy(enum load which)
{
    const struct machine_state *m = machine_state();
    int64_t sum = 0;

    for (int i = 0; i < MACHINE_PROCESSES; i++) {
        const struct machine_process *p = &m->processes[i];
        sum += which == LOAD_ENCODER   ? p->busy_encoding
               : which == LOAD_DECODER ? p->busy_decoding
                                       : p->busy_kernels;
    }
    return sum;
}

/* Percent of the time since this process asked last. */
static unsigned load(enum load which)
{
    static struct {
        int64_t time;
        int64_t busy;
        unsigned percent;
    } last[LOAD_COUNT];
    int64_t now = machine_now();

    machine_lock();
    if (now - last[which].time >= PERIOD) {
        int64_t total = busy(which);
        int64_t more = total > last[which].busy ? total - last[which].busy : 0;
        int64_t percent = 100 * more / (now - last[which].time);
        last[which].percent = percent > 100 ? 100 : (unsigned)percent;
        last[which].time = now;
        last[which].busy = total;
    }
    unsigned percent = last[which].percent;
    machine_unlock();
    return percent;
}

NVML nvmlDeviceGetUtilizationRates(nvmlDevice_t device, nvmlUtilization_t *ret);
nvmlReturn_t nvmlDeviceGetUtilizationRates(nvmlDevice_t device,
                                           nvmlUtilization_t *ret)
{
    nvmlReturn_t r = nvml_enter_device(device);

    if (r == NVML_SUCCESS)
        *ret = (nvmlUtilization_t){.gpu = load(LOAD_KERNELS)};
    return r;
}

NVML nvmlDeviceGetEncoderUtilization(nvmlDevice_t device, unsigned *ret,
                                     unsigned *period);
nvmlReturn_t nvmlDeviceGetEncoderUtilization(nvmlDevice_t device, unsigned *ret,
                                             unsigned *period)
{
    nvmlReturn_t r = nvml_enter_device(device);

    if (r == NVML_SUCCESS) {
        *ret = load(LOAD_ENCODER);
        *period = PERIOD;
    }
    return r;
}

NVML nvmlDeviceGetDecoderUtilization(nvmlDevice_t device, unsigned *ret,
                                     unsigned *period);
nvmlReturn_t nvmlDeviceGetDecoderUtilization(nvmlDevice_t device, unsigned *ret,
                                             unsigned *period)
{
    nvmlReturn_t r = nvml_enter_device(device);

    if (r == NVML_SUCCESS) {
        *ret = load(LOAD_DECODER);
        *period = PERIOD;
    }
    return r;
}
