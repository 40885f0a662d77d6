#include "dispatcher.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "connection.h"
#include "daemon.h"
#include "followers.h"
#include "lending.h"
#include "methods.h"
#include "run.h"
#include "story.h"
#include "wish.h"
#include "work.h"

#define BREATH_FIRST_MS 500
#define BREATH_MOST_MS  30000
#define STORE_AGAIN_MS  1000

static struct work *work_of(struct list *link)
{
    return list_entry(link, struct work, link);
}

/* A daemon that dies with the same job again and again does not start it for
 * ever. */
static void bury(struct dispatcher *j, const struct store_job *job)
{
    struct store_job ended = *job;
    struct story story;

    story_init(&story, job->id);
    story_set_outcome(&story, OUTCOME_INTERRUPTED);
    log_warning(&story.log, "interrupted too often");
    ended.state = STATE_FAILED;
    store_update(j->daemon->store, &ended, OUTCOME_INTERRUPTED, NULL, NULL);
}

static int recover(struct dispatcher *j, struct error *e)
{
    const struct limits *limits = &j->daemon->configuration.limits;
    struct store_job *rows;
    size_t count;

    int r = store_load(j->daemon->store, &rows, &count, e);
    if (r < 0)
        return r;
    for (size_t i = 0; i < count; i++) {
        if (rows[i].interruptions > limits->interruptions)
            bury(j, &rows[i]);
        else
            (void)backlog_add(j->backlog, &rows[i]);
    }
    free(rows);
    return 0;
}

static void on_sight(uv_timer_t *timer)
{
    log_info(NULL, "not waiting for the survey of the GPUs any longer");
    dispatcher_surveyed(timer->data);
}

/* For the first survey. */
static void await_survey(struct dispatcher *j)
{
    int64_t wait = j->daemon->configuration.limits.survey_wait;

    j->is_blind = wait > 0;
    if (j->is_blind)
        (void)uv_timer_start(&j->sight, on_sight,
                             (uint64_t)(wait / MILLISECOND), 0);
}

void dispatcher_surveyed(struct dispatcher *j)
{
    if (j->is_blind) {
        j->is_blind = false;
        (void)uv_timer_stop(&j->sight);
        planning_begin_all(j);
    }
    dispatcher_wake(j);
}

int dispatcher_open(struct dispatcher **ret, struct daemon *d, struct error *e)
{
    struct dispatcher *j = xcalloc(1, sizeof(*j));

    j->daemon = d;
    j->backlog = backlog_create();
    list_init(&j->works);
    list_init(&j->submissions);
    list_init(&j->plannings);
    j->look.data = j;
    j->wake.data = j->breath.data = j->again.data = j->sight.data = j;
    j->handles = 5;
    (void)uv_idle_init(&d->loop, &j->wake);
    (void)uv_timer_init(&d->loop, &j->breath);
    (void)uv_timer_init(&d->loop, &j->again);
    (void)uv_timer_init(&d->loop, &j->sight);
    (void)uv_timer_init(&d->loop, &j->look);
    await_survey(j);
    int r = recover(j, e);
    if (r < 0) {
        dispatcher_close(j);
        return r;
    }
    dispatcher_wake(j);
    *ret = j;
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct dispatcher *j = handle->data;

    if (--j->handles == 0)
        free(j);
}

void dispatcher_close(struct dispatcher *j)
{
    if (!j)
        return;
    list_foreach (link, next, &j->works)
        work_destroy(work_of(link));
    list_foreach (link, next, &j->submissions)
        list_remove(link); // whoever still answers them finds no list
    backlog_destroy(j->backlog);
    j->backlog = NULL;
    uv_close((uv_handle_t *)&j->wake, on_closed);
    uv_close((uv_handle_t *)&j->breath, on_closed);
    uv_close((uv_handle_t *)&j->again, on_closed);
    uv_close((uv_handle_t *)&j->sight, on_closed);
    uv_close((uv_handle_t *)&j->look, on_closed);
}

struct backlog_job *dispatcher_find(const struct dispatcher *j, int64_t id)
{
    return backlog_find(j->backlog, id);
}

struct work *dispatcher_work(struct dispatcher *j, struct backlog_job *row)
{
    return row->work ? row->work : work_create(j, row);
}

static void log_accepted(const struct store_job *job)
{
    struct story story;

    story_init(&story, job->id);
    log_info(&story.log, "accepted %s uid=%u priority=%s",
             job->attached ? "attached" : "detached", job->uid,
             job_priority_name(job->priority));
}

