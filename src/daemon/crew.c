#include "crew.h"

#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/memory.h"
#include "inventory.h"
#include "model/job.h"
#include "warm.h"

/* A card's worker. */
struct member {
    struct list link;  // crew.members
    struct crew *crew; // not owned
    char id[sizeof(((struct survey_device *)0)->id)];
    char uuid[sizeof(((struct survey_device *)0)->uuid)];
    struct warm *warm; // owned
};

struct crew {
    uv_loop_t *loop;
    const struct cgroup *group;                // not owned
    const struct inventory *inventory;         // not owned
    const struct configuration *configuration; // not owned
    struct warm *plain;                        // owned
    struct list members;                       // owned
    struct crew_ops ops;
    void *user;
};

static struct member *member_of(struct list *link)
{
    return list_entry(link, struct member, link);
}

static bool may_stand(void *user)
{
    const struct member *m = user;
    const struct inventory_device *d =
        inventory_find_uuid(m->crew->inventory, m->uuid);

    return d && inventory_device_works(d) &&
           m->crew->ops.affords(m->crew->user, m->uuid);
}

static bool is_well(void *user)
{
    const struct member *m = user;

    return m->crew->ops.trusts(m->crew->user, m->uuid);
}

static void on_stands(void *user, int pid)
{
    const struct member *m = user;

    m->crew->ops.stands(m->crew->user, m->uuid, pid);
}

static const struct warm_ops member_ops = {may_stand, is_well, on_stands};

static void add_member(struct crew *c, const struct survey_device *card)
{
    struct member *m = xcalloc(1, sizeof(*m));

    m->crew = c;
    memcpy(m->id, card->id, sizeof(m->id));
    memcpy(m->uuid, card->uuid, sizeof(m->uuid));
    list_append(&c->members, &m->link);
    const struct warm_config config = {
        .group = c->group,
        .configuration = c->configuration,
        .device = m->id,
        .uuid = m->uuid,
    };
    m->warm = warm_create(c->loop, &config, &member_ops, m);
}

static void remove_member(struct member *m)
{
    list_remove(&m->link);
    warm_destroy(m->warm);
    free(m);
}

struct crew *crew_create(uv_loop_t *loop, const struct cgroup *group,
                         const struct inventory *inventory,
                         const struct configuration *configuration,
                         const struct crew_ops *ops, void *user)
{
    struct crew *c = xcalloc(1, sizeof(*c));
    const struct warm_config config = {
        .group = group,
        .configuration = configuration,
        .device = "cpu",
    };

    c->loop = loop;
    c->group = group;
    c->inventory = inventory;
    c->configuration = configuration;
    c->ops = *ops;
    c->user = user;
    list_init(&c->members);
    c->plain = warm_create(loop, &config, NULL, NULL);
    return c;
}

void crew_destroy(struct crew *c)
{
    if (!c)
        return;
    list_foreach (link, next, &c->members)
        remove_member(member_of(link));
    warm_destroy(c->plain);
    free(c);
}

void crew_configure(struct crew *c)
{
    warm_configure(c->plain);
    list_foreach (link, next, &c->members)
        warm_configure(member_of(link)->warm);
}

static struct member *find(const struct crew *c, const char *uuid)
{
    list_foreach (link, next, &c->members) {
        if (strcmp(member_of(link)->uuid, uuid) == 0)
            return member_of(link);
    }
    return NULL;
}

void crew_refresh(struct crew *c)
{
    const struct inventory_device *d = NULL;

    while ((d = inventory_next(c->inventory, d))) {
        if (!find(c, d->survey.uuid))
            add_member(c, &d->survey);
    }
    list_foreach (link, next, &c->members) // of cards that are gone, too
        warm_refresh(member_of(link)->warm);
}

bool crew_dismiss(struct crew *c, const char *id)
{
    list_foreach (link, next, &c->members) {
        if (strcmp(member_of(link)->id, id) == 0)
            return warm_dismiss(member_of(link)->warm);
    }
    return false;
}

/* By its document: whether a card can do it shows when it is inspected. */
static bool may_use_gpu(const struct job *job)
{
    if (job->hardware == JOB_HARDWARE_NONE)
        return false;
    for (size_t i = 0; i < job->output_count; i++) {
        enum job_video_codec codec = job->outputs[i].video.codec;
        if (codec != JOB_VIDEO_COPY && codec != JOB_VIDEO_NONE)
            return true;
    }
    return false;
}

/* The first that stands ready on a card that works, else the first at all; of
 * card @id alone where there is one. */
static struct member *choose(const struct crew *c, const char *id)
{
    struct member *first = NULL;

    list_foreach (link, next, &c->members) {
        struct member *m = member_of(link);
        const struct inventory_device *d =
            inventory_find_uuid(c->inventory, m->uuid);
        if (!d || !inventory_device_works(d) || (id && strcmp(m->id, id) != 0))
            continue;
        if (warm_is_ready(m->warm))
            return m;
        if (!first)
            first = m;
    }
    return first;
}

struct warm *crew_pick(const struct crew *c, const struct job *job)
{
    const struct member *m = may_use_gpu(job) ? choose(c, job->device) : NULL;

    return m ? m->warm : c->plain;
}

struct warm *crew_plain(const struct crew *c)
{
    return c->plain;
}
