/*
 * doctor_driver: what the driver answers when the service calls it.
 */
#include <stdio.h>
#include <string.h>

#include "doctor.h"
#include "machine.h"
#include "model/diagnosis.h"
#include "version.h"

#define NVML_MISMATCH 18 // NVML_ERROR_LIB_RM_VERSION_MISMATCH
#define MISMATCH_FIX \
    "reboot; or without one: systemctl stop transcoded, rmmod nvidia_drm " \
    "nvidia_modeset nvidia_uvm nvidia, modprobe nvidia"

/* What cuInit may answer. */
static const struct {
    int result;
    const char *words;
    const char *fix;
} cuda_results[] = {
    {34, "libcuda is a stub for building, not the driver's",
     "take the folder of stubs from LD_LIBRARY_PATH"},
    {100, "CUDA has no card",
     "see the lines 'nodes', 'access' and 'variables', then 'dmesg | grep "
     "NVRM'"},
    {304, "the system refused something that CUDA needs",
     "see 'dmesg | grep NVRM', and the unit's system call filter"},
    {802, "the card is not ready yet", "wait, or start nvidia-fabricmanager"},
    {803, "the kernel's driver is older than libcuda", MISMATCH_FIX},
    {804, "libcuda's compatibility package does not fit this card",
     "remove the package cuda-compat"},
    {999, "the driver failed",
     "see 'dmesg | grep -e NVRM -e Xid'; modprobe nvidia-uvm, or reboot"},
};

static void judge_result(int result, struct finding *ret)
{
    for (size_t i = 0; i < sizeof(cuda_results) / sizeof(cuda_results[0]);
         i++) {
        if (cuda_results[i].result == result) {
            finding_add(ret, FINDING_BAD, cuda_results[i].fix,
                        "cuInit answers the service %d: %s", result,
                        cuda_results[i].words);
            return;
        }
    }
    finding_add(ret, FINDING_BAD, "see 'dmesg | grep -e NVRM -e Xid'",
                "cuInit answers the service %d", result);
}

void doctor_cuda(const struct patient *p, struct finding *ret)
{
    const struct diagnosis_process *s = &p->service->process;

    if (s->cuda_result == DIAGNOSIS_UNKNOWN)
        finding_add(ret, FINDING_NOTE, NULL, "the service could not ask it");
    else if (doctor_hides_cards(p))
        finding_add(ret, FINDING_NOTE, NULL, "see 'variables'");
    else if (s->cuda_result != 0)
        judge_result(s->cuda_result, ret);
    else if (s->cuda_devices == 0)
        judge_result(100, ret);
    else
        finding_add(ret, FINDING_GOOD, NULL,
                    "cuInit works for the service: CUDA %d.%d, %d card%s",
                    s->cuda_version / 1000, s->cuda_version % 1000 / 10,
                    s->cuda_devices, s->cuda_devices == 1 ? "" : "s");
}

/* The version in "libcuda.so.470.256.02"; "" for another name. */
static const char *version_of_file(const char *path)
{
    const char *so = strstr(path, ".so.");
    const char *version = so ? so + strlen(".so.") : "";

    return strchr(version, '.') ? version : "";
}

/* Is it known at all? A misfit is told. */
static bool compare(const char *kernel, const char *what, const char *version,
                    struct finding *ret)
{
    if (!version[0])
        return false;
    if (version_compare(kernel, version) != 0)
        finding_add(ret, FINDING_BAD, MISMATCH_FIX,
                    "%s is %s, the kernel's part is %s", what, version, kernel);
    return true;
}

void doctor_match(const struct patient *p, struct finding *ret)
{
    const struct diagnosis_process *s = &p->service->process;
    const char *kernel = p->machine->driver;
    size_t known = 0;

    if (s->nvml_result == NVML_MISMATCH)
        finding_add(ret, FINDING_BAD, MISMATCH_FIX,
                    "NVML: driver/library version mismatch");
    for (size_t i = 0; kernel[0] && i < s->library_count; i++)
        known += compare(kernel, s->libraries[i].name,
                         version_of_file(s->libraries[i].path), ret);
    known += kernel[0] && compare(kernel, "NVML", s->nvml_driver, ret);
    if (!ret->found && known)
        finding_add(ret, FINDING_GOOD, NULL,
                    "the kernel's part and the libraries are all %s", kernel);
    else if (!ret->found)
        finding_add(ret, FINDING_NOTE, NULL,
                    "the versions of the libraries are not known");
}
