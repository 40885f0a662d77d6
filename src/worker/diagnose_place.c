/*
 * diagnose_place: who this process is and what it was started with.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"
#include "base/system.h"
#include "base/text.h"
#include "diagnose_steps.h"

static char *name_group(gid_t gid)
{
    const struct group *g = getgrgid(gid);

    return g ? xstrdup(g->gr_name) : xasprintf("%lu", (unsigned long)gid);
}

static void find_groups(struct diagnosis_process *p)
{
    gid_t ids[DIAGNOSIS_GROUPS_MOST];

    int count = getgroups(DIAGNOSIS_GROUPS_MOST, ids);
    p->groups = xcalloc(count > 0 ? (size_t)count : 1, sizeof(*p->groups));
    for (int i = 0; i < count; i++)
        p->groups[p->group_count++] = name_group(ids[i]);
}

void diagnose_identity(struct diagnosis_process *p)
{
    const struct passwd *user = getpwuid(geteuid());

    p->uid = geteuid();
    p->gid = getegid();
    (void)snprintf(p->user, sizeof(p->user), "%s", user ? user->pw_name : "");
    find_groups(p);
}

/* What the driver and its libraries listen to. */
static const char *const prefixes[] = {
    "LD_LIBRARY_PATH=", "LD_PRELOAD=", "CUDA_", "NVIDIA_", "TORCH_CUDA_",
};

static bool is_of_interest(const char *variable)
{
    for (size_t i = 0; i < sizeof(prefixes) / sizeof(prefixes[0]); i++) {
        if (strncmp(variable, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    }
    return false;
}

void diagnose_environment(struct diagnosis_process *p)
{
    for (char **v = environ; *v; v++) {
        if (!is_of_interest(*v) || p->variable_count == DIAGNOSIS_VARIABLES)
            continue;
        struct diagnosis_variable *to = &p->variables[p->variable_count++];
        size_t length = strcspn(*v, "=");
        char *name = xstrndup(*v, length);
        text_escape(name, to->name, sizeof(to->name));
        text_escape(*v + length + ((*v)[length] == '='), to->value,
                    sizeof(to->value));
        free(name);
    }
}

void diagnose_nodes(struct diagnosis_process *p)
{
    for (size_t i = 0; i < DIAGNOSIS_NODES; i++) {
        struct diagnosis_node *node = &p->nodes[p->node_count++];
        char *path = system_path(diagnosis_nodes[i].path);

        int fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        node->error = fd < 0 ? errno : 0;
        (void)snprintf(node->path, sizeof(node->path), "%s",
                       diagnosis_nodes[i].path);
        fd_close(&fd);
        free(path);
    }
}
