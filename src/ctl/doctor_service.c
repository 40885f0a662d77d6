/*
 * doctor_service: is the service there, and can it start what it needs?
 */
#include <string.h>

#include "doctor.h"
#include "model/diagnosis.h"

static void judge_identity(const struct diagnosis *s, struct finding *ret)
{
    const char *user = s->process.user[0] ? s->process.user : "nobody knows";

    finding_add(ret, FINDING_GOOD, NULL, "transcoded %s, pid %lld, as '%s', %s",
                s->version, (long long)s->pid, user,
                s->is_service ? "a system service" : "started by hand");
    if (s->is_service && s->process.uid == 0)
        finding_add(ret, FINDING_WARNING,
                    "install the shipped unit, which has a user of its own",
                    "it runs as root");
    if (strcmp(s->version, TRANSCODED_VERSION) != 0)
        finding_add(ret, FINDING_WARNING, "systemctl restart transcoded",
                    "this transcodectl is %s", TRANSCODED_VERSION);
}

void doctor_service(const struct patient *p, struct finding *ret)
{
    if (p->service)
        judge_identity(p->service, ret);
    else
        finding_add(ret, p->silence, p->remedy, "%s", p->reason);
}

void doctor_worker(const struct patient *p, struct finding *ret)
{
    const struct diagnosis_process *s = &p->service->process;

    if (s->problem[0])
        finding_add(ret, FINDING_BAD,
                    "journalctl -u transcoded; 'transcoded-worker --diagnose "
                    "3>&1' as the service's user shows more",
                    "a worker that was to look around: %s", s->problem);
    else
        finding_add(ret, FINDING_GOOD, NULL,
                    "a worker starts, and looks around to the end");
}

/* Does a layer in this state keep what it should? */
static bool is_closed(const struct diagnosis_layer *l)
{
    return strcmp(l->state, "on") == 0 ||
           strcmp(l->state, "not applicable") == 0;
}

void doctor_sandbox(const struct patient *p, struct finding *ret)
{
    const struct diagnosis_process *s = &p->service->process;

    for (size_t i = 0; i < s->layer_count; i++) {
        const struct diagnosis_layer *l = &s->layers[i];
        finding_add(ret, is_closed(l) ? FINDING_GOOD : FINDING_WARNING,
                    is_closed(l) ? NULL
                                 : "a kernel that has it, and 'sandbox' in the "
                                   "configuration if it was switched off",
                    "%s %s%s%s", l->name, l->state, l->note[0] ? ": " : "",
                    l->note);
    }
    // without a driver that works unconfined, it is another line's matter
    if (s->confined[0] && s->cuda_result == 0 && !doctor_hides_cards(p))
        finding_add(ret, FINDING_BAD,
                    "'sandbox_paths' in the configuration: what this driver "
                    "wants besides; journalctl -u transcoded",
                    "the driver does not work in it: %s", s->confined);
    if (!ret->found)
        finding_add(ret, FINDING_NOTE, NULL, "the service does not tell");
}
