/*
 * submit: from a client's document to a job that may be accepted. Shared by
 * Submit and Plan.
 */
#ifndef DAEMON_SUBMIT_H
#define DAEMON_SUBMIT_H

#include <stdbool.h>

#include "model/job.h"

struct call;
struct daemon;
struct error;
struct json_t;

/* The parameter `job` of @call, borrowed; false: there is none, and @call was
 * answered. */
bool submit_document(struct call *call, const struct json_t **ret);

/* Who opens a job's files: for its client no root is asked. */
enum submit_files { SUBMIT_BY_ROOTS, SUBMIT_BY_CHANNEL };

/* Merge @document, borrowed, over its profile and read it. 0, or -errno with
 * e->field: the document is at fault. */
int submit_read(const struct daemon *d, const struct call *call,
                const struct json_t *document, enum submit_files files,
                struct job *ret, struct error *e);

#endif
