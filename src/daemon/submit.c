#include "submit.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/memory.h"
#include "connection.h"
#include "daemon.h"
#include "dispatcher.h"
#include "followers.h"
#include "inventory.h"
#include "methods.h"
#include "model/profile.h"
#include "reply.h"
#include "store/store.h"
#include "wire/interface.h"

static int check_size(const json_t *document, struct error *e)
{
    if (json_dumpb(document, NULL, 0, JSON_COMPACT) > LIMITS_DOCUMENT)
        return error_set_field(e, -EMSGSIZE, "",
                               "the job is larger than %d bytes",
                               LIMITS_DOCUMENT);
    return 0;
}

bool submit_document(struct call *call, const struct json_t **ret)
{
    *ret = json_object_get(call->message.parameters, "job");
    if (!*ret)
        reply_invalid_parameter(call, "job");
    return *ret;
}

/* A job that needs a GPU where none was ever found would wait for ever. One
 * that is in quarantine, or not there at the moment, may come back. */
static int check_hardware(const struct daemon *d, const struct job *job,
                          struct error *e)
{
    const char *problem = inventory_problem(d->inventory);

    if (job->hardware != JOB_HARDWARE_REQUIRE || job_renditions(job) == 0 ||
        !inventory_is_settled(d->inventory) ||
        !inventory_is_empty(d->inventory))
        return 0;
    return error_set_field(e, -ENODEV, "hardware",
                           "there is no GPU on this machine%s%s",
                           *problem ? ": " : "", problem);
}

/* "cuda:0, cuda:1"; the caller frees. */
static char *list_gpus(const struct inventory *i)
{
    const struct inventory_device *d = NULL;
    char *all = xstrdup("");

    while ((d = inventory_each(i, d))) {
        char *longer = xasprintf("%s%s%s", all, *all ? ", " : "", d->survey.id);
        free(all);
        all = longer;
    }
    return all;
}

/* It names a GPU that nobody has ever seen here. */
static int check_device(const struct daemon *d, const struct job *job,
                        struct error *e)
{
    const struct inventory *i = d->inventory;

    if (!job->device || !inventory_is_settled(i) ||
        inventory_find(i, job->device))
        return 0;
    char *gpus = list_gpus(i);
    (void)error_set_field(e, -ENODEV, "device", "there is no '%s'%s%s",
                          job->device, *gpus ? ", but " : "",
                          *gpus ? gpus : ", and no other GPU");
    free(gpus);
    return -ENODEV;
}

int submit_read(const struct daemon *d, const struct call *call,
                const struct json_t *document, enum submit_files files,
                struct job *ret, struct error *e)
{
    json_t *merged;
    struct job job;

    if (!json_is_object(document))
        return error_set_field(e, -EINVAL, "", "a job is a JSON object");
    int r = check_size(document, e);
    if (r == 0)
        r = profiles_apply(d->profiles, document, &merged, e);
    if (r < 0)
        return r;
    r = job_from_json(&job, merged, e);
    json_decref(merged);
    if (r < 0)
        return r;

    if (files == SUBMIT_BY_ROOTS)
        r = access_check_paths(&d->rules, &call->peer, &job, e);
    if (r == 0)
        r = check_hardware(d, &job, e);
    if (r == 0)
        r = check_device(d, &job, e);
    if (r < 0) {
        job_fini(&job);
        return r;
    }
    *ret = job;
    return 0;
}

/* A detached job on its way into the store. */
struct submission {
    struct list link;      // dispatcher.submissions
    struct daemon *daemon; // not owned
    struct call *call;     // owned
    struct store_job row;
};

/* All that have not ended, those that are not even stored yet too. */
static bool has_all_that_it_may(const struct daemon *d, uid_t uid)
{
    size_t count = backlog_jobs_of(d->dispatcher->backlog, uid);

    list_foreach (link, next, &d->dispatcher->submissions)
        count += list_entry(link, struct submission, link)->row.uid == uid;
    return (int64_t)count >= d->configuration.limits.jobs_per_uid;
}

/* Room and neighbours. Answers @call and returns false when it cannot be now.
 */
static bool has_room(struct daemon *d, struct call *call, const struct job *job)
{
    int64_t limit;
    size_t output;

    // a key may name a job that is there: then nothing new is asked for
    if (!job->key && has_all_that_it_may(d, call->peer.uid)) {
        reply_too_many(call, d->configuration.limits.jobs_per_uid);
        return false;
    }
    if (job->priority == JOB_REALTIME &&
        !dispatcher_has_room(d->dispatcher, call->peer.uid, &limit)) {
        reply_too_many(call, limit);
        return false;
    }
    int64_t writer =
        dispatcher_writer_of(d->dispatcher, job, call->peer.uid, &output);
    if (writer) {
        char field[48];
        struct error e = {0};
        (void)snprintf(field, sizeof(field), "outputs[%zu].path", output);
        error_set_field(&e, -EBUSY, field, "job %lld is writing to it",
                        (long long)writer);
        reply_invalid_job(call, &e);
        return false;
    }
    return true;
}

