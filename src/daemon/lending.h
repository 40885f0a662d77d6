/*
 * lending: the books on the GPUs: who has what of which, how much there is to
 * lend, and which are fit for it. Between the pure parts (capacity, quarantine,
 * scheduler) and the inventory; no loop and no processes.
 *
 * A loan is what one attempt has. It is there from its worker's start, for a
 * worker takes VRAM before it is granted anything, and is the attempt's own.
 */
#ifndef DAEMON_LENDING_H
#define DAEMON_LENDING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "capacity.h"
#include "model/grant.h"
#include "model/outcome.h"

struct account;
struct configuration;
struct device_profiles;
struct inventory;
struct inventory_device;
struct lending;
struct need;
struct scheduler_view;

struct loan {
    struct list link;        // lending.loans, or alone
    struct account *account; // not owned; NULL: none, or the CPU
    int pid;
    struct grant grant;
    enum capacity_class kind;
    int64_t granted; // monotonic µs
    int64_t peak;    // bytes of VRAM, as far as samples have seen it
    const struct account *idle_on; // not owned; has VRAM there without a grant
    int64_t idle;                  // bytes of it
    bool is_open;                  // its sessions
    int64_t opened;                // monotonic µs since when that is known
    int64_t frames;                // encoded, as it last said
    int64_t reported;              // monotonic µs when it last said so
    int64_t sure;                  // likewise: they were open then for certain
};

struct lending_ops {
    /* Have a survey look at that card. */
    void (*doubt)(void *user, const char *uuid);
    /* Something may be granted that could not be, or the contrary. */
    void (*changed)(void *user);
};

struct lending *lending_create(struct inventory *inventory,
                               const struct lending_ops *ops, void *user);
/* All loans have left. NULL is allowed. */
void lending_destroy(struct lending *l);

/* What the operator allows, and what is known of cards; copied. */
void lending_configure(struct lending *l, const struct configuration *c,
                       const struct device_profiles *profiles);

void loan_init(struct loan *loan);

/* A worker begins, or stands ready: what VRAM it takes is ours. */
void lending_join(struct lending *l, struct loan *loan, int pid);
void lending_lend(struct lending *l, struct loan *loan,
                  const struct grant *grant, const struct need *need);
/* It has encoded so many @frames: with the first one its sessions are open, and
 * with each more they were when it spoke last. */
void lending_flow(struct lending *l, struct loan *loan, int64_t frames);
/* The worker is gone: all of it is free again. Not joined is allowed. */
void lending_leave(struct lending *l, struct loan *loan);

/* Bytes of VRAM that the worker has before it is granted anything, and the
 * device that it has them on, NULL without. */
int64_t lending_held(const struct loan *loan, const char **ret_device);

/* What its attempt came to is remembered: before it leaves. @text is the
 * worker's. */
void lending_judge(struct lending *l, const struct loan *loan,
                   enum outcome outcome, enum outcome_part part,
                   const char *text);

/* The warm worker of card @uuid; 0: there is none. */
void lending_set_warm(struct lending *l, const char *uuid, int pid);
/* Is the card well, as far as one knows? */
bool lending_trusts(const struct lending *l, const char *uuid);
/* Is there VRAM and health enough for one? */
bool lending_affords_warm(struct lending *l, const char *uuid);

/* A sample of @d has come. */
void lending_sampled(struct lending *l, const struct inventory_device *d);

/* A survey opens a session here and there: until it has ended, one of each
 * device is taken. */
void lending_survey_begins(struct lending *l);
void lending_surveyed(struct lending *l);

/* Surveys that are due begin. Monotonic µs when time alone changes something
 * the next time, 0: it does not. */
int64_t lending_tick(struct lending *l);

/* The devices of @ret, as they are now; the rest of it is the caller's. */
void lending_view(struct lending *l, struct scheduler_view *ret);

/* Of one device, as Devices and Status tell it. */
struct lending_state {
    int32_t own;       // sessions
    int32_t foreign;   // likewise
    int32_t limit;     // likewise, CAPACITY_UNKNOWN
    int32_t attempts;  // that have something of it
    int64_t vram;      // bytes that may be granted now
    char trouble[192]; // words on its quarantine, "" for none
    /* The same with what a worker had to say: of its driver, but perhaps of its
     * job, too. For operators. */
    char details[192];
};

/* False when nobody knows it. */
bool lending_state(struct lending *l, const char *id,
                   struct lending_state *ret);

#endif
