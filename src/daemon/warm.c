#include "warm.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "child.h"
#include "command.h"
#include "model/configuration.h"
#include "model/document.h"
#include "model/event.h"
#include "model/limits.h"

#define HEAD_START_MS   150 // of a job: loading a program would slow a short one
#define PAUSE_FIRST_MS  250
#define PAUSE_MOST_MS   30000
#define WARMING_MOST_MS 60000
#define SETTLED         (10 * SECOND) // it lived so long: nothing is wrong

/* Those that are started for a job, with nothing done, with the driver started,
 * or with a context tried, too; and those that stand ready. */
enum kind { COLD, STARTED, OPENED, AHEAD, KIND_COUNT };

struct warm {
    uv_loop_t *loop;
    uv_timer_t timer; // until the next one is started, or must be ready
    const struct cgroup *group;                // not owned
    const struct configuration *configuration; // not owned
    char *device;                              // owned
    char *uuid;                                // owned; NULL: the CPU's
    struct warm_ops ops;                       // of a GPU's
    void *user;
    struct command commands[KIND_COUNT];
    size_t log_lines;
    bool needs_sandbox;   // all of it, or there will be no job
    struct child *ready;  // owned, or NULL
    bool has_spoken;      // it has: what was to be done ahead is done
    bool is_dismissed;    // it is dying, as it was told to
    bool is_doubted;      // the driver let the last one down
    struct event sandbox; // what the last one said of it, if any did
    int64_t since;        // monotonic µs that it stands ready
    uint64_t pause;       // ms, 0: all is well
};

/* Consumes what @said holds. Once for each thing that is missing. */
static void note_sandbox(struct warm *w, struct event *said)
{
    const char *missing = said->sandbox.missing;
    const char *before =
        w->sandbox.kind == EVENT_SANDBOX ? w->sandbox.sandbox.missing : NULL;

    if (missing && (!before || strcmp(missing, before) != 0)) {
        if (w->needs_sandbox)
            log_error(NULL, "no job can be done: %s", missing);
        else
            log_warning(NULL, "workers are less confined: %s", missing);
    }
    event_fini(&w->sandbox);
    w->sandbox = *said;
}

/* It has no job to speak of, only of itself. */
static void on_said(void *user, const char *text, size_t size)
{
    struct warm *w = user;
    json_t *json = NULL;
    struct event said;

    int r = document_parse(&json, text, size, LIMITS_MESSAGE, NULL);
    if (r == 0)
        r = event_from_json(&said, json, NULL);
    json_decref(json);
    if (r < 0)
        return; // with a job it would be a fault
    if (said.kind != EVENT_SANDBOX) {
        event_fini(&said);
        return;
    }
    w->has_spoken = true;
    w->is_doubted = false;
    (void)uv_timer_stop(&w->timer);
    note_sandbox(w, &said);
}

static void on_hung_up(void *user, const struct error *e)
{
    struct warm *w = user;

    (void)e;
    child_kill(w->ready); // it cannot be given a job any more
}

static void on_exited(void *user, struct task_exit exit);

static const struct child_ops ops = {on_said, on_hung_up, on_exited};

static void start(struct warm *w);

static void on_timer(uv_timer_t *timer)
{
    struct warm *w = timer->data;

    if (!w->ready) {
        start(w);
        return;
    }
    log_warning(NULL, "a worker on %s was not ready in time", w->device);
    w->is_doubted = true;
    child_kill(w->ready);
}

static void start_later(struct warm *w, uint64_t ms)
{
    (void)uv_timer_start(&w->timer, on_timer, ms, 0);
}

static bool may_stand(const struct warm *w)
{
    return !w->ops.may_stand || w->ops.may_stand(w->user);
}

static void tell_pid(const struct warm *w, int pid)
{
    if (w->ops.stands)
        w->ops.stands(w->user, pid);
}

static void lengthen_pause(struct warm *w)
{
    w->pause = w->pause ? 2 * w->pause : PAUSE_FIRST_MS;
    if (w->pause > PAUSE_MOST_MS)
        w->pause = PAUSE_MOST_MS;
}

static int spawn(struct warm *w, enum kind kind, struct child **ret,
                 struct error *e)
{
    const struct child_config config = {
        .program = w->commands[kind].program,
        .arguments = (const char *const *)w->commands[kind].arguments,
        .input = -1,
        .output = CHILD_LOG,
        .channel = -1,
        .log_lines = w->log_lines,
        .group = w->group,
    };
    return child_spawn(ret, w->loop, &config, NULL, e);
}

static void start(struct warm *w)
{
    struct error e = {0};

    if (w->ready || !may_stand(w))
        return;
    w->has_spoken = w->is_dismissed = false;
    if (spawn(w, AHEAD, &w->ready, &e) < 0) {
        if (w->pause < PAUSE_MOST_MS) // it is in the log often enough
            log_error(NULL, "no worker stands ready: %s", e.text);
        lengthen_pause(w);
        start_later(w, w->pause);
        return;
    }
    w->since = clock_now();
    child_attach(w->ready, &ops, w);
    if (w->uuid)
        start_later(w, WARMING_MOST_MS);
    tell_pid(w, child_pid(w->ready));
}

static void report(const struct warm *w, struct task_exit exit)
{
    json_t *lines = child_log_to_json(w->ready);
    size_t count = json_array_size(lines);
    const char *last =
        count ? json_string_value(json_array_get(lines, count - 1)) : "";

    log_warning(NULL, "a worker without a job died: status=%d signal=%d %s",
                exit.status, exit.signal, last);
    json_decref(lines);
}