static void follow_on(struct submission *s, const struct backlog_job *row)
{
    struct call *call = s->call;

    dispatcher_accept(s->daemon->dispatcher, row, call);
    followers_add(s->daemon->followers, call, row->job.id, NULL, NULL);
}

/* @id is durable; @result 1: it was there already. */
static void welcome(struct submission *s, int result, int64_t id)
{
    s->row.id = id;
    if (result == 0)
        dispatcher_add(s->daemon->dispatcher, &s->row);

    const struct backlog_job *row = dispatcher_find(s->daemon->dispatcher, id);
    if (s->call->message.more && row)
        follow_on(s, row);
    else // without `more`, or it has ended long ago
        call_reply(s->call, json_pack("{s:I}", "id", (json_int_t)id));
}

static void on_added(void *user, int result, int64_t id, const struct error *e)
{
    struct submission *s = user;

    list_remove(&s->link);
    if (result >= 0) {
        welcome(s, result, id);
    } else if (result == -EEXIST) {
        struct error why = {0};
        error_set_field(&why, result, "key",
                        "it was used for another job already");
        reply_invalid_job(s->call, &why);
    } else if (result == -EDQUOT) {
        reply_too_many(s->call, s->daemon->configuration.limits.jobs_per_uid);
    } else {
        reply_unavailable(s->call, e);
    }
    free(s);
}

static char *to_text(const struct job *job)
{
    json_t *json = job_to_json(job);
    char *text = json_dumps(json, JSON_COMPACT);

    json_decref(json);
    return text;
}

static void submit_detached(struct daemon *d, struct call *call,
                            struct job *job)
{
    struct submission *s = xcalloc(1, sizeof(*s));
    char *text = to_text(job);

    s->daemon = d;
    s->call = call;
    s->row = (struct store_job){
        .uid = call->peer.uid,
        .state = STATE_QUEUED,
        .priority = job->priority,
        .hardware = job->hardware,
        .created = clock_wall(),
    };
    const struct store_new new = {
        .uid = s->row.uid,
        .priority = job->priority,
        .hardware = job->hardware,
        .key = job->key,
        .document = text,
        .created = s->row.created,
        .is_full = has_all_that_it_may(d, s->row.uid),
    };
    list_append(&d->dispatcher->submissions, &s->link);
    store_add(d->store, &new, on_added, s);
    free(text);
    job_fini(job);
}

static void submit_attached(struct daemon *d, struct call *call,
                            struct job *job)
{
    char *text = to_text(job);
    int channel = call->fd_count ? fd_take(&call->fds[0]) : -1;

    call->fd_count = 0;
    dispatcher_attach(d->dispatcher, job, text, channel, call);
    free(text);
}

/* What a detached job may not want. */
static int check_detached(const struct call *call, const struct job *job,
                          struct error *e)
{
    if (call->fd_count > 0)
        return error_set_field(e, -EINVAL, "",
                               "a detached job outlives its client's file "
                               "channel");
    if (job->delivery == JOB_GROWING)
        return error_set_field(e, -EINVAL, "delivery",
                               "'growing' is for attached jobs only");
    return 0;
}

static int check_attached(const struct job *job, struct error *e)
{
    if (job->key)
        return error_set_field(e, -EINVAL, "key",
                               "only detached jobs have one");
    return 0;
}

void submit_job(struct daemon *d, struct call *call)
{
    const json_t *document;
    struct error e = {0};
    struct job job;
    bool detach;

    if (!submit_document(call, &document) ||
        !parameter_bool(call, "detach", &detach))
        return;
    if (d->phase != DAEMON_SERVING) {
        reply_shutting_down(call);
        return;
    }
    if (!detach && !call->message.more) {
        call_fail(call, INTERFACE_EXPECTED_MORE, NULL);
        return;
    }
    int r = submit_read(d, call, document,
                        call->fd_count ? SUBMIT_BY_CHANNEL : SUBMIT_BY_ROOTS,
                        &job, &e);
    if (r < 0) {
        reply_invalid_job(call, &e);
        return;
    }
    r = detach ? check_detached(call, &job, &e) : check_attached(&job, &e);
    if (r < 0) {
        job_fini(&job);
        reply_invalid_job(call, &e);
    } else if (!has_room(d, call, &job)) {
        job_fini(&job);
    } else if (detach) {
        submit_detached(d, call, &job);
    } else {
        submit_attached(d, call, &job);
    }
}
