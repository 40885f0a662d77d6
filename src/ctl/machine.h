/*
 * machine: what anybody can read about this machine's cards and their driver,
 * without the service: /sys, /proc and /dev (base/system.h). For doctor.
 *
 * Plain data. What cannot be read is "" or missing.
 */
#ifndef CTL_MACHINE_H
#define CTL_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "model/diagnosis.h"

#define MACHINE_CARDS_MOST 16
#define MACHINE_NVIDIA     0x10de

/* A display controller on the PCI bus. */
struct machine_card {
    char slot[16]; // "0000:01:00.0"
    unsigned vendor;
    unsigned device;
    char driver[32]; // that is bound to it, ""
};

/* A DRM node, and which card it belongs to. */
struct machine_drm {
    char name[16];   // "card0", "renderD128"
    char slot[16];   // of its card
    char driver[32]; // of its card, ""
    bool is_lit;     // a monitor is connected to it
};

struct machine_node {
    bool exists;
    mode_t mode;
    char owner[32]; // names, or numbers
    char group[32];
};

enum machine_module {
    MACHINE_NVIDIA_CORE,
    MACHINE_NVIDIA_UVM,
    MACHINE_NVIDIA_MODESET,
    MACHINE_NVIDIA_DRM,
    MACHINE_NOUVEAU,
    MACHINE_MODULE_COUNT
};

struct machine {
    struct machine_card cards[MACHINE_CARDS_MOST];
    size_t card_count;
    struct machine_drm drm[2 * MACHINE_CARDS_MOST];
    size_t drm_count;
    bool modules[MACHINE_MODULE_COUNT];         // loaded
    char driver[32];                            // version of the module, ""
    struct machine_node nodes[DIAGNOSIS_NODES]; // as diagnosis_nodes[]
    bool has_persistence;                       // the persistence daemon runs
    bool is_nixos; // libraries lie in /run/opengl-driver
};

extern const char *const machine_modules[MACHINE_MODULE_COUNT];

void machine_read(struct machine *ret);

/* NULL: there is none. */
const struct machine_card *machine_nvidia(const struct machine *m);
const struct machine_drm *machine_find_drm(const struct machine *m,
                                           const char *name);

/* The version in a line of /proc/driver/nvidia/version, "" when there is none.
 */
void machine_parse_version(const char *line, char *ret, size_t size);

#endif