void dispatcher_add(struct dispatcher *j, const struct store_job *row)
{
    struct backlog_job *added = backlog_add(j->backlog, row);

    log_accepted(row);
    dispatcher_tell_state(j, added);
    dispatcher_wake(j);
}

static void on_client_gone(void *user)
{
    wish_abandon(user);
}

json_t *dispatcher_state_event(const struct backlog_job *row)
{
    const struct event ev = {
        .job = row->job.id,
        .attempt = row->job.attempts,
        .time = clock_wall(),
        .kind = EVENT_STATE,
        .state = row->job.state,
    };
    return event_to_json(&ev);
}

void dispatcher_accept(struct dispatcher *j, const struct backlog_job *row,
                       struct call *call)
{
    (void)j;
    json_t *parameters = json_pack("{s:I, s:o}", "id", (json_int_t)row->job.id,
                                   "event", dispatcher_state_event(row));
    call_continue(call, parameters);
    json_decref(parameters);
}

void dispatcher_attach(struct dispatcher *j, struct job *job,
                       const char *document, int channel, struct call *call)
{
    struct store_job row = {
        .uid = call->peer.uid,
        .state = STATE_QUEUED,
        .priority = job->priority,
        .hardware = job->hardware,
        .attached = true,
        .created = clock_wall(),
    };

    const struct store_new new = {
        .uid = row.uid,
        .priority = row.priority,
        .hardware = row.hardware,
        .document = document,
        .created = row.created,
    };

    row.id = store_add_attached(j->daemon->store, &new);
    struct backlog_job *added = backlog_add(j->backlog, &row);
    log_accepted(&row);
    struct work *w = work_create(j, added);
    w->job = *job;
    w->has_job = true;
    w->channel = channel;
    dispatcher_tell_state(j, added);
    dispatcher_accept(j, added, call);
    dispatcher_wake(j);
    followers_add(j->daemon->followers, call, row.id, on_client_gone, w);
}

/* The first that waits for a grant behind @last, or NULL. */
static struct work *next_waiting(const struct dispatcher *j,
                                 const struct work *last, int64_t aged)
{
    struct work *best = NULL;

    list_foreach (link, next, &j->works) {
        struct work *w = work_of(link);
        if (w->is_waiting &&
            (!last || backlog_is_before(last->row, w->row, aged)) &&
            (!best || backlog_is_before(w->row, best->row, aged)))
            best = w;
    }
    return best;
}

/* Few wait: no sorted list is needed. */
static void grant_waiting(struct dispatcher *j, struct scheduler_view *view,
                          int64_t aged)
{
    struct work *w = NULL;

    while ((w = next_waiting(j, w, aged)))
        run_decide(w, view);
}

void dispatcher_view(struct dispatcher *j, struct scheduler_view *ret)
{
    ret->limits = &j->daemon->configuration.limits;
    ret->load = j->load;
    lending_view(j->daemon->lending, ret);
}

static void on_look(uv_timer_t *timer)
{
    dispatcher_wake(timer->data);
}

void dispatcher_look_at(struct dispatcher *j, int64_t time)
{
    int64_t wait = time - clock_now();
    uint64_t ms = wait > 0 ? (uint64_t)(wait / MILLISECOND) + 1 : 1;

    if (time && (!uv_is_active((uv_handle_t *)&j->look) ||
                 uv_timer_get_due_in(&j->look) > ms))
        (void)uv_timer_start(&j->look, on_look, ms, 0);
}

static void schedule(struct dispatcher *j)
{
    int64_t wall = clock_wall();
    struct scheduler_view view;

    if (j->stopping || j->is_blind)
        return;
    dispatcher_look_at(j, lending_tick(j->daemon->lending));
    dispatcher_view(j, &view);
    grant_waiting(j, &view, wall - view.limits->batch_age);
    while (!j->drained && !uv_is_active((uv_handle_t *)&j->breath)) {
        view.load = j->load;
        struct backlog_job *row = scheduler_next(&view, j->backlog, wall);
        if (!row)
            return;
        struct work *w = dispatcher_work(j, row);
        backlog_start(j->backlog, row);
        work_start(w);
    }
}

static void on_wake(uv_idle_t *idle)
{
    (void)uv_idle_stop(idle);
    schedule(idle->data);
}

void dispatcher_wake(struct dispatcher *j)
{
    if (!uv_is_closing((uv_handle_t *)&j->wake))
        (void)uv_idle_start(&j->wake, on_wake);
}

