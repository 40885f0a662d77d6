/*
 * followers: calls that are answered with the events of a job, or of all jobs
 * that their caller may see.
 *
 * Progress is left out for a follower that is behind; what else it leaves
 * unread counts towards the connection's limit.
 */
#ifndef DAEMON_FOLLOWERS_H
#define DAEMON_FOLLOWERS_H

#include <stdint.h>
#include <sys/types.h>

#include "model/event.h"

struct access_rules;
struct call;
struct followers;
struct json_t;

struct followers *followers_create(const struct access_rules *rules);
/* Ends all calls without a reply. NULL is allowed. */
void followers_destroy(struct followers *f);

/*
 * Consumes @call: from now on it gets the events of job @id (0: of all), the
 * outcome of @id being its last reply. @gone, which may be NULL, is called when
 * its client hangs up; not any more once the job has ended.
 */
void followers_add(struct followers *f, struct call *call, int64_t id,
                   void (*gone)(void *user), void *user);

/* Tell of @event, which is borrowed, of job @id of @owner. */
void followers_tell(struct followers *f, uid_t owner, int64_t id,
                    enum event_kind kind, const struct json_t *event);

#endif
