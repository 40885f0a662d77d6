/*
 * inventory: the GPUs of this machine, as the daemon knows them: what the last
 * survey found, what was sampled since, who uses them.
 *
 * A card is the same as long as its UUID is, and then it keeps its id, its
 * samples and whatever others have noted of it: also where a survey does not
 * find it any more (it fell off the bus, say), for running jobs still hold
 * parts of it. So the ids here are ours. A survey that counts its devices
 * anew does not move a job from one card to another.
 */
#ifndef DAEMON_INVENTORY_H
#define DAEMON_INVENTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/list.h"
#include "model/mark.h"
#include "model/sample.h"
#include "model/survey.h"

struct inventory;

struct inventory_device {
    struct list link;            // inventory.devices
    struct survey_device survey; // owned; the last one that found it
    bool is_present;             // the last survey did
    struct sample sample;        // the last of its samples
    bool is_sampled;             // there is one
    int64_t sampled;             // monotonic µs that it came
    struct mark_heat heat;       // of its samples
};

/* A sample that is older says nothing any more. */
#define INVENTORY_SAMPLE_AGE (5 * SECOND)

struct inventory *inventory_create(void);
void inventory_destroy(struct inventory *i); // NULL is allowed

/* What a survey has found: devices appear, change and vanish. Copies. */
void inventory_set(struct inventory *i, const struct survey *s);

/* There was no survey, for the reason @why: all that is known stays. */
void inventory_fail(struct inventory *i, const char *why);

/* Has a survey ended, well or badly? Until then nobody knows about GPUs. */
bool inventory_is_settled(const struct inventory *i);

/* Did the last survey end well, so that it says how things are now? */
bool inventory_is_current(const struct inventory *i);

/* Words that say why there is no GPU, or fewer than there should be; "" if
 * nothing is to be said. They live until the next survey. */
const char *inventory_problem(const struct inventory *i);

/* libav's version, by which what it can is known; "" before a survey. */
const char *inventory_libav(const struct inventory *i);

/* Was no card ever found? */
bool inventory_is_empty(const struct inventory *i);

/* NVENC API that libav was built for, where the last survey met it: "12.0"; ""
 * not known, for then the driver is new enough. */
const char *inventory_nvenc_headers(const struct inventory *i);

/* By id ("cuda:0"), or by UUID; absent ones, too. NULL: never seen. */
struct inventory_device *inventory_find(const struct inventory *i,
                                        const char *id);
struct inventory_device *inventory_find_uuid(const struct inventory *i,
                                             const char *uuid);

/* The first of those that are present behind @last, NULL: from the start. */
struct inventory_device *inventory_next(const struct inventory *i,
                                        const struct inventory_device *last);

/* The same of all, also of those that are absent. */
struct inventory_device *inventory_each(const struct inventory *i,
                                        const struct inventory_device *last);

/* A sample has come at @now (monotonic µs). The device, or NULL where no survey
 * has found that card: then it is dropped. */
struct inventory_device *inventory_sample(struct inventory *i,
                                          const struct sample *s, int64_t now);

/* Does the last sample of @d tell of another driver than its survey did? True
 * once for each: a survey that does not see it either is not asked again. */
bool inventory_has_new_driver(struct inventory *i,
                              const struct inventory_device *d);

/* The last sample of a card; NULL when there is none that is fresh. */
const struct sample *inventory_latest(const struct inventory_device *d,
                                      int64_t now);

/* Can it do anything for a job: decode or encode? */
bool inventory_device_works(const struct inventory_device *d);

/* Deep copies of the surveys of those that work, for an order: all, or @id
 * alone. The caller calls survey_device_fini() on each and frees the array. */
void inventory_copy_surveys(const struct inventory *i, const char *id,
                            struct survey_device **ret, size_t *ret_count);

#endif
