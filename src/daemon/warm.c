#include "warm.h"

#include <errno.h>
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
#include "model/event.h"

#define HEAD_START_MS  150 // of a job: loading a program would slow a short one
#define PAUSE_FIRST_MS 250
#define PAUSE_MOST_MS  30000
#define SETTLED        (10 * SECOND) // it lived so long: nothing is wrong

struct warm {
    uv_loop_t *loop;
    uv_timer_t timer;           // until the next one is started
    const struct cgroup *group; // not owned
    struct command commands[WARM_KIND_COUNT];
    size_t log_lines;
    bool needs_sandbox;   // all of it, or there will be no job
    struct child *ready;  // owned, or NULL
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
    json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    struct event said;
    struct error e;

    int r = json ? event_from_json(&said, json, &e) : -EINVAL;
    json_decref(json);
    if (r < 0)
        return; // with a job it would be a fault
    if (said.kind == EVENT_SANDBOX)
        note_sandbox(user, &said);
    else
        event_fini(&said);
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
    start(timer->data);
}

static void start_later(struct warm *w, uint64_t ms)
{
    (void)uv_timer_start(&w->timer, on_timer, ms, 0);
}

static void lengthen_pause(struct warm *w)
{
    w->pause = w->pause ? 2 * w->pause : PAUSE_FIRST_MS;
    if (w->pause > PAUSE_MOST_MS)
        w->pause = PAUSE_MOST_MS;
}

static int spawn(struct warm *w, enum warm_kind kind, struct child **ret,
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

    if (w->ready)
        return;
    if (spawn(w, WARM_CPU, &w->ready, &e) < 0) {
        if (w->pause < PAUSE_MOST_MS) // it is in the log often enough
            log_error(NULL, "no worker stands ready: %s", e.text);
        lengthen_pause(w);
        start_later(w, w->pause);
        return;
    }
    w->since = clock_now();
    child_attach(w->ready, &ops, w);
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

static void on_exited(void *user, struct task_exit exit)
{
    struct warm *w = user;

    report(w, exit);
    child_destroy(w->ready);
    w->ready = NULL;
    if (clock_now() - w->since > SETTLED)
        w->pause = 0;
    lengthen_pause(w);
    start_later(w, w->pause);
}

static const char *const kind_names[WARM_KIND_COUNT] = {
    [WARM_CPU] = "cpu",
    [WARM_GPU] = "cuda",
};

/* Did that change anything? */
static bool take_over(struct warm *w, const struct configuration *c)
{
    bool is_new = false;

    for (int i = 0; i < WARM_KIND_COUNT; i++) {
        struct command command;
        command_init(&command, c, kind_names[i]);
        is_new |= !command_is_same(&w->commands[i], &command);
        command_fini(&w->commands[i]);
        w->commands[i] = command;
    }
    w->log_lines = (size_t)c->limits.log_lines;
    return is_new;
}

static void expect_sandbox(struct warm *w, const struct configuration *c)
{
    w->needs_sandbox = c->sandbox == CONFIGURATION_SANDBOX_REQUIRED;
    event_fini(&w->sandbox);
    if (c->sandbox == CONFIGURATION_SANDBOX_OFF)
        log_warning(NULL, "workers are not confined: the sandbox is off");
}

struct warm *warm_create(uv_loop_t *loop, const struct cgroup *group,
                         const struct configuration *configuration)
{
    struct warm *w = xcalloc(1, sizeof(*w));

    w->loop = loop;
    w->group = group;
    (void)take_over(w, configuration);
    expect_sandbox(w, configuration);
    w->timer.data = w;
    (void)uv_timer_init(loop, &w->timer);
    start_later(w, w->pause);
    return w;
}

static void on_closed(uv_handle_t *handle)
{
    struct warm *w = handle->data;

    for (int i = 0; i < WARM_KIND_COUNT; i++)
        command_fini(&w->commands[i]);
    event_fini(&w->sandbox);
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

void warm_configure(struct warm *w, const struct configuration *configuration)
{
    if (!take_over(w, configuration))
        return;
    expect_sandbox(w, configuration);
    child_destroy(w->ready);
    w->ready = NULL;
    w->pause = 0;
    start_later(w, w->pause);
}

json_t *warm_sandbox_to_json(const struct warm *w)
{
    json_t *all = json_array();

    if (w->sandbox.kind != EVENT_SANDBOX)
        return all;
    for (size_t i = 0; i < w->sandbox.sandbox.layer_count; i++)
        json_array_append_new(all, json_string(w->sandbox.sandbox.layers[i]));
    return all;
}

int warm_take(struct warm *w, enum warm_kind kind, struct child **ret,
              struct error *e)
{
    if (!w->ready || kind != WARM_CPU)
        return spawn(w, kind, ret, e);
    *ret = w->ready;
    w->ready = NULL;
    w->pause = 0;
    start_later(w, HEAD_START_MS);
    return 0;
}
