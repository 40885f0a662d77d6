#include "nvml.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "model/sample.h"

#define LIBRARY "libnvidia-ml.so.1"

/*
 * NVML's own declarations, as far as they are needed: its header is not free
 * to ship. Sizes and numbers are the library's ABI, which NVIDIA only adds to.
 */
enum status {
    STATUS_SUCCESS = 0,
    STATUS_INSUFFICIENT_SIZE = 7,
};

enum sensor { SENSOR_GPU = 0 };
enum clock_type { CLOCK_SM = 1, CLOCK_MEMORY = 2, CLOCK_VIDEO = 3 };

struct device; // a handle, only ever passed back

struct memory {
    unsigned long long total;
    unsigned long long free;
    unsigned long long used; // with what the driver keeps for itself
};

struct utilization {
    unsigned gpu; // percent
    unsigned memory;
};

struct encoder_session {
    unsigned id;
    unsigned pid;
    unsigned instance;
    int codec;
    unsigned width;
    unsigned height;
    unsigned fps;
    unsigned latency; // µs
};

/* Up to driver 450. */
struct process_v1 {
    unsigned pid;
    unsigned long long vram; // ULLONG_MAX: not available
};

/* Since then. */
struct process {
    unsigned pid;
    unsigned long long vram;
    unsigned gpu_instance;
    unsigned compute_instance;
};

typedef int list_processes(struct device *, unsigned *, struct process *);
typedef int list_processes_v1(struct device *, unsigned *, struct process_v1 *);
typedef int get_text(struct device *, char *, unsigned);
typedef int get_number(struct device *, unsigned *);
typedef int get_sampled(struct device *, unsigned *, unsigned *period);

struct nvml {
    void *library; // owned, by dlopen
    bool is_initialised;
    unsigned count;
    char driver[sizeof(((struct sample *)0)->driver)];

    int (*init)(void);
    int (*shutdown)(void);
    const char *(*error_string)(int);
    int (*driver_version)(char *, unsigned);
    int (*get_count)(unsigned *);
    int (*handle)(unsigned, struct device **);
    get_text *uuid;

    // what follows may be missing: older drivers, or other kinds of cards
    get_text *name;
    int (*memory)(struct device *, struct memory *);
    int (*utilization)(struct device *, struct utilization *);
    get_sampled *encoder;
    get_sampled *decoder;
    int (*temperature)(struct device *, int sensor, unsigned *);
    get_number *power;       // mW
    get_number *power_limit; // mW
    int (*clock)(struct device *, int type, unsigned *);
    int (*throttle)(struct device *, unsigned long long *);
    int (*sessions)(struct device *, unsigned *, struct encoder_session *);
    int (*session_stats)(struct device *, unsigned *, unsigned *, unsigned *);
    list_processes *compute;
    list_processes *graphics;
    list_processes_v1 *compute_v1;
    list_processes_v1 *graphics_v1;
};

enum need { NEED_MUST, NEED_MAY };

