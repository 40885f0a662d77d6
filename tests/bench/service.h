/*
 * service: a daemon of our own for a case, with its folder, and jobs through
 * its socket.
 */
#ifndef BENCH_SERVICE_H
#define BENCH_SERVICE_H

#include <stddef.h>

#include "process.h"

struct error;
struct json_t;
struct service;

enum service_way {
    SERVICE_DETACHED, // stored before it is acknowledged, files by the service
    SERVICE_ATTACHED, // ours, with our files
};

/*
 * Start build/transcoded with its state in @folder/state and every path below
 * @folder allowed. *@ret_ready is how long it took until it answered, in s
 * (NULL: not asked). @preload as process_start().
 */
int service_start(struct service **ret, double *ret_ready, const char *build,
                  const char *folder, const char *preload, struct error *e);

/* Change the setting @name of its configuration, until the next call; what runs
 * is settled first and afterwards. */
int service_set(const struct service *s, const char *name, const char *value,
                struct error *e);

/* SIGTERM, and wait. NULL is allowed. */
void service_stop(struct service *s);

pid_t service_pid(const struct service *s);
const char *service_socket(const struct service *s);

/* One call with one reply; *@ret (may be NULL) is a new reference. */
int service_call(const struct service *s, struct json_t **ret,
                 const char *method, const struct json_t *parameters,
                 struct error *e);

/* What service_run() calls while its jobs run: with each of their events, and
 * with NULL now and then. */
typedef void service_ear(void *user, const struct json_t *event);

/* NULL: nobody listens any more. */
void service_listen(struct service *s, service_ear *ear, void *user);

/* Submit @count jobs at once, and follow each until the last one has ended;
 * each must end as done. The cost is the daemon's with all its children. */
int service_run(const struct service *s, struct sample *ret,
                struct json_t *const *jobs, size_t count, enum service_way way,
                struct error *e);

/* Wait until nothing moves any more: a worker stands ready, the others have
 * been waited for. */
void service_settle(const struct service *s);

#endif
