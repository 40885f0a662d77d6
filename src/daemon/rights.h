/*
 * rights: what the opener of a job without a file channel may do.
 */
#ifndef DAEMON_RIGHTS_H
#define DAEMON_RIGHTS_H

#include <sys/types.h>

struct daemon;
struct json_t;
struct store_job;

/* What it may open for a job of @uid: the roots as they are now, and whose its
 * outputs become. A new reference. */
struct json_t *rights_of(const struct daemon *d, uid_t uid);

/* What no other job has, of no other store either: files that bear it were
 * finished by an earlier attempt. A new reference. */
struct json_t *rights_mark(const struct store_job *job);

#endif