// clang-format off
#define ROW(member) offsetof(struct nvml, member)
static const struct {
    size_t offset;
    enum need need;
    const char *names[2]; // the first one that is there
} symbols[] = {
    {ROW(init),           NEED_MUST, {"nvmlInit_v2"}},
    {ROW(shutdown),       NEED_MUST, {"nvmlShutdown"}},
    {ROW(error_string),   NEED_MUST, {"nvmlErrorString"}},
    {ROW(driver_version), NEED_MUST, {"nvmlSystemGetDriverVersion"}},
    {ROW(get_count),      NEED_MUST, {"nvmlDeviceGetCount_v2"}},
    {ROW(handle),         NEED_MUST, {"nvmlDeviceGetHandleByIndex_v2"}},
    {ROW(uuid),           NEED_MUST, {"nvmlDeviceGetUUID"}},
    {ROW(name),           NEED_MAY,  {"nvmlDeviceGetName"}},
    // its _v2 (driver 510) has the driver's own share apart: what is used by
    // whomever is what counts here, and this one has it on every driver
    {ROW(memory),         NEED_MAY,  {"nvmlDeviceGetMemoryInfo"}},
    {ROW(utilization),    NEED_MAY,  {"nvmlDeviceGetUtilizationRates"}},
    {ROW(encoder),        NEED_MAY,  {"nvmlDeviceGetEncoderUtilization"}},
    {ROW(decoder),        NEED_MAY,  {"nvmlDeviceGetDecoderUtilization"}},
    {ROW(temperature),    NEED_MAY,  {"nvmlDeviceGetTemperature"}},
    {ROW(power),          NEED_MAY,  {"nvmlDeviceGetPowerUsage"}},
    {ROW(power_limit),    NEED_MAY,  {"nvmlDeviceGetEnforcedPowerLimit"}},
    {ROW(clock),          NEED_MAY,  {"nvmlDeviceGetClockInfo"}},
    {ROW(throttle),       NEED_MAY,  {"nvmlDeviceGetCurrentClocksThrottleReasons",
                                      "nvmlDeviceGetCurrentClocksEventReasons"}},
    {ROW(sessions),       NEED_MAY,  {"nvmlDeviceGetEncoderSessions"}},
    {ROW(session_stats),  NEED_MAY,  {"nvmlDeviceGetEncoderStats"}},
    // driver 470 has _v2 and no _v3; some of 535 had a larger struct in _v3
    {ROW(compute),        NEED_MAY,  {"nvmlDeviceGetComputeRunningProcesses_v2",
                                      "nvmlDeviceGetComputeRunningProcesses_v3"}},
    {ROW(graphics),       NEED_MAY,  {"nvmlDeviceGetGraphicsRunningProcesses_v2",
                                      "nvmlDeviceGetGraphicsRunningProcesses_v3"}},
    {ROW(compute_v1),     NEED_MAY,  {"nvmlDeviceGetComputeRunningProcesses"}},
    {ROW(graphics_v1),    NEED_MAY,  {"nvmlDeviceGetGraphicsRunningProcesses"}},
};
#undef ROW
// clang-format on

static int load_symbols(struct nvml *n, struct error *e)
{
    for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
        void *found = NULL;
        for (size_t k = 0; k < 2 && !found && symbols[i].names[k]; k++)
            found = dlsym(n->library, symbols[i].names[k]);
        if (!found && symbols[i].need == NEED_MUST)
            return error_set(e, -ENOENT, "%s is too old: it lacks %s", LIBRARY,
                             symbols[i].names[0]);
        memcpy((char *)n + symbols[i].offset, &found, sizeof(found));
    }
    return 0;
}

static int fail(const struct nvml *n, struct error *e, int code, int status,
                const char *doing)
{
    return error_set(e, code, "%s: %s (NVML %d)", doing,
                     n->error_string(status), status);
}

static int start(struct nvml *n, struct error *e)
{
    int status = n->init();

    if (status != STATUS_SUCCESS)
        return fail(n, e, -ENODEV, status, "the NVIDIA driver does not answer");
    n->is_initialised = true;
    status = n->get_count(&n->count);
    if (status != STATUS_SUCCESS)
        return fail(n, e, -ENODEV, status, "cannot count the cards");
    (void)n->driver_version(n->driver, sizeof(n->driver));
    return 0;
}

int nvml_open(struct nvml **ret, struct error *e)
{
    struct nvml *n = xcalloc(1, sizeof(*n));
    int r;

    n->library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
    if (!n->library)
        r = error_set(e, -ENOENT, "no NVIDIA driver: %s", dlerror());
    else
        r = load_symbols(n, e);
    if (r == 0)
        r = start(n, e);
    if (r < 0) {
        nvml_close(n);
        return r;
    }
    *ret = n;
    return 0;
}

