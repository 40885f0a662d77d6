/*
 * order: what the daemon tells a worker over the control socket.
 *
 * The control socket is a SOCK_STREAM pair; in the worker it is descriptor
 * ORDER_FD. JSON objects, each ended by a NUL (wire/frame.h), both ways: orders
 * to the worker, events (model/event.h) from it. The descriptor of the file
 * channel comes with the `job` order.
 *
 *   daemon                            worker
 *   {"order":"job",…} + channel  ──►
 *                                ◄──  {"event":"need",…}      (inspected)
 *   {"order":"grant",…}          ──►
 *                                ◄──  {"event":"ready",…}     (the plan)
 *                                ◄──  progress, log, clamp…
 *   {"order":"pause"|"resume"|"stop"} ──►  at any time
 *                                ◄──  {"event":"outcome",…}
 *                                ◄──  {"event":"released"}    and it exits 0
 *
 * With "plan_only" the worker ends after `ready` with the outcome `done`, and
 * has opened no output.
 */
#ifndef MODEL_ORDER_H
#define MODEL_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/grant.h"
#include "model/job.h"
#include "model/survey.h"

struct error;
struct json_t;

#define ORDER_FD 3 // the control socket in a worker

enum order_kind {
    ORDER_NONE,
    ORDER_JOB,
    ORDER_GRANT,
    ORDER_PAUSE,
    ORDER_RESUME,
    ORDER_STOP, // end soon; outcome cancelled
    ORDER_KIND_COUNT
};

struct order_job {
    int64_t id;      // of the job, for words
    int64_t attempt; // from 1
    bool plan_only;
    int64_t probe_size;            // bytes at most, from the limits
    struct survey_device *devices; // owned; those that the job may be granted
    size_t device_count;
    struct job job;
};

struct order {
    enum order_kind kind;
    union {
        struct order_job job;
        struct grant grant;
    };
};

int order_from_json(struct order *ret, const struct json_t *json,
                    struct error *e);
struct json_t *order_to_json(const struct order *o); // a new reference
void order_fini(struct order *o);

#endif
