#include "attempt.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/memory.h"
#include "child.h"
#include "evidence.h"
#include "inventory.h"
#include "model/order.h"
#include "opener.h"
#include "warm.h"
#include "words.h"

#define WAITS_MOST 5 // of stop_grace each

struct attempt {
    struct child *worker; // owned
    struct child *opener; // owned; NULL: the client opens, or it has exited
    uv_timer_t silence;   // nothing was heard for too long
    int64_t due;          // monotonic µs when that is, 0: never
    int waits;            // for the death of what was killed
    uv_timer_t deadline;  // the job's own time limit
    int handles;          // that are not closed yet
    enum task_state state;
    struct evidence evidence;    // of how it ends
    const struct limits *limits; // not owned
    bool has_opener;             // of ours, now or before it exited
    bool has_spoken;
    bool was_ready;
    bool was_given_up;
    int64_t timeout;    // µs, 0: none
    uint64_t time_left; // ms of it, while paused
    struct words words; // what it may say
    const struct attempt_ops *ops;
    void *user;
};

static void happen(struct attempt *a, enum task_event event,
                   struct event *said);
static void press_opener(struct attempt *a);

static enum task_voice voice_of(const struct attempt *a)
{
    return a->was_ready    ? TASK_WAS_READY
           : a->has_spoken ? TASK_HEARD
                           : TASK_UNHEARD;
}

/* A process that waits for hardware or a dead file server may outlive SIGKILL
 * for as long as it likes. */
static bool is_hopeless(struct attempt *a, const struct child *c)
{
    return child_is_killed(c) && ++a->waits > WAITS_MOST;
}

static void on_silence(uv_timer_t *timer)
{
    struct attempt *a = timer->data;

    a->due = 0; // somebody deals with it
    if (a->state == TASK_DONE)
        press_opener(a);
    else if (is_hopeless(a, a->worker))
        happen(a, TASK_GIVE_UP, NULL);
    else
        happen(a, TASK_TIMER, NULL);
}

static void listen_for(struct attempt *a)
{
    int64_t us = task_patience(a->state, voice_of(a), a->limits);

    a->due = us ? clock_now() + us : 0;
    if (us == 0)
        (void)uv_timer_stop(&a->silence);
    else
        (void)uv_timer_start(&a->silence, on_silence,
                             (uint64_t)(us / MILLISECOND), 0);
}

int64_t attempt_due(const struct attempt *a)
{
    return a->due;
}

static void order(struct attempt *a, const struct order *what, const int *fds,
                  size_t fd_count)
{
    json_t *document = order_to_json(what);

    // a worker that cannot hear is noticed by its silence or its hang-up
    (void)child_send(a->worker, document, fds, fd_count);
    json_decref(document);
}

static void send_plain(struct attempt *a, enum order_kind kind)
{
    order(a, &(struct order){.kind = kind}, NULL, 0);
}

/* All processes are gone: tell the owner how it was. */
static void settle(struct attempt *a)
{
    const struct evidence *v = &a->evidence;
    char *text;
    enum outcome outcome = evidence_judge(v, &text);
    json_t *log = child_log_to_json(a->worker);

    (void)uv_timer_stop(&a->silence);
    a->due = 0;
    (void)uv_timer_stop(&a->deadline);
    const struct attempt_result result = {
        .outcome = outcome,
        .reason = v->reason,
        .was_ready = a->was_ready,
        .was_given_up = a->was_given_up,
        .text = text,
        .said = v->has_said ? &v->last.outcome : NULL,
        .log = log,
    };
    a->ops->ended(a->user, &result);
    free(text);
    json_decref(log);
}

/* The worker is gone, and its opener does not follow. */
static void press_opener(struct attempt *a)
{
    if (!is_hopeless(a, a->opener)) {
        child_kill(a->opener);
        listen_for(a);
        return;
    }
    child_give_up(a->opener);
    child_destroy(a->opener);
    a->opener = NULL;
    settle(a);
}

static void give_up(struct attempt *a)
{
    child_give_up(a->worker);
    evidence_complain(
        &a->evidence,
        "it hangs in the kernel, and does not die when it is killed");
    a->was_given_up = true;
    a->waits = 0; // its opener may still be killed
}

static void on_deadline(uv_timer_t *timer)
{
    attempt_stop(timer->data, TASK_TIMED_OUT);
}

static void start_deadline(struct attempt *a, uint64_t ms)
{
    if (a->timeout)
        (void)uv_timer_start(&a->deadline, on_deadline, ms, 0);
}

