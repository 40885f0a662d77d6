/*
 * offer: what a GPU can do for a job that waits, and the best of several GPUs.
 * Pure; scheduler.c decides by it.
 */
#ifndef DAEMON_OFFER_H
#define DAEMON_OFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scheduler_job;
struct scheduler_view;

/* How much of a job is asked of a device. */
enum offer_wish {
    OFFER_WHAT_IS_FREE, // as many sessions as there are now
    OFFER_ALL_IT_TAKES, // every session that it could use there
    OFFER_EVERYTHING,   // a session for each rendition
};

/* From the worst to the best. */
enum offer_fit {
    OFFER_NEVER,    // there is no such device, or what it cannot do
    OFFER_ABSENT,   // it did not work when the job was looked at
    OFFER_TOO_MANY, // the job has more renditions than it ever grants sessions
    OFFER_FAILED,   // it failed this job
    OFFER_BARRED,   // in quarantine
    OFFER_LATER,    // sessions or VRAM are in use
    OFFER_FITS,
};

enum offer_lack { OFFER_LACKS_NOTHING, OFFER_LACKS_SESSIONS, OFFER_LACKS_VRAM };

struct offer {
    enum offer_fit fit;
    enum offer_fit worst; // why a part of the device is not offered
    enum offer_lack lack; // of OFFER_LATER
    const char *never;    // the job's words for what it cannot do, not owned
    size_t device;        // in the view; its device_count: there is none
    int32_t sessions;
    int32_t useful; // sessions that the job could use there at best
    bool decode;
    int64_t vram;    // bytes
    bool needs_warm; // the VRAM of its warm worker
    int32_t left;    // sessions that stay free, to choose by
    bool is_only;    // no other device will ever do
};

/* The best that the devices of @view have for @job. */
void offer_find(const struct scheduler_view *view,
                const struct scheduler_job *job, enum offer_wish wish,
                struct offer *ret);

/* Why it is not all that one could wish, in words; "" when it is. */
void offer_explain(const struct scheduler_view *view, const struct offer *o,
                   char *ret, size_t size);

#endif
