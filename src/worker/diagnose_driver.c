/*
 * diagnose_driver: NVIDIA's libraries as this process finds them, and what they
 * answer. Their few functions are declared here: the headers are not needed to
 * ask a version.
 */
#include <dlfcn.h>
#include <link.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"
#include "diagnose_steps.h"

typedef void any_function(void);

/* The file behind a library that is loaded, links followed. */
static void find_file(void *library, char *ret, size_t size)
{
    const struct link_map *map;

    if (dlinfo(library, RTLD_DI_LINKMAP, &map) < 0)
        return;
    char *real = realpath(map->l_name, NULL);
    text_escape(real ? real : map->l_name, ret, size);
    free(real);
}

/* They stay loaded: their threads would not survive their code. */
void diagnose_libraries(struct diagnosis_process *p)
{
    for (size_t i = 0; i < DIAGNOSIS_LIBRARIES; i++) {
        struct diagnosis_library *l = &p->libraries[p->library_count++];
        const char *name = diagnosis_libraries[i].name;

        (void)snprintf(l->name, sizeof(l->name), "%s", name);
        void *library = dlopen(name, RTLD_LAZY | RTLD_LOCAL);
        if (library)
            find_file(library, l->path, sizeof(l->path));
        else
            text_escape(dlerror(), l->problem, sizeof(l->problem));
    }
}

/* NULL: that library is not there, or has no such function. It stays loaded. */
static any_function *find(const char *library, const char *function)
{
    void *loaded = dlopen(library, RTLD_LAZY | RTLD_LOCAL | RTLD_NOLOAD);
    union {
        void *object;
        any_function *function;
    } found = {loaded ? dlsym(loaded, function) : NULL};

    // cppcheck-suppress resourceLeak ; see above
    return found.function;
}

void diagnose_nvml(struct diagnosis_process *p)
{
    int (*start)(void) =
        (int (*)(void))find("libnvidia-ml.so.1", "nvmlInit_v2");
    int (*version)(char *, unsigned) = (int (*)(char *, unsigned))find(
        "libnvidia-ml.so.1", "nvmlSystemGetDriverVersion");
    char text[80] = "";

    if (!start || !version)
        return;
    p->nvml_result = start();
    if (p->nvml_result == 0 && version(text, sizeof(text)) == 0)
        text_escape(text, p->nvml_driver, sizeof(p->nvml_driver));
}

void diagnose_nvenc(struct diagnosis_process *p)
{
    int (*newest)(uint32_t *) = (int (*)(uint32_t *))find(
        "libnvidia-encode.so.1", "NvEncodeAPIGetMaxSupportedVersion");
    uint32_t version;

    if (newest && newest(&version) == 0)
        (void)snprintf(p->nvenc_api, sizeof(p->nvenc_api), "%u.%u",
                       version >> 4, version & 15);
}

void diagnose_cuda(struct diagnosis_process *p)
{
    int (*start)(unsigned) = (int (*)(unsigned))find("libcuda.so.1", "cuInit");
    int (*version)(int *) =
        (int (*)(int *))find("libcuda.so.1", "cuDriverGetVersion");
    int (*count)(int *) =
        (int (*)(int *))find("libcuda.so.1", "cuDeviceGetCount");
    int value;

    if (!start || !version || !count)
        return;
    p->cuda_result = start(0);
    if (version(&value) == 0)
        p->cuda_version = value;
    if (p->cuda_result == 0 && count(&value) == 0)
        p->cuda_devices = value;
}