static void keep_outcome(struct attempt *a, struct event *said)
{
    // whoever opened its files has hung up, and it was the first to notice
    if (said->outcome.outcome == OUTCOME_INTERRUPTED)
        evidence_blame(&a->evidence,
                       a->has_opener ? TASK_OPENER_DIED : TASK_CLIENT_GONE);
    evidence_keep(&a->evidence, said);
}

/* What no worker may do. */
static void reject(struct attempt *a, const char *text)
{
    evidence_complain(&a->evidence, text);
    evidence_blame(&a->evidence, TASK_MISBEHAVED);
    happen(a, TASK_BROKEN, NULL);
}

/* A worker's word that does not fit now. */
static void refuse(struct attempt *a, const struct event *said)
{
    if (!said)
        return; // our own wish: whoever asked was told
    char text[64];
    (void)snprintf(text, sizeof(text), "'%s' at the wrong time",
                   event_kind_name(said->kind));
    reject(a, text);
}

static void press(struct attempt *a)
{
    // neither a word nor an exit: that is no way to end
    if (!a->evidence.has_said)
        evidence_blame(&a->evidence, TASK_MISBEHAVED);
    child_press(a->worker);
}

static void happen(struct attempt *a, enum task_event event, struct event *said)
{
    enum task_state before = a->state;

    switch (task_next(&a->state, event)) {
    case TASK_REFUSE:
        refuse(a, said);
        return;
    case TASK_IGNORE:
    case TASK_SEND_GRANT: // attempt_grant() has it
        break;
    case TASK_ASK_GRANT:
        listen_for(a);
        a->ops->needs(a->user, &said->need);
        return;
    case TASK_ANNOUNCE:
        a->was_ready = true;
        a->ops->told(a->user, said);
        break;
    case TASK_NOTE:
        a->was_ready = true;
        break;
    case TASK_RELAY:
        a->ops->told(a->user, said);
        break;
    case TASK_KEEP:
        keep_outcome(a, said);
        break;
    case TASK_SEND_PAUSE:
        a->time_left = uv_timer_get_due_in(&a->deadline);
        (void)uv_timer_stop(&a->deadline);
        send_plain(a, ORDER_PAUSE);
        break;
    case TASK_SEND_RESUME:
        start_deadline(a, a->time_left);
        send_plain(a, ORDER_RESUME);
        break;
    case TASK_STALL:
        evidence_blame(&a->evidence, TASK_STALLED);
        child_press(a->worker);
        break;
    case TASK_PRESS:
        press(a);
        break;
    case TASK_DESTROY:
        child_kill(a->worker);
        break;
    case TASK_ABANDON:
        give_up(a);
        // fall through
    case TASK_SETTLE:
        child_kill(a->worker); // if it is not gone yet
        if (!a->opener) {
            settle(a);
            return;
        }
        break; // it cleans up, and exits when the channel is hung up
    }
    // the ladder's pauses are not prolonged by chatter
    if (a->state != before || a->state < TASK_ENDING || event == TASK_TIMER)
        listen_for(a);
}

static void on_said(void *user, const char *text, size_t size)
{
    struct attempt *a = user;
    struct error e = {0};
    struct event ev;

    a->has_spoken = true;
    if (words_read(&a->words, text, size, &ev, &e) < 0) {
        reject(a, e.text);
        return;
    }
    enum task_event event = task_hear(&ev, voice_of(a));
    if (ev.kind == EVENT_SANDBOX)
        ; // warm notes what the one before it or after it says
    else if (event == TASK_BROKEN)
        refuse(a, &ev);
    else
        happen(a, event, &ev);
    event_fini(&ev);
}

static void on_hung_up(void *user, const struct error *e)
{
    struct attempt *a = user;

    if (e->code) { // it broke a limit, or the socket did
        reject(a, e->text);
        return;
    }
    happen(a, TASK_HUNG_UP, NULL);
}

static void on_exited(void *user, struct task_exit exit)
{
    struct attempt *a = user;

    a->evidence.exit = exit;
    happen(a, TASK_EXITED, NULL);
}

static const struct child_ops worker_ops = {on_said, on_hung_up, on_exited};

static void complain_of_opener(struct attempt *a)
{
    json_t *lines = child_log_to_json(a->opener);
    size_t count = json_array_size(lines);

    if (count)
        evidence_complain(&a->evidence,
                          json_string_value(json_array_get(lines, count - 1)));
    json_decref(lines);
}

static void on_opener_exited(void *user, struct task_exit exit)
{
    struct attempt *a = user;

    // it ends well when the worker has let go of the channel
    if ((exit.signal || exit.status) && !a->evidence.has_said &&
        a->evidence.reason == TASK_NO_REASON) {
        complain_of_opener(a);
        evidence_blame(&a->evidence, TASK_OPENER_DIED);
    }
    child_destroy(a->opener);
    a->opener = NULL;
    if (a->state == TASK_DONE)
        settle(a);
    else if (a->evidence.reason == TASK_OPENER_DIED)
        happen(a, TASK_STOP, NULL);
}

