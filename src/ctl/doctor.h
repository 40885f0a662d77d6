/*
 * doctor: the checks of `transcodectl doctor`, each a pure function of what was
 * read before: of this machine, and by the service.
 *
 * A check judges what its name says and nothing else: where its subject is not
 * to be seen because of something that another check finds, it says a note, so
 * that one broken thing turns one line red.
 */
#ifndef CTL_DOCTOR_H
#define CTL_DOCTOR_H

#include <stdbool.h>
#include <stddef.h>

#include "finding.h"

struct diagnosis;
struct json_t;
struct machine;
struct unit;

/* How a folder of the service's looks from here. */
struct doctor_outlook {
    bool exists;
    bool is_read_only;
};

/* Everything that was read. */
struct patient {
    const struct machine *machine;     // not owned
    const struct diagnosis *service;   // not owned; NULL: it did not tell
    enum finding_state silence;        // how bad it is that it did not tell
    const char *reason;                // why it did not tell; not owned
    const char *remedy;                // and what to do; not owned
    const struct doctor_outlook *here; // not owned; as service->folders
    const struct unit *unit;           // not owned; NULL: it is none's
    const struct json_t *devices;      // not owned; of Devices, NULL: unknown
    const char *problem; // not owned; of Devices: why there are no more of them
};

struct doctor_check {
    const char *id;
    bool is_gpu;        // without a card there is nothing to look at
    bool is_by_service; // it looks at what the service has told
    void (*look)(const struct patient *p, struct finding *ret);
};

extern const struct doctor_check doctor_checks[];
extern const size_t doctor_check_count;

/* Is there a card of NVIDIA's, as far as anybody can see? */
bool doctor_has_card(const struct patient *p);

/* Does CUDA_VISIBLE_DEVICES of the service, which has told, leave it no card?
 */
bool doctor_hides_cards(const struct patient *p);

/* Is there anything to look at for this check? */
bool doctor_applies(const struct doctor_check *c, const struct patient *p);

// doctor_card.c
void doctor_card(const struct patient *p, struct finding *ret);
void doctor_display(const struct patient *p, struct finding *ret);
void doctor_modules(const struct patient *p, struct finding *ret);
void doctor_version(const struct patient *p, struct finding *ret);
void doctor_persistence(const struct patient *p, struct finding *ret);
// doctor_nodes.c
void doctor_nodes(const struct patient *p, struct finding *ret);
void doctor_access(const struct patient *p, struct finding *ret);
void doctor_groups(const struct patient *p, struct finding *ret);
// doctor_libraries.c
void doctor_library_path(const struct patient *p, struct finding *ret);
void doctor_libraries(const struct patient *p, struct finding *ret);
void doctor_variables(const struct patient *p, struct finding *ret);
void doctor_ffmpeg(const struct patient *p, struct finding *ret);
// doctor_driver.c
void doctor_cuda(const struct patient *p, struct finding *ret);
void doctor_match(const struct patient *p, struct finding *ret);
// doctor_devices.c
void doctor_nvenc(const struct patient *p, struct finding *ret);
void doctor_survey(const struct patient *p, struct finding *ret);
void doctor_sessions(const struct patient *p, struct finding *ret);
void doctor_memory(const struct patient *p, struct finding *ret);
void doctor_health(const struct patient *p, struct finding *ret);
// doctor_service.c
void doctor_service(const struct patient *p, struct finding *ret);
void doctor_worker(const struct patient *p, struct finding *ret);
void doctor_sandbox(const struct patient *p, struct finding *ret);
// doctor_folders.c
void doctor_store(const struct patient *p, struct finding *ret);
void doctor_space(const struct patient *p, struct finding *ret);
void doctor_roots(const struct patient *p, struct finding *ret);
void doctor_unit(const struct patient *p, struct finding *ret);

#endif
