/* libnvidia-ml: who uses the card, sessions and processes. */
#include <limits.h>
#include <string.h>

#include "context.h"
#include "machine.h"
#include "nvml.h"
#include "settings.h"

#define SESSIONS_MAX (MACHINE_PROCESSES * MACHINE_SESSIONS + 64)
#define FOREIGN_PID  1 // whose sessions and memory are simulated

static unsigned rate(const struct machine_session *s)
{
    int64_t time = machine_now() - s->started;

    return time > 0 ? (unsigned)(s->frames * 1000000 / time) : 0;
}

static nvmlEncoderSessionInfo_t describe(int process, int i)
{
    const struct machine_process *p = &machine_state()->processes[process];
    const struct machine_session *s = &p->sessions[i];

    return (nvmlEncoderSessionInfo_t){
        .sessionId = (unsigned)(process * MACHINE_SESSIONS + i + 1),
        .pid = (unsigned)p->pid,
        .codecType = s->codec,
        .hResolution = (unsigned)s->width,
        .vResolution = (unsigned)s->height,
        .averageFps = rate(s),
        .averageLatency = (unsigned)s->latency,
    };
}

/* All sessions on a card; returns how many. With the machine's lock held. */
static unsigned list_sessions(int card, nvmlEncoderSessionInfo_t *to,
                              unsigned room)
{
    const struct machine_state *m = machine_state();
    unsigned n = 0;

    for (int i = 0; i < MACHINE_PROCESSES * MACHINE_SESSIONS; i++) {
        const struct machine_process *p = &m->processes[i / MACHINE_SESSIONS];
        const struct machine_session *one = &p->sessions[i % MACHINE_SESSIONS];
        if (!p->used || !one->used || one->card != card)
            continue;
        if (n < room)
            to[n] = describe(i / MACHINE_SESSIONS, i % MACHINE_SESSIONS);
        n++;
    }
    int64_t foreign = card ? 0 : settings()->foreign_sessions;
    for (int64_t i = 0; i < foreign; i++, n++) {
        if (n < room)
            to[n] = (nvmlEncoderSessionInfo_t){.sessionId = 10000 + n,
                                               .pid = FOREIGN_PID,
                                               .hResolution = 1920,
                                               .vResolution = 1080};
    }
    return n;
}

NVML nvmlDeviceGetEncoderSessions(nvmlDevice_t device, unsigned *count,
                                  nvmlEncoderSessionInfo_t *ret);
nvmlReturn_t nvmlDeviceGetEncoderSessions(nvmlDevice_t device, unsigned *count,
                                          nvmlEncoderSessionInfo_t *ret)
{
    nvmlReturn_t r = nvml_enter_device(device);

    if (r != NVML_SUCCESS)
        return r;
    if (settings()->nvml_lacks & NVML_LACKS_SESSIONS)
        return NVML_ERROR_NOT_SUPPORTED;
    unsigned room = ret ? *count : 0;
    machine_lock();
    *count = list_sessions(nvml_card(device), ret, room);
    machine_unlock();
    return ret && *count > room ? NVML_ERROR_INSUFFICIENT_SIZE : NVML_SUCCESS;
}

NVML nvmlDeviceGetEncoderStats(nvmlDevice_t device, unsigned *count,
                               unsigned *fps, unsigned *latency);
nvmlReturn_t nvmlDeviceGetEncoderStats(nvmlDevice_t device, unsigned *count,
                                       unsigned *fps, unsigned *latency)
{
    static nvmlEncoderSessionInfo_t list[SESSIONS_MAX];
    nvmlReturn_t r = nvml_enter_device(device);
    uint64_t fps_sum = 0, latency_sum = 0;

    if (r != NVML_SUCCESS)
        return r;
    machine_lock();
    unsigned n = list_sessions(nvml_card(device), list, SESSIONS_MAX);
    for (unsigned i = 0; i < n && i < SESSIONS_MAX; i++) {
        fps_sum += list[i].averageFps;
        latency_sum += list[i].averageLatency;
    }
    machine_unlock();
    *count = n;
    *fps = n ? (unsigned)(fps_sum / n) : 0;
    *latency = n ? (unsigned)(latency_sum / n) : 0;
    return NVML_SUCCESS;
}

