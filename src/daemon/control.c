#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "connection.h"
#include "daemon.h"
#include "dispatcher.h"
#include "methods.h"
#include "reply.h"
#include "store/store.h"
#include "wish.h"
#include "work.h"

/* A call about a job that is not in the backlog: what does the store say? */
struct inquiry {
    struct daemon *daemon; // not owned
    struct call *call;     // owned
    int64_t id;
    struct store_job row;
    /* What to do with a record; NULL: it has ended, so nothing can be done. */
    void (*found)(struct inquiry *i, const struct store_record *r);
};

static bool may_control(const struct daemon *d, const struct call *call,
                        uid_t owner)
{
    return access_role(&d->rules, &call->peer, owner) != ACCESS_STRANGER;
}

static void refuse_stranger(struct call *call)
{
    reply_not_permitted(call, "it is another user's job");
}

static void on_record(void *user, int result, const struct store_record *r,
                      const struct error *e)
{
    struct inquiry *i = user;

    if (result == -ENOENT)
        reply_no_such_job(i->call, i->id);
    else if (result < 0)
        reply_unavailable(i->call, e);
    else if (!may_control(i->daemon, i->call, r->job.uid))
        refuse_stranger(i->call);
    else if (i->found) {
        i->found(i, r);
        return;
    } else
        reply_wrong_state(i->call, r->job.state);
    free(i);
}

static void inquire(struct daemon *d, struct call *call, int64_t id,
                    void (*found)(struct inquiry *i,
                                  const struct store_record *r))
{
    struct inquiry *i = xcalloc(1, sizeof(*i));

    i->daemon = d;
    i->call = call;
    i->id = id;
    i->found = found;
    store_get(d->store, id, on_record, i);
}

/* The job of `id` if it has not ended and the caller may; else @call is or will
 * be answered, and NULL. */
static struct backlog_job *own_job(struct daemon *d, struct call *call)
{
    int64_t id;

    if (!parameter_id(call, &id))
        return NULL;
    struct backlog_job *row = dispatcher_find(d->dispatcher, id);
    if (!row) {
        inquire(d, call, id, NULL);
        return NULL;
    }
    if (!may_control(d, call, row->job.uid)) {
        refuse_stranger(call);
        return NULL;
    }
    return row;
}

void control_cancel(struct daemon *d, struct call *call)
{
    struct backlog_job *row = own_job(d, call);

    if (row)
        wish_cancel(dispatcher_work(d->dispatcher, row), call);
}

void control_pause(struct daemon *d, struct call *call)
{
    struct backlog_job *row = own_job(d, call);

    if (row)
        wish_pause(d->dispatcher, row, call);
}

void control_resume(struct daemon *d, struct call *call)
{
    struct backlog_job *row = own_job(d, call);

    if (row)
        wish_resume(d->dispatcher, row, call);
}

static void on_requeued(void *user, int result, const struct error *e)
{
    struct inquiry *i = user;

    if (result < 0) {
        reply_unavailable(i->call, e);
    } else {
        if (!dispatcher_find(i->daemon->dispatcher,
                             i->id)) // nor asked for twice
            dispatcher_add(i->daemon->dispatcher, &i->row);
        call_reply(i->call, NULL);
    }
    free(i);
}

static void retry_record(struct inquiry *i, const struct store_record *r)
{
    if (!state_is_terminal(r->job.state)) {
        reply_wrong_state(i->call, r->job.state);
        free(i);
        return;
    }
    if (r->job.attached) {
        reply_not_permitted(i->call, "its client, who opened the files of this "
                                     "attached job, is gone");
        free(i);
        return;
    }
    const struct daemon *d = i->daemon;
    int64_t most = d->configuration.limits.jobs_per_uid;
    if ((int64_t)backlog_jobs_of(d->dispatcher->backlog, r->job.uid) >= most) {
        reply_too_many(i->call, most);
        free(i);
        return;
    }
    i->row = r->job;
    i->row.state = STATE_QUEUED;
    i->row.held = false;
    i->row.attempts = i->row.failures = i->row.interruptions = 0;
    store_update(i->daemon->store, &i->row, OUTCOME_NONE, on_requeued, i);
}

void control_retry(struct daemon *d, struct call *call)
{
    int64_t id;

    if (!parameter_id(call, &id))
        return;
    struct backlog_job *row = dispatcher_find(d->dispatcher, id);
    if (d->phase != DAEMON_SERVING)
        reply_shutting_down(call);
    else if (!row)
        inquire(d, call, id, retry_record);
    else if (!may_control(d, call, row->job.uid))
        refuse_stranger(call);
    else
        reply_wrong_state(call, row->job.state);
}

void control_drain(struct daemon *d, struct call *call)
{
    dispatcher_drain(d->dispatcher);
    log_info(NULL, "drained by uid %u", call->peer.uid);
    call_reply(call, NULL);
}

void control_undrain(struct daemon *d, struct call *call)
{
    dispatcher_undrain(d->dispatcher);
    log_info(NULL, "undrained by uid %u", call->peer.uid);
    call_reply(call, NULL);
}
