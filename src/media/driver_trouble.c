#include "media/driver_trouble.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/fd.h"

#define KERNEL_VERSION  "/sys/module/nvidia/version"

#define DRIVER_MISMATCH 803 // CUDA_ERROR_SYSTEM_DRIVER_MISMATCH

const char *const driver_node_paths[NODE_COUNT] = {
    [NODE_CTL] = "/dev/nvidiactl",
    [NODE_CARD] = "/dev/nvidia0",
    [NODE_UVM] = "/dev/nvidia-uvm",
};

static int try_node(const char *path)
{
    int fd = open(path, O_RDWR | O_CLOEXEC);
    int r = fd < 0 ? -errno : 0;

    fd_close(&fd);
    return r;
}

void driver_trouble_kernel(char *ret, size_t size)
{
    FILE *f = fopen(KERNEL_VERSION, "re");

    if (!f)
        return;
    if (fgets(ret, (int)size, f))
        ret[strcspn(ret, "\n")] = '\0';
    (void)fclose(f);
}

/* The file that libcuda.so.1 is a link to bears its version. */
static void find_library_version(char *ret, size_t size)
{
    void *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_NOLOAD);
    struct link_map *map = NULL;
    char path[4096];

    if (!library)
        return;
    if (dlinfo(library, RTLD_DI_LINKMAP, &map) == 0 &&
        realpath(map->l_name, path)) {
        const char *version = strstr(path, ".so.");
        if (version && strchr(version + 4, '.'))
            (void)snprintf(ret, size, "%s", version + 4);
    }
    (void)dlclose(library);
}

void driver_trouble_look(struct driver_facts *ret)
{
    for (int i = 0; i < NODE_COUNT; i++)
        ret->nodes[i] = try_node(driver_node_paths[i]);
    driver_trouble_kernel(ret->kernel, sizeof(ret->kernel));
    find_library_version(ret->library, sizeof(ret->library));
}

static bool mismatch(const struct driver_facts *f)
{
    return f->result == DRIVER_MISMATCH || (f->kernel[0] && f->library[0] &&
                                            strcmp(f->kernel, f->library) != 0);
}

static int explain_mismatch(const struct driver_facts *f, struct error *e)
{
    return error_set(
        e, -ENODEV,
        "NVIDIA's libraries are of version %s, but the driver that "
        "the kernel has loaded is of version %s: restart the "
        "machine, or load the driver again",
        f->library[0] ? f->library : "unknown",
        f->kernel[0] ? f->kernel : "unknown");
}

static int explain_node(const char *path, int code, struct error *e)
{
    switch (code) {
    case -EPERM: // a group of processes is denied a device with this
        return error_set(e, -EACCES,
                         "'%s' is not permitted to this service: add it to "
                         "DeviceAllow= of its unit",
                         path);
    case -EACCES:
        return error_set(e, -EACCES,
                         "'%s' may not be opened by uid %u: its group or mode "
                         "do not allow it",
                         path, (unsigned)geteuid());
    case -ENOENT:
        return error_set(e, -ENOENT,
                         "NVIDIA's driver is loaded, but '%s' is missing: "
                         "nvidia-modprobe makes it",
                         path);
    default:
        return error_set(e, -ENODEV, "cannot open '%s': %s", path,
                         strerror(-code));
    }
}

/* The first node that cannot be opened, or -1. */
static int closed_node(const struct driver_facts *f)
{
    for (int i = 0; i < NODE_COUNT; i++) {
        if (f->nodes[i] < 0)
            return i;
    }
    return -1;
}

static bool is_absent(const struct driver_facts *f)
{
    return !f->kernel[0] && f->nodes[NODE_CTL] == -ENOENT;
}

int driver_trouble_explain(const struct driver_facts *f, struct error *e)
{
    int node = closed_node(f);

    if (mismatch(f))
        return explain_mismatch(f, e);
    if (is_absent(f))
        return error_set(e, -ENOENT,
                         "NVIDIA's libraries are here, but the kernel has no "
                         "driver of NVIDIA's loaded (%s)",
                         f->words);
    if (node >= 0)
        return explain_node(driver_node_paths[node], f->nodes[node], e);
    if (f->result == DRIVER_NO_DEVICE)
        return error_set(e, -ENOENT,
                         "NVIDIA's driver shows no card (%s): look at "
                         "CUDA_VISIBLE_DEVICES and at the kernel's log",
                         f->words);
    return error_set(e, -ENODEV,
                     "NVIDIA's driver does not work (%s, %d): the kernel's log "
                     "may say why",
                     f->words, f->result);
}
