#include "media/driver.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "media/driver_trouble.h"
#include "media/library.h"

#define OUT_OF_MEMORY 2 // CUDA_ERROR_OUT_OF_MEMORY

struct uuid {
    unsigned char bytes[16];
};

/* What is used of libcuda. Devices are plain numbers, results 0 or an error. */
struct cuda {
    int (*init)(unsigned flags);
    int (*get_count)(int *);
    int (*get)(int *ret_device, int index);
    int (*get_name)(char *, int size, int device);
    int (*get_compute)(int *ret_major, int *ret_minor, int device);
    int (*get_vram)(size_t *, int device);
    int (*get_uuid)(struct uuid *, int device); // not before CUDA 9.2
    int (*make_context)(void **ret, unsigned flags, int device);
    int (*drop_context)(void *context);
    int (*push_context)(void *context);
    int (*pop_context)(void **ret_context);
    int (*get_words)(int result, const char **ret);
    int (*get_memory)(size_t *ret_free, size_t *ret_total);
};

/* And of NVML. */
struct nvml {
    int (*init)(void);
    int (*shut_down)(void);
    int (*get_version)(char *, unsigned size);
};

// clang-format off
#define CUDA(f) offsetof(struct cuda, f)
static const struct library_symbol cuda_symbols[] = {
    {"cuInit", CUDA(init), LIBRARY_NEEDED},
    {"cuDeviceGetCount", CUDA(get_count), LIBRARY_NEEDED},
    {"cuDeviceGet", CUDA(get), LIBRARY_NEEDED},
    {"cuDeviceGetName", CUDA(get_name), LIBRARY_NEEDED},
    {"cuDeviceComputeCapability", CUDA(get_compute), LIBRARY_NEEDED},
    {"cuDeviceTotalMem_v2", CUDA(get_vram), LIBRARY_NEEDED},
    {"cuDeviceGetUuid", CUDA(get_uuid), LIBRARY_OPTIONAL},
    {"cuCtxCreate_v2", CUDA(make_context), LIBRARY_NEEDED},
    {"cuCtxDestroy_v2", CUDA(drop_context), LIBRARY_NEEDED},
    {"cuCtxPushCurrent_v2", CUDA(push_context), LIBRARY_NEEDED},
    {"cuCtxPopCurrent_v2", CUDA(pop_context), LIBRARY_NEEDED},
    {"cuGetErrorString", CUDA(get_words), LIBRARY_NEEDED},
    {"cuMemGetInfo_v2", CUDA(get_memory), LIBRARY_NEEDED},
};

#define NVML(f) offsetof(struct nvml, f)
static const struct library_symbol nvml_symbols[] = {
    {"nvmlInit_v2", NVML(init), LIBRARY_NEEDED},
    {"nvmlShutdown", NVML(shut_down), LIBRARY_NEEDED},
    {"nvmlSystemGetDriverVersion", NVML(get_version), LIBRARY_NEEDED},
};
// clang-format on

struct driver {
    void *library; // owned
    struct cuda cuda;
    int count;
    char version[32];
};

const char *driver_words(const struct driver *d, int result)
{
    const char *words = NULL;

    if (d->cuda.get_words(result, &words) != 0 || !words)
        return "unknown error";
    return words;
}

static int explain(const struct driver *d, int result, struct error *e)
{
    struct driver_facts facts = {.result = result,
                                 .words = driver_words(d, result)};

    driver_trouble_look(&facts);
    return driver_trouble_explain(&facts, e);
}

/* CUDA only tells of its own version, NVML of the driver's. */
static void ask_version(struct driver *d)
{
    struct nvml nvml;
    void *library;

    driver_trouble_kernel(d->version, sizeof(d->version));
    if (library_open(&library, "libnvidia-ml.so.1", nvml_symbols,
                     sizeof(nvml_symbols) / sizeof(nvml_symbols[0]), &nvml,
                     NULL) < 0)
        return;
    if (nvml.init() == 0) {
        (void)nvml.get_version(d->version, sizeof(d->version));
        (void)nvml.shut_down();
    }
    library_close(library);
}

