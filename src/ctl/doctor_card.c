/*
 * doctor_card: the card, the kernel's driver for it, and their versions.
 */
#include <stdio.h>
#include <string.h>

#include "doctor.h"
#include "machine.h"
#include "version.h"

/* Cards that this service was made for. */
static const struct {
    unsigned device;
    const char *name;
    const char *least;  // with NVENC API 11.1
    const char *driver; // that it was made for
    int newest;         // branch that still drives it
} known_cards[] = {
    {0x1cb1, "Quadro P1000", "470.57.02", "470.256.02", 580},
};
#define KNOWN (sizeof(known_cards) / sizeof(known_cards[0]))

static size_t find_known(const struct machine_card *c)
{
    size_t i = 0;

    while (i < KNOWN && known_cards[i].device != c->device)
        i++;
    return i;
}

/* What may be bound to a card in the place of NVIDIA's driver. */
static const struct {
    const char *driver;
    const char *words;
    const char *fix;
} rivals[] = {
    {"", "no driver is bound to it",
     "modprobe nvidia, and see 'dmesg | grep NVRM' if that fails"},
    {"nouveau", "nouveau drives it, which has no CUDA",
     "blacklist nouveau (NixOS: boot.blacklistedKernelModules) and reboot with "
     "NVIDIA's driver"},
    {"vfio-pci", "vfio-pci keeps it for a virtual machine",
     "take its id from vfio-pci.ids, and reboot"},
};

static void judge_driver(const struct machine_card *c, struct finding *ret)
{
    if (strcmp(c->driver, "nvidia") == 0)
        return;
    for (size_t i = 0; i < sizeof(rivals) / sizeof(rivals[0]); i++) {
        if (strcmp(c->driver, rivals[i].driver) == 0) {
            finding_add(ret, FINDING_BAD, rivals[i].fix, "%s", rivals[i].words);
            return;
        }
    }
    finding_add(ret, FINDING_BAD, rivals[0].fix, "'%s' drives it", c->driver);
}

void doctor_card(const struct patient *p, struct finding *ret)
{
    if (!doctor_has_card(p)) {
        finding_add(ret, FINDING_NOTE, NULL,
                    "no NVIDIA card: the CPU does the work");
        return;
    }
    for (size_t i = 0; i < p->machine->card_count; i++) {
        const struct machine_card *c = &p->machine->cards[i];
        if (c->vendor != MACHINE_NVIDIA)
            continue;
        size_t known = find_known(c);
        finding_add(ret, FINDING_GOOD, NULL, "%s (%04x:%04x) at %s",
                    known < KNOWN ? known_cards[known].name : "NVIDIA card",
                    c->vendor, c->device, c->slot);
        judge_driver(c, ret);
    }
    if (!ret->found)
        finding_add(ret, FINDING_NOTE, NULL,
                    "CUDA has a card that is not on the PCI bus here");
}

/* What stops without it. */
static const struct {
    enum machine_module module;
    enum finding_state state;
    const char *fix;
} wanted_modules[] = {
    {MACHINE_NVIDIA_CORE, FINDING_BAD,
     "modprobe nvidia, and see 'dmesg | grep NVRM' if that fails"},
    {MACHINE_NVIDIA_UVM, FINDING_BAD,
     "modprobe nvidia-uvm (NixOS: boot.kernelModules)"},
    {MACHINE_NVIDIA_MODESET, FINDING_WARNING, "modprobe nvidia-modeset"},
    {MACHINE_NVIDIA_DRM, FINDING_WARNING, "modprobe nvidia-drm"},
};
#define WANTED (sizeof(wanted_modules) / sizeof(wanted_modules[0]))

void doctor_modules(const struct patient *p, struct finding *ret)
{
    for (size_t i = 0; i < WANTED; i++) {
        enum machine_module module = wanted_modules[i].module;
        if (!p->machine->modules[module])
            finding_add(ret, wanted_modules[i].state, wanted_modules[i].fix,
                        "%s is not loaded", machine_modules[module]);
    }
    if (!ret->found)
        finding_add(ret, FINDING_GOOD, NULL,
                    "nvidia, nvidia_uvm, nvidia_modeset and nvidia_drm are "
                    "loaded");
}

static void judge_version(const char *version, size_t known,
                          struct finding *ret)
{
    const char *wanted = known_cards[known].driver;
    char fix[256];

