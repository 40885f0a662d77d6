#include "diagnose.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "diagnose_steps.h"
#include "media/absence.h"

static void find_absences(struct diagnosis_process *p)
{
    size_t count = absence_find(p->absences, DIAGNOSIS_ABSENCES_MOST);

    p->absence_count =
        count < DIAGNOSIS_ABSENCES_MOST ? count : DIAGNOSIS_ABSENCES_MOST;
}

// clang-format off
static const struct {
    const char *name; // as people read it, when it does not come back
    void (*run)(struct diagnosis_process *p);
    void (*run_confined)(struct diagnosis_process *p,
                         const struct sandbox_config *config);
} steps[] = {
    {"user and groups", diagnose_identity, NULL},
    {"environment", diagnose_environment, NULL},
    {"libav", find_absences, NULL},
    {"device nodes", diagnose_nodes, NULL},
    {"cuInit in the sandbox", NULL, diagnose_confined},
    {"libraries", diagnose_libraries, NULL},
    {"NVML", diagnose_nvml, NULL},
    {"NVENC", diagnose_nvenc, NULL},
    {"cuInit", diagnose_cuda, NULL},
};
// clang-format on

static int tell(const struct diagnosis_process *p, int fd)
{
    json_t *json = diagnosis_process_to_json(p);
    char *text = json_dumps(json, JSON_COMPACT);

    int r = text ? fd_write_all(fd, text, strlen(text) + 1) : -1;
    free(text);
    json_decref(json);
    return r;
}

int diagnose_run(int fd, const struct sandbox_config *config)
{
    struct diagnosis_process p;
    int r = 0;

    diagnosis_process_init(&p);
    for (size_t i = 0; r == 0 && i < sizeof(steps) / sizeof(steps[0]); i++) {
        (void)snprintf(p.step, sizeof(p.step), "%s", steps[i].name);
        r = tell(&p, fd);
        if (steps[i].run)
            steps[i].run(&p);
        else
            steps[i].run_confined(&p, config);
    }
    p.step[0] = '\0';
    if (r == 0)
        r = tell(&p, fd);
    diagnosis_process_fini(&p);
    return r < 0;
}