void nvml_close(struct nvml *n)
{
    if (!n)
        return;
    if (n->is_initialised)
        (void)n->shutdown();
    if (n->library)
        (void)dlclose(n->library);
    free(n);
}

size_t nvml_count(const struct nvml *n)
{
    return n->count;
}

#define WATTS_MOST   1e5 // what model/sample believes
#define CELSIUS_MOST 1000
#define MHZ_MOST     1000000
#define SIDE_MOST    65536
#define FPS_MOST     1000000

/* An answer, as long as it can be one. */
static double scaled(int status, unsigned value, double unit, double most)
{
    double real = value * unit;

    return status == STATUS_SUCCESS && real <= most ? real : SAMPLE_UNKNOWN;
}

static void read_memory(const struct nvml *n, struct device *d,
                        struct sample *s)
{
    struct memory m;

    if (!n->memory || n->memory(d, &m) != STATUS_SUCCESS)
        return;
    s->vram_total = (int64_t)m.total;
    s->vram_used = (int64_t)m.used;
    s->vram_free = (int64_t)m.free;
}

static double read_load(const struct nvml *n, struct device *d)
{
    struct utilization u = {0};

    if (!n->utilization)
        return SAMPLE_UNKNOWN;
    int status = n->utilization(d, &u);
    return scaled(status, u.gpu, 0.01, 1);
}

static double read_sampled(get_sampled *get, struct device *d)
{
    unsigned percent = 0;
    unsigned period;

    if (!get)
        return SAMPLE_UNKNOWN;
    int status = get(d, &percent, &period);
    return scaled(status, percent, 0.01, 1);
}

static double read_temperature(const struct nvml *n, struct device *d)
{
    unsigned celsius = 0;

    if (!n->temperature)
        return SAMPLE_UNKNOWN;
    int status = n->temperature(d, SENSOR_GPU, &celsius);
    return scaled(status, celsius, 1, CELSIUS_MOST);
}

static double read_watts(get_number *get, struct device *d)
{
    unsigned milliwatts = 0;

    if (!get)
        return SAMPLE_UNKNOWN;
    int status = get(d, &milliwatts);
    return scaled(status, milliwatts, 0.001, WATTS_MOST);
}

static int32_t read_clock(const struct nvml *n, struct device *d,
                          enum clock_type type)
{
    unsigned mhz = 0;

    if (!n->clock || n->clock(d, (int)type, &mhz) != STATUS_SUCCESS ||
        mhz > MHZ_MOST)
        return SAMPLE_UNKNOWN;
    return (int32_t)mhz;
}

static int64_t read_throttle(const struct nvml *n, struct device *d)
{
    unsigned long long reasons = 0;

    if (!n->throttle || n->throttle(d, &reasons) != STATUS_SUCCESS ||
        reasons > INT32_MAX)
        return SAMPLE_UNKNOWN;
    return (int64_t)reasons;
}

static void read_condition(const struct nvml *n, struct device *d,
                           struct sample *s)
{
    s->load = read_load(n, d);
    s->encoder_load = read_sampled(n->encoder, d);
    s->decoder_load = read_sampled(n->decoder, d);
    s->temperature = read_temperature(n, d);
    s->power = read_watts(n->power, d);
    s->power_limit = read_watts(n->power_limit, d);
    s->clock = read_clock(n, d, CLOCK_SM);
    s->memory_clock = read_clock(n, d, CLOCK_MEMORY);
    s->video_clock = read_clock(n, d, CLOCK_VIDEO);
    s->throttle = read_throttle(n, d);
}

static int32_t bounded(unsigned value, unsigned most)
{
    return (int32_t)(value < most ? value : most);
}

static struct sample_session describe(const struct encoder_session *from)
{
    static const char *const codecs[] = {"h264", "hevc", "av1"};
    struct sample_session s = {
        .pid = from->pid,
        .width = bounded(from->width, SIDE_MOST),
        .height = bounded(from->height, SIDE_MOST),
        .fps = bounded(from->fps, FPS_MOST),
    };

