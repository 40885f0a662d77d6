/*
 * doctor_libraries: which libraries the service finds, by which path and
 * variables, and what its FFmpeg lacks.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "machine.h"
#include "model/diagnosis.h"

#define NIX_FOLDER "/run/opengl-driver/lib"

/* Is @folder one of the elements of @path, "/a:/b"? */
static bool has_element(const char *path, const char *folder)
{
    size_t length = strlen(folder);

    for (; *path; path += strcspn(path, ":"), path += *path == ':') {
        size_t n = strcspn(path, ":");
        while (n > 1 && path[n - 1] == '/')
            n--;
        if (n == length && strncmp(path, folder, n) == 0)
            return true;
    }
    return false;
}

void doctor_library_path(const struct patient *p, struct finding *ret)
{
    const char *path =
        diagnosis_variable(&p->service->process, "LD_LIBRARY_PATH");
    bool is_there = path && has_element(path, NIX_FOLDER);

    if (p->machine->is_nixos && !is_there)
        finding_add(ret, FINDING_BAD,
                    "LD_LIBRARY_PATH=" NIX_FOLDER
                    ":/run/opengl-driver-32/lib in the unit",
                    "%s%s does not lead to %s", path ? "LD_LIBRARY_PATH=" : "",
                    path ? path : "an empty LD_LIBRARY_PATH", NIX_FOLDER);
    else if (path)
        finding_add(ret, FINDING_GOOD, NULL, "%s", path);
    else
        finding_add(ret, FINDING_GOOD, NULL,
                    "not set: the system's own folders");
}

static const char *purpose_of(const char *library)
{
    for (size_t i = 0; i < DIAGNOSIS_LIBRARIES; i++) {
        if (strcmp(diagnosis_libraries[i].name, library) == 0)
            return diagnosis_libraries[i].purpose;
    }
    return "";
}

void doctor_libraries(const struct patient *p, struct finding *ret)
{
    const struct diagnosis_process *s = &p->service->process;
    const char *fix = p->machine->is_nixos
                          ? "hardware.graphics.enable = true"
                          : "install the driver's libraries (Debian: libcuda1 "
                            "libnvcuvid1 libnvidia-encode1 libnvidia-ml1)";

    for (size_t i = 0; i < s->library_count; i++) {
        const struct diagnosis_library *l = &s->libraries[i];
        if (l->problem[0])
            finding_add(ret, FINDING_BAD, fix, "%s (%s): %s", l->name,
                        purpose_of(l->name), l->problem);
        else
            finding_add(ret, FINDING_GOOD, NULL, "%s", l->path);
    }
    if (!ret->found)
        finding_add(ret, FINDING_NOTE, NULL, "the service has not tried them");
}

static size_t count_cards(const struct machine *m)
{
    size_t count = 0;

    for (size_t i = 0; i < m->card_count; i++)
        count += m->cards[i].vendor == MACHINE_NVIDIA;
    return count;
}

bool doctor_hides_cards(const struct patient *p)
{
    const char *value =
        diagnosis_variable(&p->service->process, "CUDA_VISIBLE_DEVICES");
    size_t count = count_cards(p->machine);
    char *end;

    if (!value)
        return false;
    // CUDA takes the list up to the first that is no card
    unsigned long first = strtoul(value, &end, 10);
    bool is_number = end != value;
    return value[0] == '\0' || value[0] == '-' ||
           strncmp(value, "NoDevFiles", strlen("NoDevFiles")) == 0 ||
           (is_number && count && first >= count);
}

static void judge_visible(const struct patient *p, struct finding *ret)
{
    if (doctor_hides_cards(p))
        finding_add(
            ret, FINDING_BAD,
            "CUDA_VISIBLE_DEVICES=0 in the unit, or none at all",
            "CUDA_VISIBLE_DEVICES='%s' hides every card",
            diagnosis_variable(&p->service->process, "CUDA_VISIBLE_DEVICES"));
}

/* The container toolkit's; elsewhere nobody reads them. */
static void judge_container(const struct diagnosis_process *s,
                            struct finding *ret)
{
    const char *devices = diagnosis_variable(s, "NVIDIA_VISIBLE_DEVICES");
    const char *able = diagnosis_variable(s, "NVIDIA_DRIVER_CAPABILITIES");

    if (devices && (!devices[0] || strcmp(devices, "none") == 0 ||
                    strcmp(devices, "void") == 0))
        finding_add(ret, FINDING_WARNING, "NVIDIA_VISIBLE_DEVICES=all",
                    "NVIDIA_VISIBLE_DEVICES='%s' keeps a container without a "
                    "card",
                    devices);
    if (able && !strstr(able, "all") &&
        (!strstr(able, "video") || !strstr(able, "compute")))
        finding_add(ret, FINDING_WARNING,
                    "NVIDIA_DRIVER_CAPABILITIES=compute,video,utility",
                    "NVIDIA_DRIVER_CAPABILITIES='%s' keeps a container without "
                    "NVENC, NVDEC or CUDA",
                    able);
}

void doctor_variables(const struct patient *p, struct finding *ret)
{
    const struct diagnosis_process *s = &p->service->process;
    char line[512] = "";

    judge_visible(p, ret);
    judge_container(s, ret);
    if (ret->found)
        return;
    for (size_t i = 0; i < s->variable_count; i++) {
        size_t used = strlen(line);
        if (strncmp(s->variables[i].name, "LD_", 3) != 0)
            (void)snprintf(line + used, sizeof(line) - used, "%s%s=%s",
                           used ? " " : "", s->variables[i].name,
                           s->variables[i].value);
    }
    finding_add(ret, FINDING_GOOD, NULL, "%s",
                line[0] ? line : "none of CUDA_* and NVIDIA_* is set");
}

void doctor_ffmpeg(const struct patient *p, struct finding *ret)
{
    const struct diagnosis_process *s = &p->service->process;

    for (size_t i = 0; i < s->absence_count; i++) {
        const struct diagnosis_absence *a = &s->absences[i];
        if (a->is_gpu && !doctor_has_card(p))
            continue;
        finding_add(ret, a->is_needed ? FINDING_BAD : FINDING_WARNING,
                    a->is_gpu ? "use an FFmpeg built with nv-codec-headers "
                                "and scale_cuda (nix/ffmpeg-legacy.nix)"
                              : "use an FFmpeg built with it",
                    "%s %s is not in this FFmpeg", a->kind, a->name);
    }
    if (!ret->found)
        finding_add(ret, FINDING_GOOD, NULL,
                    "this FFmpeg has every encoder and filter that jobs need");
}
