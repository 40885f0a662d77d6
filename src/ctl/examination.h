/*
 * examination: reads everything that the checks of doctor judge: the machine,
 * and what the service tells.
 */
#ifndef CTL_EXAMINATION_H
#define CTL_EXAMINATION_H

#include "doctor.h"
#include "machine.h"
#include "model/diagnosis.h"
#include "unit.h"

struct invocation;

struct examination {
    struct machine machine;
    struct diagnosis service;
    struct doctor_outlook *here; // owned
    struct unit unit;
    struct json_t *devices; // referenced; the reply to Devices, or NULL
    char reason[640];
    struct patient patient; // borrows from the above: must not be moved
};

/* A service that does not answer is no failure, but something found. */
void examination_init(struct examination *ret, const struct invocation *v);
void examination_fini(struct examination *x);

#endif
