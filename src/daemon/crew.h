/*
 * crew: the workers that stand ready ahead of their jobs: one without a GPU,
 * and one for each card that works, with the card's CUDA context made. That
 * costs VRAM, so where it stands is also for others to say: it gives way to
 * neighbours and to jobs, and there is none while a card is not to be trusted.
 */
#ifndef DAEMON_CREW_H
#define DAEMON_CREW_H

#include <stdbool.h>
#include <uv.h>

struct cgroup;
struct configuration;
struct crew;
struct inventory;
struct job;
struct warm;

struct crew_ops {
    /* Is card @uuid fit for a worker now, and has it the VRAM? */
    bool (*affords)(void *user, const char *uuid);
    /* Is it fit for one, whatever its VRAM? */
    bool (*trusts)(void *user, const char *uuid);
    /* The process that stands ready on it; 0: none does. */
    void (*stands)(void *user, const char *uuid, int pid);
};

/* @group, @inventory and @configuration are lent. */
struct crew *crew_create(uv_loop_t *loop, const struct cgroup *group,
                         const struct inventory *inventory,
                         const struct configuration *configuration,
                         const struct crew_ops *ops, void *user);
void crew_destroy(struct crew *c); // NULL is allowed

/* The configuration is another: workers that would be started in another way
 * now are replaced. */
void crew_configure(struct crew *c);

/* Cards have come or gone, or what they afford is another. */
void crew_refresh(struct crew *c);

/* The worker that stands ready on card @id gives up its VRAM. True: there is
 * one, and `stands` says when it has. Another one comes when crew_refresh()
 * finds that the card affords it. */
bool crew_dismiss(struct crew *c, const char *id);

/* Where @job's worker is to come from: a card's, if the job may use one and
 * there is one that works, for no other is let near a driver; else the one
 * without. For warm_take(), at once. */
struct warm *crew_pick(const struct crew *c, const struct job *job);

/* The one without a GPU. */
struct warm *crew_plain(const struct crew *c);

#endif
