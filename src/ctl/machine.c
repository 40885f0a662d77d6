#include "machine.h"

#include <ctype.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/system.h"

#define PCI          "/sys/bus/pci/devices"
#define DRM          "/sys/class/drm"
#define CLASS_OF     0xff0000U
#define DISPLAY      0x030000U
#define MODULES_MOST (256 << 10) // bytes of /proc/modules

const char *const machine_modules[MACHINE_MODULE_COUNT] = {
    [MACHINE_NVIDIA_CORE] = "nvidia",
    [MACHINE_NVIDIA_UVM] = "nvidia_uvm",
    [MACHINE_NVIDIA_MODESET] = "nvidia_modeset",
    [MACHINE_NVIDIA_DRM] = "nvidia_drm",
    [MACHINE_NOUVEAU] = "nouveau",
};

static unsigned read_number(const char *folder, const char *name,
                            const char *file)
{
    char path[256];
    char line[32];

    (void)snprintf(path, sizeof(path), "%s/%s/%s", folder, name, file);
    if (system_read_line(path, line, sizeof(line)) < 0)
        return 0;
    return (unsigned)strtoul(line, NULL, 0);
}

static void read_link(const char *folder, const char *name, const char *file,
                      char *ret, size_t size)
{
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/%s/%s", folder, name, file);
    if (system_read_link(path, ret, size) < 0)
        ret[0] = '\0';
}

static void add_card(void *user, const char *name)
{
    struct machine *m = user;

    if (m->card_count == MACHINE_CARDS_MOST ||
        (read_number(PCI, name, "class") & CLASS_OF) != DISPLAY)
        return;
    struct machine_card *c = &m->cards[m->card_count++];
    (void)snprintf(c->slot, sizeof(c->slot), "%s", name);
    c->vendor = read_number(PCI, name, "vendor");
    c->device = read_number(PCI, name, "device");
    read_link(PCI, name, "driver", c->driver, sizeof(c->driver));
}

/* "card0-HDMI-A-1": an output of a card. */
static void note_monitor(struct machine *m, const char *name)
{
    size_t length = strcspn(name, "-");
    char path[256];
    char status[16];

    (void)snprintf(path, sizeof(path), DRM "/%s/status", name);
    if (system_read_line(path, status, sizeof(status)) < 0 ||
        strcmp(status, "connected") != 0)
        return;
    for (size_t i = 0; i < m->drm_count; i++) {
        if (strlen(m->drm[i].name) == length &&
            strncmp(m->drm[i].name, name, length) == 0)
            m->drm[i].is_lit = true;
    }
}

/* Names come sorted: a card before its outputs. */
static void add_drm(void *user, const char *name)
{
    struct machine *m = user;
    bool is_card = strncmp(name, "card", 4) == 0;

    if (is_card && strchr(name, '-')) {
        note_monitor(m, name);
        return;
    }
    if ((!is_card && strncmp(name, "renderD", 7) != 0) ||
        m->drm_count == sizeof(m->drm) / sizeof(m->drm[0]))
        return;
    struct machine_drm *d = &m->drm[m->drm_count++];
    (void)snprintf(d->name, sizeof(d->name), "%s", name);
    read_link(DRM, name, "device", d->slot, sizeof(d->slot));
    read_link(DRM, name, "device/driver", d->driver, sizeof(d->driver));
}

static void read_modules(struct machine *m)
{
    char *text;

    if (system_read("/proc/modules", MODULES_MOST, &text) < 0)
        return;
    for (char *line = text; *line; line += strcspn(line, "\n")) {
        line += *line == '\n';
        size_t length = strcspn(line, " \n");
        for (size_t i = 0; i < MACHINE_MODULE_COUNT; i++) {
            if (strlen(machine_modules[i]) == length &&
                strncmp(machine_modules[i], line, length) == 0)
                m->modules[i] = true;
        }
    }
    free(text);
}

void machine_parse_version(const char *line, char *ret, size_t size)
{
    // "NVRM version: NVIDIA UNIX x86_64 Kernel Module  470.256.02  Thu May …"
    ret[0] = '\0';
    while (*line) {
        line += strspn(line, " ");
        size_t length = strcspn(line, " ");
        const char *dot = memchr(line, '.', length);
        if (isdigit((unsigned char)*line) && dot &&
            strspn(line, "0123456789.") == length) {
            (void)snprintf(ret, size, "%.*s", (int)length, line);
            return;
        }
        line += length;
    }
}

static void read_version(struct machine *m)
{
    char line[256];

    if (system_read_line("/proc/driver/nvidia/version", line, sizeof(line)) ==
        0)
        machine_parse_version(line, m->driver, sizeof(m->driver));
}

static void name_owner(uid_t uid, char *ret, size_t size)
{
    const struct passwd *p = getpwuid(uid);

    if (p)
        (void)snprintf(ret, size, "%s", p->pw_name);
    else
        (void)snprintf(ret, size, "%lu", (unsigned long)uid);
}

static void name_group(gid_t gid, char *ret, size_t size)
{
    const struct group *g = getgrgid(gid);

    if (g)
        (void)snprintf(ret, size, "%s", g->gr_name);
    else
        (void)snprintf(ret, size, "%lu", (unsigned long)gid);
}

static void read_node(struct machine_node *n, const char *name)
{
    char *path = system_path(name);
    struct stat st;

    if (stat(path, &st) == 0) {
        n->exists = true;
        n->mode = st.st_mode;
        name_owner(st.st_uid, n->owner, sizeof(n->owner));
        name_group(st.st_gid, n->group, sizeof(n->group));
    }
    free(path);
}

void machine_read(struct machine *ret)
{
    *ret = (struct machine){0};
    system_each(PCI, add_card, ret);
    system_each(DRM, add_drm, ret);
    read_modules(ret);
    read_version(ret);
    for (size_t i = 0; i < DIAGNOSIS_NODES; i++)
        read_node(&ret->nodes[i], diagnosis_nodes[i].path);
    ret->has_persistence = system_exists("/run/nvidia-persistenced/socket");
    ret->is_nixos = system_exists("/run/opengl-driver");
}

const struct machine_card *machine_nvidia(const struct machine *m)
{
    for (size_t i = 0; i < m->card_count; i++) {
        if (m->cards[i].vendor == MACHINE_NVIDIA)
            return &m->cards[i];
    }
    return NULL;
}

const struct machine_drm *machine_find_drm(const struct machine *m,
                                           const char *name)
{
    for (size_t i = 0; i < m->drm_count; i++) {
        if (strcmp(m->drm[i].name, name) == 0)
            return &m->drm[i];
    }
    return NULL;
}
