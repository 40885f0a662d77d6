#include "doctor.h"

#include "machine.h"
#include "model/diagnosis.h"

// clang-format off
/* In the order in which one thing stands on the other. */
const struct doctor_check doctor_checks[] = {
    {"card",         false, false, doctor_card},
    {"modules",      true,  false, doctor_modules},
    {"driver",       true,  false, doctor_version},
    {"display",      true,  false, doctor_display},
    {"persistence",  true,  false, doctor_persistence},
    {"nodes",        true,  false, doctor_nodes},
    {"service",      false, false, doctor_service},
    {"worker",       false, true,  doctor_worker},
    {"access",       true,  true,  doctor_access},
    {"groups",       true,  true,  doctor_groups},
    {"variables",    true,  true,  doctor_variables},
    {"library-path", true,  true,  doctor_library_path},
    {"libraries",    true,  true,  doctor_libraries},
    {"cuda",         true,  true,  doctor_cuda},
    {"match",        true,  true,  doctor_match},
    {"nvenc",        true,  true,  doctor_nvenc},
    {"ffmpeg",       false, true,  doctor_ffmpeg},
    {"survey",       true,  true,  doctor_survey},
    {"sessions",     true,  true,  doctor_sessions},
    {"memory",       true,  true,  doctor_memory},
    {"health",       true,  true,  doctor_health},
    {"sandbox",      false, true,  doctor_sandbox},
    {"store",        false, true,  doctor_store},
    {"roots",        false, true,  doctor_roots},
    {"unit",         false, true,  doctor_unit},
    {"space",        false, true,  doctor_space},
};
// clang-format on
const size_t doctor_check_count =
    sizeof(doctor_checks) / sizeof(doctor_checks[0]);

bool doctor_has_card(const struct patient *p)
{
    return machine_nvidia(p->machine) ||
           (p->service && p->service->process.cuda_devices > 0);
}

bool doctor_applies(const struct doctor_check *c, const struct patient *p)
{
    return (!c->is_gpu || doctor_has_card(p)) &&
           (!c->is_by_service || p->service);
}
