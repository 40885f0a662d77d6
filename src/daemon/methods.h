/*
 * methods: what clients may call, as a table, and the way from a call to the
 * function that answers it. The functions lie by noun: about.c, submit.c,
 * planning.c, queries.c, control.c, diagnose.c.
 */
#ifndef DAEMON_METHODS_H
#define DAEMON_METHODS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct call;
struct daemon;
struct dispatcher;

enum method_who {
    METHOD_ANYBODY,
    METHOD_OPERATOR, // and who started the daemon by hand
    METHOD_ADMIN,
};
enum method_more { METHOD_ONE_REPLY, METHOD_MAY_STREAM, METHOD_MUST_STREAM };

struct method {
    const char *name; // "io.transcoded.Submit"
    enum method_who who;
    enum method_more more;
    size_t fds;                // descriptors that may come with it
    const char *parameters[4]; // what it takes, ended by NULL
    /* Consumes @call. */
    void (*answer)(struct daemon *d, struct call *call);
};

extern const struct method methods[];
extern const size_t method_count;

/* NULL when there is none of this name. */
const struct method *method_find(const char *name);

/* Answer @call, which is consumed. */
void methods_answer(struct daemon *d, struct call *call);

/*
 * Parameters. Each returns false when one is there but of another type, or
 * missing though it is needed: @call was answered with InvalidParameter then.
 */
bool parameter_id(struct call *call, int64_t *ret);
bool parameter_integer(struct call *call, const char *name, int64_t fallback,
                       int64_t least, int64_t *ret);
bool parameter_bool(struct call *call, const char *name, bool *ret);

// about.c
void about_info(struct daemon *d, struct call *call);
void about_interface(struct daemon *d, struct call *call);
void about_status(struct daemon *d, struct call *call);
void about_profiles(struct daemon *d, struct call *call);
// devices.c
void devices_show(struct daemon *d, struct call *call);
// reporting.c
void reporting_show(struct daemon *d, struct call *call);
// submit.c
void submit_job(struct daemon *d, struct call *call);
// planning.c
void planning_start(struct daemon *d, struct call *call);
void planning_begin_all(struct dispatcher *dispatcher); // those that wait
void planning_interrupt_all(struct dispatcher *dispatcher);
/* As attempt_due(), of the first of them. */
int64_t planning_due(const struct dispatcher *dispatcher);
size_t planning_count(const struct dispatcher *dispatcher, uid_t uid);
// queries.c
void query_list(struct daemon *d, struct call *call);
void query_show(struct daemon *d, struct call *call);
void query_follow(struct daemon *d, struct call *call);
// control.c
void control_cancel(struct daemon *d, struct call *call);
void control_pause(struct daemon *d, struct call *call);
void control_resume(struct daemon *d, struct call *call);
void control_retry(struct daemon *d, struct call *call);
void control_drain(struct daemon *d, struct call *call);
void control_undrain(struct daemon *d, struct call *call);
// diagnose.c
void diagnose_start(struct daemon *d, struct call *call);
void diagnose_stop(struct daemon *d);

#endif
