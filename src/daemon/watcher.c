#include "watcher.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "child.h"
#include "inventory.h"
#include "model/document.h"
#include "model/sample.h"

#define SAMPLE_BYTES_MOST (64 << 10)
#define SAMPLES_A_SECOND  100           // more than that is babble
#define SETTLED           (60 * SECOND) // it lived so long: nothing is wrong

struct watcher {
    uv_loop_t *loop;
    uv_timer_t timer;            // while it runs: silence; else: the pause
    struct inventory *inventory; // not owned
    struct watcher_config config;
    char *program;       // owned
    struct child *child; // owned; NULL: it does not run
    int64_t since;       // monotonic µs of its start
    int64_t pause;       // µs, 0: all is well
    int64_t second;      // monotonic s in which samples are counted
    int counted;
    char *complaint; // owned; the last one that was logged, or NULL
    void (*sampled)(void *user, struct inventory_device *device);
    void *user;
};

static void start(struct watcher *w);

static uint64_t milliseconds(int64_t us)
{
    return (uint64_t)(us / MILLISECOND);
}

/* What is the same every few minutes is said once. */
static void complain(struct watcher *w, const char *text)
{
    if (w->complaint && strcmp(w->complaint, text) == 0)
        return;
    free(w->complaint);
    w->complaint = xstrdup(text);
    log_warning(NULL, "the GPUs are not watched: %s", text);
}

static void on_silence(uv_timer_t *timer)
{
    struct watcher *w = timer->data;

    complain(w, "nothing was heard of them for too long");
    child_kill(w->child);
}

static void listen_for(struct watcher *w)
{
    (void)uv_timer_start(&w->timer, on_silence, milliseconds(w->config.silence),
                         0);
}

static void on_pause_over(uv_timer_t *timer)
{
    start(timer->data);
}

static void start_later(struct watcher *w)
{
    w->pause = w->pause ? 2 * w->pause : w->config.pause_first;
    if (w->pause > w->config.pause_most)
        w->pause = w->config.pause_most;
    (void)uv_timer_start(&w->timer, on_pause_over, milliseconds(w->pause), 0);
}

static bool babbles(struct watcher *w, int64_t now)
{
    if (now / SECOND != w->second) {
        w->second = now / SECOND;
        w->counted = 0;
    }
    return ++w->counted > SAMPLES_A_SECOND;
}

static int read_sample(struct sample *ret, const char *text, size_t size,
                       struct error *e)
{
    json_t *json = NULL;

    int r = document_parse(&json, text, size, SAMPLE_BYTES_MOST, e);
    if (r == 0)
        r = sample_from_json(ret, json, e);
    json_decref(json);
    return r;
}

static void on_said(void *user, const char *text, size_t size)
{
    struct watcher *w = user;
    int64_t now = clock_now();
    struct sample s;
    struct error e = {0};

    if (babbles(w, now))
        (void)error_set(&e, -1, "it babbles");
    else if (read_sample(&s, text, size, &e) < 0) {
        error_tell_field(&e);
        error_wrap(&e, "a sample makes no sense");
    }
    if (e.code) {
        complain(w, e.text);
        child_kill(w->child);
        return;
    }
    listen_for(w);
    struct inventory_device *d = inventory_sample(w->inventory, &s, now);
    if (d)
        w->sampled(w->user, d);
}

static void on_hung_up(void *user, const struct error *e)
{
    struct watcher *w = user;

    if (e->code)
        complain(w, e->text);
    child_kill(w->child);
}

static void tell_end(struct watcher *w, struct task_exit exit)
{
    json_t *lines = child_log_to_json(w->child);
    size_t count = json_array_size(lines);
    const char *last = json_string_value(json_array_get(lines, count - 1));

    if (count)
        complain(w, last);
    else if (exit.status)
        complain(w, "the program that does it ended without a word");
    else if (exit.signal && !w->complaint)
        complain(w, "the program that does it was killed");
    json_decref(lines);
}

static void on_exited(void *user, struct task_exit exit)
{
    struct watcher *w = user;

    tell_end(w, exit);
    child_destroy(w->child);
    w->child = NULL;
    if (clock_now() - w->since > SETTLED) {
        w->pause = 0;
        free(w->complaint);
        w->complaint = NULL;
    }
    start_later(w);
}

static const struct child_ops ops = {on_said, on_hung_up, on_exited};

static bool has_work(const struct watcher *w)
{
    return inventory_next(w->inventory, NULL) != NULL;
}

static void start(struct watcher *w)
{
    static const char *const arguments[] = {"--watch", NULL};
    const struct child_config config = {
        .program = w->program,
        .arguments = arguments,
        .input = -1,
        .output = CHILD_CONTROL,
        .channel = -1,
        .log_lines = w->config.log_lines,
        .group = w->config.group,
    };
    struct error e = {0};

    if (!has_work(w))
        return;
    if (child_spawn(&w->child, w->loop, &config, NULL, &e) < 0) {
        complain(w, e.text);
        start_later(w);
        return;
    }
    w->since = clock_now();
    child_attach(w->child, &ops, w);
    listen_for(w);
}

struct watcher *watcher_create(uv_loop_t *loop, struct inventory *inventory,
                               const struct watcher_config *config,
                               void (*sampled)(void *user,
                                               struct inventory_device *device),
                               void *user)
{
    struct watcher *w = xcalloc(1, sizeof(*w));

    w->loop = loop;
    w->inventory = inventory;
    w->sampled = sampled;
    w->user = user;
    w->timer.data = w;
    (void)uv_timer_init(loop, &w->timer);
    watcher_configure(w, config);
    return w;
}

static void on_closed(uv_handle_t *handle)
{
    struct watcher *w = handle->data;

    free(w->program);
    free(w->complaint);
    free(w);
}

void watcher_destroy(struct watcher *w)
{
    if (!w)
        return;
    child_destroy(w->child);
    uv_close((uv_handle_t *)&w->timer, on_closed);
}

void watcher_configure(struct watcher *w, const struct watcher_config *config)
{
    char *program = xstrdup(config->program);

    free(w->program);
    w->program = program;
    w->config = *config;
    w->config.program = w->program;
}

void watcher_wake(struct watcher *w)
{
    if (has_work(w) && !w->child && !uv_is_active((uv_handle_t *)&w->timer)) {
        start(w);
    } else if (!has_work(w)) {
        (void)uv_timer_stop(&w->timer);
        child_destroy(w->child);
        w->child = NULL;
    }
}