static const struct child_ops opener_ops = {.exited = on_opener_exited};

/* Starts transcoded-files; *@ret_channel is the worker's end of its channel. */
static int start_opener(struct attempt *a, const struct attempt_config *config,
                        int *ret_channel, struct error *e)
{
    json_t *document = json_deep_copy(config->rights);
    const struct opener_config opener = {
        .program = config->opener,
        .document = document,
        .log_lines = (size_t)config->limits->log_lines,
        .log = config->log,
    };

    json_object_set_new(document, "job", job_to_json(config->job));
    int r = opener_start(&a->opener, ret_channel, config->loop, &opener, e);
    json_decref(document);
    if (r < 0)
        return r;
    a->has_opener = true;
    child_attach(a->opener, &opener_ops, a);
    return 0;
}

static void send_job(struct attempt *a, const struct attempt_config *config,
                     int channel)
{
    struct order job = {
        .kind = ORDER_JOB,
        .job = {.id = config->id,
                .attempt = config->number,
                .plan_only = config->purpose == ATTEMPT_PLAN,
                .probe_size = config->limits->probe_size,
                .job = *config->job}, // lent to order_to_json
    };

    if (config->job->hardware != JOB_HARDWARE_NONE)
        inventory_copy_surveys(config->inventory, config->job->device,
                               &job.job.devices, &job.job.device_count);
    order(a, &job, &channel, 1);
    for (size_t i = 0; i < job.job.device_count; i++)
        survey_device_fini(&job.job.devices[i]);
    free(job.job.devices);
}

int attempt_start(struct attempt **ret, const struct attempt_config *config,
                  const struct attempt_ops *ops, void *user, struct error *e)
{
    struct attempt *a = xcalloc(1, sizeof(*a));
    int channel = config->channel;

    a->silence.data = a->deadline.data = a;
    a->handles = 2;
    (void)uv_timer_init(config->loop, &a->silence);
    (void)uv_timer_init(config->loop, &a->deadline);
    a->limits = config->limits;
    a->timeout = config->job->timeout;
    words_init(&a->words);
    a->ops = ops;
    a->user = user;

    int r = warm_take(config->warm, &a->worker, e);
    if (r == 0 && channel < 0)
        r = start_opener(a, config, &channel, e);
    if (r < 0) {
        attempt_destroy(a);
        return r;
    }
    child_attach(a->worker, &worker_ops, a);
    child_name(a->worker, config->log);
    if (config->job->priority == JOB_BATCH)
        child_lower_priority(a->worker);
    send_job(a, config, channel);
    if (config->channel < 0)
        fd_close(&channel);
    listen_for(a);
    *ret = a;
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct attempt *a = handle->data;

    if (--a->handles)
        return;
    evidence_fini(&a->evidence);
    free(a);
}

void attempt_destroy(struct attempt *a)
{
    if (!a)
        return;
    child_destroy(a->worker);
    child_destroy(a->opener);
    uv_close((uv_handle_t *)&a->silence, on_closed);
    uv_close((uv_handle_t *)&a->deadline, on_closed);
}

void attempt_grant(struct attempt *a, const struct grant *grant)
{
    // said before the event, which starts the clock for the answer
    if (a->state == TASK_WAITING) {
        order(a, &(struct order){.kind = ORDER_GRANT, .grant = *grant}, NULL,
              0);
        start_deadline(a, (uint64_t)(a->timeout / MILLISECOND));
    }
    happen(a, TASK_GRANT, NULL);
}

bool attempt_is_waiting(const struct attempt *a)
{
    return a->state == TASK_WAITING;
}

int attempt_pid(const struct attempt *a)
{
    return child_pid(a->worker);
}

int attempt_pause(struct attempt *a)
{
    if (a->state != TASK_RUNNING)
        return -EBUSY;
    happen(a, TASK_PAUSE, NULL);
    return 0;
}

int attempt_resume(struct attempt *a)
{
    if (a->state != TASK_PAUSED)
        return -EBUSY;
    happen(a, TASK_RESUME, NULL);
    return 0;
}

void attempt_stop(struct attempt *a, enum task_reason reason)
{
    evidence_blame(&a->evidence, reason);
    happen(a, TASK_STOP, NULL);
}

void attempt_kill(struct attempt *a, enum task_reason reason)
{
    evidence_blame(&a->evidence, reason);
    happen(a, TASK_KILL, NULL);
}