    if (from->codec >= 0 && from->codec < 3)
        (void)snprintf(s.codec, sizeof(s.codec), "%s", codecs[from->codec]);
    return s;
}

static void read_sessions(const struct nvml *n, struct device *d,
                          struct sample *s)
{
    struct encoder_session list[4 * SAMPLE_SESSIONS_MOST];
    unsigned count = sizeof(list) / sizeof(list[0]);
    unsigned fps;
    unsigned latency;

    if (n->sessions && n->sessions(d, &count, list) == STATUS_SUCCESS) {
        s->session_total = (int32_t)count;
        for (size_t i = 0; i < count && i < SAMPLE_SESSIONS_MOST; i++)
            s->sessions[s->session_count++] = describe(&list[i]);
    } else if (n->session_stats &&
               n->session_stats(d, &count, &fps, &latency) == STATUS_SUCCESS) {
        s->session_total = (int32_t)count; // whose they are it does not say
    }
}

/* The program's name, where we may read it. */
static void name_process(struct sample_process *p)
{
    char path[32];

    (void)snprintf(path, sizeof(path), "/proc/%lld/comm", (long long)p->pid);
    FILE *f = fopen(path, "re");
    if (!f)
        return;
    if (fgets(p->name, sizeof(p->name), f))
        p->name[strcspn(p->name, "\n")] = '\0';
    (void)fclose(f);
    text_repair(p->name);
}

/* One that computes and draws is in both lists, with all its memory. */
static void add_process(struct sample *s, unsigned pid, unsigned long long vram)
{
    for (size_t i = 0; i < s->process_count; i++) {
        if (s->processes[i].pid == pid)
            return;
    }
    if (s->process_count == SAMPLE_PROCESSES_MOST)
        return;
    struct sample_process *p = &s->processes[s->process_count++];
    *p = (struct sample_process){
        .pid = pid,
        .vram = vram < LLONG_MAX ? (int64_t)vram : SAMPLE_UNKNOWN,
    };
    name_process(p);
}

static void read_processes(list_processes *list, list_processes_v1 *list_v1,
                           struct device *d, struct sample *s)
{
    struct process now[4 * SAMPLE_PROCESSES_MOST];
    struct process_v1 old[4 * SAMPLE_PROCESSES_MOST];
    unsigned count = sizeof(now) / sizeof(now[0]);

    if (list) {
        if (list(d, &count, now) != STATUS_SUCCESS)
            return;
        for (size_t i = 0; i < count; i++)
            add_process(s, now[i].pid, now[i].vram);
    } else if (list_v1 && list_v1(d, &count, old) == STATUS_SUCCESS) {
        for (size_t i = 0; i < count; i++)
            add_process(s, old[i].pid, old[i].vram);
    }
}

int nvml_read(const struct nvml *n, size_t index, struct sample *ret,
              struct error *e)
{
    struct device *d;
    char doing[32];

    (void)snprintf(doing, sizeof(doing), "card %zu", index);
    int status = n->handle((unsigned)index, &d);
    sample_init(ret);
    if (status == STATUS_SUCCESS)
        status = n->uuid(d, ret->uuid, sizeof(ret->uuid));
    if (status != STATUS_SUCCESS)
        return fail(n, e, -EIO, status, doing);

    ret->time = clock_wall();
    (void)snprintf(ret->driver, sizeof(ret->driver), "%s", n->driver);
    if (!n->name || n->name(d, ret->name, sizeof(ret->name)) != STATUS_SUCCESS)
        ret->name[0] = '\0';
    read_memory(n, d, ret);
    read_condition(n, d, ret);
    read_sessions(n, d, ret);
    read_processes(n->compute, n->compute_v1, d, ret);
    read_processes(n->graphics, n->graphics_v1, d, ret);
    return 0;
}
