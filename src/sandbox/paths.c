#include "sandbox/paths.h"

#include <glob.h>
#include <link.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "sandbox/landlock.h"
#include "sanitized.h"

struct paths {
    struct landlock_rule *rules; // owned, with their paths
    size_t count;
    size_t room;
};

#define CPU SANDBOX_CPU // and a GPU's worker, too
#define GPU SANDBOX_GPU

// clang-format off
static const struct {
    const char *pattern; // as glob(7)
    enum landlock_access access;
    enum sandbox_device device;
} fixed[] = {
    // libraries, and what tells where they are
    {"/lib",                      LANDLOCK_READ,   CPU},
    {"/lib[36][24]",              LANDLOCK_READ,   CPU},
    {"/usr/lib",                  LANDLOCK_READ,   CPU},
    {"/usr/lib[36][24]",          LANDLOCK_READ,   CPU},
    {"/usr/local/lib",            LANDLOCK_READ,   CPU},
    {"/nix/store",                LANDLOCK_READ,   CPU},
    {"/run/opengl-driver*",       LANDLOCK_READ,   CPU},
    {"/etc/ld.so.cache",          LANDLOCK_READ,   CPU},
    // how many threads a codec shall start, and how much memory there is
    {"/proc/self",                LANDLOCK_READ,   CPU},
    {"/proc/cpuinfo",             LANDLOCK_READ,   CPU},
    {"/proc/meminfo",             LANDLOCK_READ,   CPU},
    {"/proc/stat",                LANDLOCK_READ,   CPU},
    {"/proc/sys/vm",              LANDLOCK_READ,   CPU},
    {"/sys/devices/system/cpu",   LANDLOCK_READ,   CPU},
    {"/sys/devices/system/node",  LANDLOCK_READ,   CPU},
    // devices without a device
    {"/dev/null",                 LANDLOCK_DEVICE, CPU},
    {"/dev/zero",                 LANDLOCK_DEVICE, CPU},
    {"/dev/random",               LANDLOCK_READ,   CPU},
    {"/dev/urandom",              LANDLOCK_READ,   CPU},
    // NVIDIA's driver
    {"/dev/nvidia*",              LANDLOCK_DEVICE, GPU},
    {"/proc/driver/nvidia*",      LANDLOCK_READ,   GPU},
    {"/proc/devices",             LANDLOCK_READ,   GPU},
    {"/proc/modules",             LANDLOCK_READ,   GPU},
    {"/sys/module/nvidia*",       LANDLOCK_READ,   GPU},
    {"/sys/bus/pci/devices",      LANDLOCK_READ,   GPU},
    {"/sys/devices/pci*",         LANDLOCK_READ,   GPU},
    {"/sys/devices/system/memory", LANDLOCK_READ,  GPU},
    {"/etc/nvidia",               LANDLOCK_READ,   GPU},
    {"/usr/share/nvidia",         LANDLOCK_READ,   GPU},
#if SANITIZED
    {"/proc/self/exe",            LANDLOCK_READ,   CPU},
#endif
};

/* Lists of folders, with colons between them, that lie below @below. */
static const struct {
    const char *variable;
    const char *below; // "" as they are
    enum sandbox_device device;
} named[] = {
    {"LD_LIBRARY_PATH", "",      CPU},
    // what CUDA has compiled: filled by the survey, for workers to read only
    {"CUDA_CACHE_PATH", "",      GPU},
    {"HOME",            "/.nv",  GPU},
};
// clang-format on

/* Consumes @path. */
static void add(struct paths *p, char *path, enum landlock_access access)
{
    p->rules = xgrow(p->rules, &p->room, p->count + 1, sizeof(*p->rules));
    p->rules[p->count++] = (struct landlock_rule){path, access};
}

static void add_fixed(struct paths *p, size_t row)
{
    glob_t found;

    if (glob(fixed[row].pattern, GLOB_NOSORT, NULL, &found) != 0)
        return;
    for (size_t i = 0; i < found.gl_pathc; i++)
        add(p, xstrdup(found.gl_pathv[i]), fixed[row].access);
    globfree(&found);
}

static void add_named(struct paths *p, size_t row)
{
    const char *list = getenv(named[row].variable);

    while (list && *list) {
        size_t length = strcspn(list, ":");
        if (length)
            add(p, xasprintf("%.*s%s", (int)length, list, named[row].below),
                LANDLOCK_READ);
        list += length + (list[length] == ':');
    }
}

static bool has(const struct paths *p, const char *path, size_t length)
{
    for (size_t i = 0; i < p->count; i++) {
        if (strlen(p->rules[i].path) == length &&
            strncmp(p->rules[i].path, path, length) == 0)
            return true;
    }
    return false;
}

/* Wherever libraries came from, more may: plug-ins lie beside them. */
static int add_folder_of(struct dl_phdr_info *object, size_t size, void *user)
{
    struct paths *p = user;
    const char *slash = strrchr(object->dlpi_name, '/');

    (void)size;
    if (object->dlpi_name[0] != '/' || slash == object->dlpi_name)
        return 0; // the program itself, the kernel's page
    size_t length = (size_t)(slash - object->dlpi_name);
    if (!has(p, object->dlpi_name, length))
        add(p, xstrndup(object->dlpi_name, length), LANDLOCK_READ);
    return 0;
}

struct paths *paths_create(enum sandbox_device device,
                           const char *const *writable, size_t count)
{
    struct paths *p = xcalloc(1, sizeof(*p));

    for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++) {
        if (fixed[i].device <= device)
            add_fixed(p, i);
    }
    for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
        if (named[i].device <= device)
            add_named(p, i);
    }
    (void)dl_iterate_phdr(add_folder_of, p);
    for (size_t i = 0; i < count; i++)
        add(p, xstrdup(writable[i]), LANDLOCK_WRITE);
    return p;
}

void paths_destroy(struct paths *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->count; i++)
        free((char *)p->rules[i].path);
    free(p->rules);
    free(p);
}

const struct landlock_rule *paths_rules(const struct paths *p,
                                        size_t *ret_count)
{
    *ret_count = p->count;
    return p->rules;
}
