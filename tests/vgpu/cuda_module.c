/* libcuda: modules, and the launch of kernels. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "context.h"
#include "cuda_error.h"
#include "fault.h"
#include "kernel.h"
#include "machine.h"
#include "settings.h"

static int (*const families[])(struct kernel *, const char *) = {
    kernel_find_scale,
    kernel_find_yadif,
    kernel_find_overlay,
};

/* A function stays with its module, in the list of what was asked for. */
struct function {
    struct function *next;
    struct kernel kernel;
};

struct module {
    char *ptx;                  // owned
    struct function *functions; // owned, linked by next
};

static int find_kernel(struct kernel *ret, const char *name)
{
    for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++) {
        if (strlen(name) < KERNEL_NAME && families[i](ret, name)) {
            strcpy(ret->name, name);
            return 1;
        }
    }
    return 0;
}

/* The first @word from @at on, before @end. Sanitizers' strstr() measures a
 * megabyte of text at each call. */
static const char *find(const char *at, const char *end, const char *word)
{
    return memmem(at, (size_t)(end - at), word, strlen(word));
}

/* How many parameters the entry @name of the PTX has, -1 when it has none. */
static int entry_parameters(const char *ptx, const char *name)
{
    const char *end = ptx + strlen(ptx);
    size_t length = strlen(name);

    for (const char *at = ptx; (at = find(at, end, ".entry "));) {
        at += strlen(".entry ");
        if (strncmp(at, name, length) ||
            (at[length] != '(' && at[length] != '\n'))
            continue;
        const char *last = find(at, end, ")");
        int n = 0;
        while (last && (at = find(at, last, ".param"))) {
            at += strlen(".param");
            n++;
        }
        return n;
    }
    return -1;
}

/* A driver keeps what it compiled, named by what it was compiled from; where it
 * may not, it compiles again the next time. */
static void keep_compiled(const char *ptx)
{
    const char *folder = getenv("CUDA_CACHE_PATH");
    uint32_t digest = UINT32_C(2166136261);
    char path[4096];

    if (!settings()->jit_cache || !folder)
        return;
    for (; *ptx; ptx++)
        digest = (digest ^ (uint8_t)*ptx) * UINT32_C(16777619);
    snprintf(path, sizeof(path), "%s/%08" PRIx32, folder, digest);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0)
        close(fd);
}

EXPORT tcuModuleLoadData cuModuleLoadData;
CUresult cuModuleLoadData(CUmodule *ret, const void *image)
{
    CUresult r = context_enter(NEED_CONTEXT);

    if (r != CUDA_SUCCESS)
        return r;
    if (!strstr(image, ".version")) {
        fault_misuse("a module that is not PTX");
        return (CUresult)CUDA_INVALID_IMAGE;
    }
    if (settings()->load_error)
        return (CUresult)settings()->load_error;

    keep_compiled(image);
    struct module *m = calloc(1, sizeof(*m));
    if (!m || !(m->ptx = strdup(image)))
        abort();
    machine_count(COUNTER_MODULES, 1);
    *ret = (CUmodule)m;
    return CUDA_SUCCESS;
}

EXPORT tcuModuleUnload cuModuleUnload;
CUresult cuModuleUnload(CUmodule module)
{
    struct module *m = (struct module *)module;

    if (!m)
        return (CUresult)CUDA_INVALID_HANDLE;
    for (struct function *f = m->functions, *next; f; f = next) {
        next = f->next;
        free(f);
    }
    free(m->ptx);
    free(m);
    return CUDA_SUCCESS;
}

EXPORT tcuModuleGetFunction cuModuleGetFunction;
CUresult cuModuleGetFunction(CUfunction *ret, CUmodule module, const char *name)
{
    struct module *m = (struct module *)module;
    CUresult r = context_enter(NEED_CONTEXT);

    if (r != CUDA_SUCCESS)
        return r;
    int parameters = entry_parameters(m->ptx, name);
    if (parameters < 0)
        return (CUresult)CUDA_NOT_FOUND;

    struct function *f = calloc(1, sizeof(*f));
    if (!f)
        abort();
    if (!find_kernel(&f->kernel, name) || f->kernel.parameters != parameters) {
        fault_lack("no kernel '%s' with %d parameters", name, parameters);
        free(f);
        return (CUresult)CUDA_NOT_SUPPORTED;
    }
    f->next = m->functions;
    m->functions = f;
    *ret = (CUfunction)f;
    return CUDA_SUCCESS;
}

EXPORT tcuModuleGetGlobal cuModuleGetGlobal;
CUresult cuModuleGetGlobal(CUdeviceptr *ret, size_t *ret_size, CUmodule module,
                           const char *name)
{
    (void)ret;
    (void)ret_size;
    (void)module;
    fault_misuse("no global '%s'", name);
    return (CUresult)CUDA_NOT_FOUND;
}

EXPORT tcuLaunchKernel cuLaunchKernel;
CUresult cuLaunchKernel(CUfunction function, unsigned grid_x, unsigned grid_y,
                        unsigned grid_z, unsigned block_x, unsigned block_y,
                        unsigned block_z, unsigned shared, CUstream stream,
                        void **parameters, void **extra)
{
    const struct function *f = (const struct function *)function;
    struct launch l = {
        .width = (int)(grid_x * block_x),
        .height = (int)(grid_y * block_y),
        .parameters = parameters,
    };
    CUresult r = context_enter(NEED_CONTEXT);

    (void)shared;
    (void)stream;
    if (r != CUDA_SUCCESS)
        return r;
    if (!f || extra || grid_z != 1 || block_z != 1 ||
        block_x * block_y > 1024 || !l.width || !l.height)
        return (CUresult)CUDA_INVALID_VALUE;
    if (fault_fires(FAULT_LAUNCH))
        return (CUresult)CUDA_LAUNCH_FAILED;

    int64_t begin = machine_now();
    machine_count(COUNTER_LAUNCHES, 1);
    r = f->kernel.run(&f->kernel, &l);
    machine_self()->busy_kernels += machine_now() - begin;
    if (r != CUDA_SUCCESS)
        fault_misuse("kernel '%s' got memory that is not its own",
                     f->kernel.name);
    return r;
}

int kernel_int(const struct launch *l, int i)
{
    int value;

    memcpy(&value, l->parameters[i], sizeof(value));
    return value;
}

CUdeviceptr kernel_pointer(const struct launch *l, int i)
{
    CUdeviceptr value;

    memcpy(&value, l->parameters[i], sizeof(value));
    return value;
}

int kernel_texture(struct texture *ret, const struct launch *l, int i)
{
    CUtexObject value;

    memcpy(&value, l->parameters[i], sizeof(value));
    return texture_open(ret, value);
}