static int start(struct driver *d, struct error *e)
{
    int r = library_open(&d->library, "libcuda.so.1", cuda_symbols,
                         sizeof(cuda_symbols) / sizeof(cuda_symbols[0]),
                         &d->cuda, e);
    if (r < 0) {
        error_wrap(e, "there is no driver of NVIDIA's");
        return r;
    }
    int result = d->cuda.init(0);
    if (result == 0)
        result = d->cuda.get_count(&d->count);
    if (result == 0 && d->count == 0)
        result = DRIVER_NO_DEVICE;
    if (result)
        return explain(d, result, e);
    ask_version(d);
    return 0;
}

int driver_open(struct driver **ret, struct error *e)
{
    struct driver *d = xcalloc(1, sizeof(*d));
    int r = start(d, e);

    if (r < 0) {
        driver_close(d);
        return r;
    }
    *ret = d;
    return 0;
}

void driver_close(struct driver *d)
{
    if (!d)
        return;
    library_close(d->library);
    free(d);
}

int driver_count(const struct driver *d)
{
    return d->count;
}

/* Without the call for it the number has to do. */
static void name_card(const struct driver *d, int device, int index, char *ret,
                      size_t size)
{
    struct uuid u;

    if (!d->cuda.get_uuid || d->cuda.get_uuid(&u, device) != 0) {
        (void)snprintf(ret, size, "GPU-%d", index);
        return;
    }
    const unsigned char *b = u.bytes;
    (void)snprintf(ret, size,
                   "GPU-%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-"
                   "%02x%02x%02x%02x%02x%02x",
                   b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9],
                   b[10], b[11], b[12], b[13], b[14], b[15]);
}

int driver_card(const struct driver *d, int index, struct driver_card *ret,
                struct error *e)
{
    struct driver_card card = {0};
    int device;
    int major = 0;
    int minor = 0;
    size_t vram = 0;

    int result = d->cuda.get(&device, index);
    if (result == 0)
        result = d->cuda.get_name(card.name, sizeof(card.name), device);
    if (result == 0)
        result = d->cuda.get_compute(&major, &minor, device);
    if (result == 0)
        result = d->cuda.get_vram(&vram, device);
    if (result)
        return error_set(e, -EIO, "card %d does not answer: %s", index,
                         driver_words(d, result));
    card.compute = 10 * major + minor;
    card.vram = (int64_t)vram;
    name_card(d, device, index, card.uuid, sizeof(card.uuid));
    *ret = card;
    return 0;
}

int driver_find(const struct driver *d, const char *uuid, struct error *e)
{
    for (int i = 0; i < d->count; i++) {
        struct driver_card card;
        if (driver_card(d, i, &card, NULL) == 0 && strcmp(card.uuid, uuid) == 0)
            return i;
    }
    return error_set(e, -ENODEV, "there is no card %s any more", uuid);
}

const char *driver_version(const struct driver *d)
{
    return d->version;
}

int64_t driver_free_memory(const struct driver *d, void *context)
{
    size_t available = 0;
    size_t total = 0;

    if (driver_enter(d, context, NULL) < 0)
        return -1;
    int result = d->cuda.get_memory(&available, &total);
    driver_leave(d);
    return result == 0 ? (int64_t)available : -1;
}

int driver_try_context(const struct driver *d, int index, struct error *e)
{
    void *context = NULL;
    int device;

    int result = d->cuda.get(&device, index);
    if (result == 0)
        result = d->cuda.make_context(&context, 0, device);
    if (context)
        (void)d->cuda.drop_context(context);
    if (result == 0)
        return 0;
    return error_set(e, result == OUT_OF_MEMORY ? -ENOMEM : -ENODEV, "%s",
                     driver_words(d, result));
}

int driver_enter(const struct driver *d, void *context, struct error *e)
{
    int result = d->cuda.push_context(context);

    return result ? error_set(e, -ENODEV, "the CUDA context is lost: %s",
                              driver_words(d, result))
                  : 0;
}

void driver_leave(const struct driver *d)
{
    void *context;

    (void)d->cuda.pop_context(&context);
}