static void on_breath(uv_timer_t *timer)
{
    dispatcher_wake(timer->data);
}

void dispatcher_hold_breath(struct dispatcher *j, const char *why)
{
    j->pause = j->pause ? 2 * j->pause : BREATH_FIRST_MS;
    if (j->pause > BREATH_MOST_MS)
        j->pause = BREATH_MOST_MS;
    log_error(NULL, "cannot start jobs: %s; trying again in %.1f s", why,
              (double)j->pause / 1000);
    (void)uv_timer_start(&j->breath, on_breath, j->pause, 0);
}

static void on_again(uv_timer_t *timer)
{
    const struct dispatcher *j = timer->data;

    list_foreach (link, next, &j->works) {
        if (work_of(link)->is_unstored)
            work_store_end(work_of(link));
    }
}

void dispatcher_store_later(struct dispatcher *j)
{
    (void)uv_timer_start(&j->again, on_again, STORE_AGAIN_MS, 0);
}

void dispatcher_breathe(struct dispatcher *j)
{
    j->pause = 0;
}

bool dispatcher_has_room(struct dispatcher *j, uid_t uid, int64_t *ret_limit)
{
    schedule(j); // or those who wait for the loop's turn would not be counted
    size_t own = backlog_attempts_of(j->backlog, uid) + planning_count(j, uid);
    return scheduler_has_room(&j->load, &j->daemon->configuration.limits,
                              (int64_t)own, ret_limit);
}

static bool writes_to(const struct work *w, const char *path)
{
    for (size_t i = 0; i < w->job.output_count; i++) {
        if (strcmp(w->job.outputs[i].path, path) == 0)
            return true;
    }
    return false;
}

/* May @job of @uid name the outputs of @w all the same? */
static bool may_share(const struct work *w, const struct job *job, uid_t uid)
{
    if (w->row->job.uid != uid)
        return false;
    // its successor: a client that seeks hangs up and asks anew; or perhaps it
    // is the same job once more, which the store will know by its key
    return w->lost_client ||
           (job->key && w->job.key && strcmp(job->key, w->job.key) == 0);
}

int64_t dispatcher_writer_of(const struct dispatcher *j, const struct job *job,
                             uid_t uid, size_t *ret_output)
{
    list_foreach (link, next, &j->works) {
        const struct work *w = work_of(link);
        if (!w->attempt || may_share(w, job, uid))
            continue;
        for (size_t i = 0; i < job->output_count; i++) {
            if (writes_to(w, job->outputs[i].path)) {
                *ret_output = i;
                return w->row->job.id;
            }
        }
    }
    return 0;
}

void dispatcher_drain(struct dispatcher *j)
{
    j->drained = true;
}

void dispatcher_undrain(struct dispatcher *j)
{
    j->drained = false;
    dispatcher_wake(j);
}

/* Can it end by itself while we wait? */
static bool is_under_way(const struct work *w)
{
    return w->phase == WORK_RUNNING && w->row->job.state == STATE_RUNNING;
}

void dispatcher_stop(struct dispatcher *j)
{
    j->stopping = true;
    list_foreach (link, next, &j->works) {
        if (!is_under_way(work_of(link)))
            wish_interrupt(work_of(link));
    }
    planning_interrupt_all(j);
    dispatcher_check_settled(j);
}

void dispatcher_interrupt(struct dispatcher *j)
{
    planning_interrupt_all(j);
    list_foreach (link, next, &j->works)
        wish_interrupt(work_of(link));
}

void dispatcher_check_settled(struct dispatcher *j)
{
    if (!j->stopping || !list_empty(&j->plannings))
        return;
    list_foreach (link, next, &j->works) {
        if (work_of(link)->phase != WORK_QUEUED)
            return;
    }
    daemon_settled(j->daemon);
}

void dispatcher_tell(struct dispatcher *j, const struct backlog_job *row,
                     struct event *ev)
{
    ev->job = row->job.id;
    ev->attempt = row->job.attempts;
    ev->time = clock_wall();
    json_t *json = event_to_json(ev);
    followers_tell(j->daemon->followers, row->job.uid, row->job.id, ev->kind,
                   json);
    json_decref(json);
}

void dispatcher_tell_state(struct dispatcher *j, const struct backlog_job *row)
{
    json_t *json = dispatcher_state_event(row);

    followers_tell(j->daemon->followers, row->job.uid, row->job.id, EVENT_STATE,
                   json);
    json_decref(json);
}
