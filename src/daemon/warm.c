#include "warm.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "child.h"

#define HEAD_START_MS  150 // of a job: loading a program would slow a short one
#define PAUSE_FIRST_MS 250
#define PAUSE_MOST_MS  30000
#define SETTLED        (10 * SECOND) // it lived so long: nothing is wrong

struct warm {
    uv_loop_t *loop;
    uv_timer_t timer;           // until the next one is started
    char *program;              // owned
    const struct cgroup *group; // not owned
    size_t log_lines;
    struct child *ready; // owned, or NULL
    int64_t since;       // monotonic µs that it stands ready
    uint64_t pause;      // ms, 0: all is well
};

static void on_said(void *user, const char *text, size_t size)
{
    (void)user; // it has no job to speak of
    (void)text;
    (void)size;
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

static int spawn(struct warm *w, struct child **ret, struct error *e)
{
    const struct child_config config = {
        .program = w->program,
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
    if (spawn(w, &w->ready, &e) < 0) {
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

struct warm *warm_create(uv_loop_t *loop, const struct cgroup *group,
                         const char *program, size_t log_lines)
{
    struct warm *w = xcalloc(1, sizeof(*w));

    w->loop = loop;
    w->group = group;
    w->program = xstrdup(program);
    w->log_lines = log_lines;
    w->timer.data = w;
    (void)uv_timer_init(loop, &w->timer);
    start_later(w, w->pause);
    return w;
}

static void on_closed(uv_handle_t *handle)
{
    struct warm *w = handle->data;

    free(w->program);
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

void warm_configure(struct warm *w, const char *program, size_t log_lines)
{
    w->log_lines = log_lines;
    if (strcmp(w->program, program) == 0)
        return;
    free(w->program);
    w->program = xstrdup(program);
    child_destroy(w->ready);
    w->ready = NULL;
    w->pause = 0;
    start_later(w, w->pause);
}

int warm_take(struct warm *w, struct child **ret, struct error *e)
{
    if (!w->ready)
        return spawn(w, ret, e);
    *ret = w->ready;
    w->ready = NULL;
    w->pause = 0;
    start_later(w, HEAD_START_MS);
    return 0;
}