/* It stands there no longer, whyever. */
static void forget(struct warm *w)
{
    w->ready = NULL;
    (void)uv_timer_stop(&w->timer);
    tell_pid(w, 0);
}

static void on_exited(void *user, struct task_exit exit)
{
    struct warm *w = user;

    if (!w->is_dismissed)
        report(w, exit);
    w->is_doubted |= !w->is_dismissed && !w->has_spoken;
    child_destroy(w->ready);
    forget(w);
    if (w->is_dismissed)
        return;
    if (clock_now() - w->since > SETTLED)
        w->pause = 0;
    lengthen_pause(w);
    start_later(w, w->pause);
}

/* Did that change anything? */
static bool take_over(struct warm *w)
{
    // those that are started for their jobs may be granted another card
    const char *any = w->uuid ? "cuda" : w->device;
    const struct {
        const char *device;
        enum command_ahead ahead;
    } kinds[KIND_COUNT] = {
        [COLD] = {any, COMMAND_NOTHING},
        [STARTED] = {any, w->uuid ? COMMAND_DRIVER : COMMAND_NOTHING},
        [OPENED] = {any, w->uuid ? COMMAND_OPEN : COMMAND_NOTHING},
        [AHEAD] = {w->device, w->uuid ? COMMAND_WARM : COMMAND_NOTHING},
    };
    bool is_new = false;

    for (int i = 0; i < KIND_COUNT; i++) {
        struct command command;
        command_init(&command, w->configuration, kinds[i].device,
                     kinds[i].ahead, w->uuid);
        is_new |= !command_is_same(&w->commands[i], &command);
        command_fini(&w->commands[i]);
        w->commands[i] = command;
    }
    w->log_lines = (size_t)w->configuration->limits.log_lines;
    return is_new;
}

static void expect_sandbox(struct warm *w)
{
    enum configuration_sandbox sandbox = w->configuration->sandbox;

    w->needs_sandbox = sandbox == CONFIGURATION_SANDBOX_REQUIRED;
    event_fini(&w->sandbox);
    if (sandbox == CONFIGURATION_SANDBOX_OFF && !w->uuid)
        log_warning(NULL, "workers are not confined: the sandbox is off");
}

struct warm *warm_create(uv_loop_t *loop, const struct warm_config *config,
                         const struct warm_ops *ops_of_gpu, void *user)
{
    struct warm *w = xcalloc(1, sizeof(*w));

    w->loop = loop;
    w->group = config->group;
    w->configuration = config->configuration;
    w->device = xstrdup(config->device);
    w->uuid = xstrdup(config->uuid);
    if (ops_of_gpu)
        w->ops = *ops_of_gpu;
    w->user = user;
    (void)take_over(w);
    expect_sandbox(w);
    w->timer.data = w;
    (void)uv_timer_init(loop, &w->timer);
    start_later(w, w->pause);
    return w;
}

static void on_closed(uv_handle_t *handle)
{
    struct warm *w = handle->data;

    for (int i = 0; i < KIND_COUNT; i++)
        command_fini(&w->commands[i]);
    event_fini(&w->sandbox);
    free(w->device);
    free(w->uuid);
    free(w);
}

void warm_destroy(struct warm *w)
{
    if (!w)
        return;
    child_destroy(w->ready);
    w->ready = NULL;
    uv_close((uv_handle_t *)&w->timer, on_closed);
}

void warm_configure(struct warm *w)
{
    if (!take_over(w))
        return;
    expect_sandbox(w);
    if (w->ready) {
        child_destroy(w->ready);
        forget(w);
    }
    w->pause = 0;
    start_later(w, w->pause);
}

void warm_refresh(struct warm *w)
{
    bool may = may_stand(w);

    if (w->ready && !may)
        (void)warm_dismiss(w);
    else if (!w->ready && may && !uv_is_active((uv_handle_t *)&w->timer))
        start_later(w, 0);
}

bool warm_dismiss(struct warm *w)
{
    if (!w->ready)
        return false;
    w->is_dismissed = true;
    child_kill(w->ready);
    return true;
}

bool warm_is_ready(const struct warm *w)
{
    return w->ready && !w->is_dismissed && (w->has_spoken || !w->uuid);
}

const struct event_sandbox *warm_sandbox(const struct warm *w)
{
    return w->sandbox.kind == EVENT_SANDBOX ? &w->sandbox.sandbox : NULL;
}

/* A job whose worker hangs before it has said what it needs cannot go to the
 * CPU: only a driver that answers is started ahead of that. */
static enum kind fresh_kind(const struct warm *w)
{
    int64_t usual = w->configuration->limits.start_timeout / 2;
    bool is_slow = w->ready && !w->has_spoken && !w->is_dismissed &&
                   clock_now() - w->since > usual;
    bool is_well = w->uuid && w->ops.is_well(w->user);

    if (!is_well || is_slow || w->is_doubted)
        return COLD;
    return may_stand(w) ? OPENED : STARTED;
}

int warm_take(struct warm *w, struct child **ret, struct error *e)
{
    if (!warm_is_ready(w))
        return spawn(w, fresh_kind(w), ret, e);
    *ret = w->ready;
    forget(w);
    w->pause = 0;
    start_later(w, HEAD_START_MS);
    return 0;
}