    (void)snprintf(fix, sizeof(fix),
                   "install driver %s (NixOS: hardware.nvidia.package = "
                   "config.boot.kernelPackages.nvidiaPackages.legacy_470)",
                   wanted);
    if (strcmp(version, wanted) == 0)
        finding_add(ret, FINDING_GOOD, NULL, "%s, as expected", version);
    else if (version_compare(version, known_cards[known].least) < 0)
        finding_add(ret, FINDING_BAD, fix,
                    "%s is too old: NVENC 11.1 came with %s", version,
                    known_cards[known].least);
    else if (version_first(version) > known_cards[known].newest)
        finding_add(ret, FINDING_BAD, fix,
                    "%s does not drive a %s any more, %d was the last branch",
                    version, known_cards[known].name,
                    known_cards[known].newest);
    else
        finding_add(ret, FINDING_WARNING, fix, "%s, where %s is expected",
                    version, wanted);
}

void doctor_version(const struct patient *p, struct finding *ret)
{
    const struct machine_card *c = machine_nvidia(p->machine);
    size_t known = c ? find_known(c) : KNOWN;

    if (!p->machine->driver[0])
        finding_add(ret, FINDING_NOTE, NULL,
                    "the kernel does not tell its version");
    else if (known == KNOWN)
        finding_add(ret, FINDING_GOOD, NULL, "%s", p->machine->driver);
    else
        judge_version(p->machine->driver, known, ret);
}

/* The node of @c whose name begins with @kind; NULL: it has none. */
static const struct machine_drm *
drm_of(const struct machine *m, const struct machine_card *c, const char *kind)
{
    for (size_t i = 0; i < m->drm_count; i++) {
        if (strcmp(m->drm[i].slot, c->slot) == 0 &&
            strncmp(m->drm[i].name, kind, strlen(kind)) == 0)
            return &m->drm[i];
    }
    return NULL;
}

static bool is_nvidias(const struct machine *m, const char *slot)
{
    for (size_t i = 0; i < m->card_count; i++) {
        if (m->cards[i].vendor == MACHINE_NVIDIA &&
            strcmp(m->cards[i].slot, slot) == 0)
            return true;
    }
    return false;
}

/* The names that the service is given, and that another GPU may have taken. */
void doctor_display(const struct patient *p, struct finding *ret)
{
    static const struct {
        const char *name;
        const char *kind;
    } given[] = {{"card0", "card"}, {"renderD128", "renderD"}};
    const struct machine *m = p->machine;
    const struct machine_card *c = machine_nvidia(m);

    for (size_t i = 0; c && i < sizeof(given) / sizeof(given[0]); i++) {
        const struct machine_drm *taken = machine_find_drm(m, given[i].name);
        const struct machine_drm *own = drm_of(m, c, given[i].kind);
        char fix[160];

        if (taken && is_nvidias(m, taken->slot)) {
            finding_add(ret, FINDING_GOOD, NULL, "%s is NVIDIA's", taken->name);
        } else if (!own) {
            finding_add(ret, FINDING_NOTE, NULL, "NVIDIA's card has no %s*",
                        given[i].kind);
        } else {
            (void)snprintf(fix, sizeof(fix),
                           "DeviceAllow=/dev/dri/%s rw (systemctl edit "
                           "transcoded)",
                           own->name);
            finding_add(ret, FINDING_WARNING, fix,
                        "%s belongs to '%s' at %s, NVIDIA's is %s",
                        given[i].name, taken ? taken->driver : "nobody",
                        taken ? taken->slot : "-", own->name);
        }
    }
    if (!ret->found)
        finding_add(ret, FINDING_NOTE, NULL, "no card to look for");
}

/* Without a monitor the driver forgets the card when its last user goes, and
 * takes a second to come up again for the next. */
void doctor_persistence(const struct patient *p, struct finding *ret)
{
    bool is_lit = false;

    for (size_t i = 0; i < p->machine->drm_count; i++) {
        const struct machine_drm *d = &p->machine->drm[i];
        is_lit = is_lit || (d->is_lit && is_nvidias(p->machine, d->slot));
    }
    if (p->machine->has_persistence)
        finding_add(ret, FINDING_GOOD, NULL, "nvidia-persistenced runs");
    else if (is_lit)
        finding_add(ret, FINDING_GOOD, NULL,
                    "a monitor on the card keeps the driver awake");
    else
        finding_add(ret, FINDING_WARNING,
                    "systemctl enable --now nvidia-persistenced (NixOS: "
                    "hardware.nvidia.nvidiaPersistenced = true)",
                    "no monitor and no nvidia-persistenced: the first job "
                    "after a rest waits for the driver");
}