/* An estimate that says nothing about the limit of sessions; here it only
 * goes down with each. */
NVML nvmlDeviceGetEncoderCapacity(nvmlDevice_t device, int codec,
                                  unsigned *ret);
nvmlReturn_t nvmlDeviceGetEncoderCapacity(nvmlDevice_t device, int codec,
                                          unsigned *ret)
{
    nvmlReturn_t r = nvml_enter_device(device);

    if (r != NVML_SUCCESS || codec > MACHINE_HEVC)
        return r ? r : NVML_ERROR_INVALID_ARGUMENT;
    machine_lock();
    int64_t used = machine_sessions_used();
    machine_unlock();
    *ret = used < 5 ? (unsigned)(100 - 20 * used) : 0;
    return NVML_SUCCESS;
}

/* All processes with a context on a card. Returns how many. */
static unsigned list_processes(int card, nvmlProcessInfo_t *to, unsigned room)
{
    const struct machine_state *m = machine_state();
    unsigned n = 0;

    for (int i = 0; i < MACHINE_PROCESSES; i++) {
        const struct machine_process *p = &m->processes[i];
        if (!p->used || !p->contexts[card])
            continue;
        if (n < room)
            to[n] = (nvmlProcessInfo_t){.pid = (unsigned)p->pid,
                                        .usedGpuMemory =
                                            (unsigned long long)p->vram[card]};
        n++;
    }
    if (settings()->foreign_vram && !card) {
        if (n < room)
            to[n] = (nvmlProcessInfo_t){
                .pid = FOREIGN_PID,
                .usedGpuMemory = (unsigned long long)settings()->foreign_vram
                                 << 20};
        n++;
    }
    return n;
}

NVML nvmlDeviceGetComputeRunningProcesses_v2(nvmlDevice_t device,
                                             unsigned *count,
                                             nvmlProcessInfo_t *ret);
nvmlReturn_t nvmlDeviceGetComputeRunningProcesses_v2(nvmlDevice_t device,
                                                     unsigned *count,
                                                     nvmlProcessInfo_t *ret)
{
    nvmlReturn_t r = nvml_enter_device(device);

    if (r != NVML_SUCCESS)
        return r;
    unsigned room = ret ? *count : 0;
    machine_lock();
    *count = list_processes(nvml_card(device), ret, room);
    machine_unlock();
    for (unsigned i = 0; i < *count && i < room; i++) {
        if (settings()->nvml_lacks & NVML_LACKS_PROCESS_MEMORY)
            ret[i].usedGpuMemory = ULLONG_MAX;
    }
    return *count > room ? NVML_ERROR_INSUFFICIENT_SIZE : NVML_SUCCESS;
}

NVML nvmlDeviceGetComputeRunningProcesses(nvmlDevice_t device, unsigned *count,
                                          nvmlProcessInfo_v1_t *ret);
nvmlReturn_t nvmlDeviceGetComputeRunningProcesses(nvmlDevice_t device,
                                                  unsigned *count,
                                                  nvmlProcessInfo_v1_t *ret)
{
    nvmlProcessInfo_t list[MACHINE_PROCESSES + 1];
    unsigned n = MACHINE_PROCESSES + 1, room = ret ? *count : 0;
    nvmlReturn_t r = nvmlDeviceGetComputeRunningProcesses_v2(device, &n, list);

    if (r != NVML_SUCCESS)
        return r;
    for (unsigned i = 0; i < n && i < room; i++)
        ret[i] = (nvmlProcessInfo_v1_t){list[i].pid, list[i].usedGpuMemory};
    *count = n;
    return n > room ? NVML_ERROR_INSUFFICIENT_SIZE : NVML_SUCCESS;
}
