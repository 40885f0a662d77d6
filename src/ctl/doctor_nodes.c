/*
 * doctor_nodes: the device nodes, as they lie there and as the service can use
 * them, and the groups by which it may.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "doctor.h"
#include "machine.h"
#include "model/diagnosis.h"

#define LINE 512

static enum finding_state state_of(size_t node)
{
    return diagnosis_nodes[node].is_needed ? FINDING_BAD : FINDING_WARNING;
}

static const char *short_name(size_t node)
{
    return diagnosis_nodes[node].path + strlen("/dev/");
}

/* "crw-rw---- root:video" */
static void describe(const struct machine_node *n, char ret[96])
{
    static const char letters[] = "rwxrwxrwx";
    char mode[] = "----------";

    mode[0] = S_ISCHR(n->mode) ? 'c' : '-';
    for (size_t i = 0; i < 9; i++) {
        if (n->mode & (0400U >> i))
            mode[i + 1] = letters[i];
    }
    (void)snprintf(ret, 96, "%s %s:%s", mode, n->owner, n->group);
}

/* Nodes that are there, those alike behind one another: "nvidia0, nvidiactl
 * crw-rw-rw- root:root". */
static void tell_nodes(const struct machine *m, struct finding *ret)
{
    char line[LINE] = "";
    char before[96] = "";

    for (size_t i = 0; i < DIAGNOSIS_NODES; i++) {
        const struct machine_node *n = &m->nodes[i];
        char now[96];
        size_t used = strlen(line);

        if (!n->exists)
            continue;
        describe(n, now);
        bool alike = strcmp(now, before) == 0;
        if (used && !alike)
            (void)snprintf(line + used, LINE - used, " %s; %s", before,
                           short_name(i));
        else
            (void)snprintf(line + used, LINE - used, "%s%s", used ? ", " : "",
                           short_name(i));
        (void)memcpy(before, now, sizeof(before));
    }
    if (line[0])
        finding_add(ret, FINDING_GOOD, NULL, "%s %s", line, before);
}

/* Is @node a display node that no card of this machine has? */
static bool has_no_drm(const struct machine *m, size_t node)
{
    static const char folder[] = "dri/";
    const char *name = short_name(node);

    return strncmp(name, folder, strlen(folder)) == 0 &&
           !machine_find_drm(m, name + strlen(folder));
}

void doctor_nodes(const struct patient *p, struct finding *ret)
{
    for (size_t i = 0; i < DIAGNOSIS_NODES; i++) {
        if (p->machine->nodes[i].exists)
            continue;
        if (has_no_drm(p->machine, i))
            finding_add(ret, FINDING_NOTE, NULL, "there is no %s",
                        short_name(i));
        else
            finding_add(ret, state_of(i),
                        "systemctl restart transcoded-device-nodes transcoded",
                        "%s is missing", diagnosis_nodes[i].path);
    }
    tell_nodes(p->machine, ret);
}

/* Why a node that is there cannot be opened, by errno. */
static const struct {
    int error;
    const char *words;
    const char *fix;
} refusals[] = {
    {EPERM, "the unit's device rules refuse it",
     "DeviceAllow=%s rw in the unit; if it is there, systemctl restart "
     "transcoded: the node is younger than the service"},
    {EACCES, "its mode and group keep the service out",
     "SupplementaryGroups=video render in the unit, or chmod a+rw %s"},
    {ENOENT, "the service cannot see it",
     "PrivateDevices=no in the unit, which hides %s"},
    {ENXIO, "no driver is behind it",
     "load its module, or remove %s and let it be made anew"},
    {ENODEV, "no driver is behind it",
     "load its module, or remove %s and let it be made anew"},
};

static void judge_refusal(size_t node, int error, struct finding *ret)
{
    const char *path = diagnosis_nodes[node].path;
    char fix[256];

    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        if (refusals[i].error != error)
            continue;
        int at = (int)strcspn(refusals[i].fix, "%");
        (void)snprintf(fix, sizeof(fix), "%.*s%s%s", at, refusals[i].fix, path,
                       refusals[i].fix + at + 2);
        finding_add(ret, state_of(node), fix, "%s: %s", path,
                    refusals[i].words);
        return;
    }
    finding_add(ret, state_of(node), "see 'dmesg | grep NVRM'", "%s: %s", path,
                strerror(error));
}

void doctor_access(const struct patient *p, struct finding *ret)
{
    const struct diagnosis_process *s = &p->service->process;
    size_t opened = 0;

    for (size_t i = 0; i < s->node_count && i < DIAGNOSIS_NODES; i++) {
        if (s->nodes[i].error == 0)
            opened++;
        else if (p->machine->nodes[i].exists) // else it is told already
            judge_refusal(i, s->nodes[i].error, ret);
    }
    if (s->node_count == 0)
        finding_add(ret, FINDING_NOTE, NULL, "the service has not tried them");
    else if (!ret->found)
        finding_add(ret, opened ? FINDING_GOOD : FINDING_NOTE, NULL,
                    "the service can open %zu of the %d nodes that it is given",
                    opened, DIAGNOSIS_NODES);
}

static bool is_in(const struct diagnosis_process *s, const char *group)
{
    for (size_t i = 0; i < s->group_count; i++) {
        if (strcmp(s->groups[i], group) == 0)
            return true;
    }
    return false;
}

void doctor_groups(const struct patient *p, struct finding *ret)
{
    static const char *const wanted[] = {"video", "render"};
    const struct diagnosis_process *s = &p->service->process;

    if (s->uid == DIAGNOSIS_UNKNOWN) {
        finding_add(ret, FINDING_NOTE, NULL, "not known");
        return;
    }
    if (s->uid == 0) {
        finding_add(ret, FINDING_NOTE, NULL, "root needs none");
        return;
    }
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
        if (!is_in(s, wanted[i]))
            finding_add(ret, FINDING_WARNING,
                        p->service->is_service
                            ? "SupplementaryGroups=video render in the unit"
                            : "usermod -aG video,render, for who starts it",
                        "'%s' is not in group %s", s->user, wanted[i]);
    }
    if (!ret->found)
        finding_add(ret, FINDING_GOOD, NULL, "'%s' is in video and render",
                    s->user);
}
