#include "surveyor.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "child.h"
#include "inventory.h"
#include "model/document.h"
#include "model/survey.h"

#define ANSWER_MOST   (256 << 10) // bytes of a survey

#define EVERY         "all" // devices are surveyed anew
#define PAUSE_MOST_MS 600000
#define RARELY        6 // times longer are pauses where there is no card

struct surveyor {
    uv_loop_t *loop;
    uv_timer_t limit;            // of the survey that is under way
    uv_timer_t later;            // until one that was not whole is taken again
    int handles;                 // that are not closed yet
    uint64_t pause;              // ms, 0: the last one was whole
    struct inventory *inventory; // not owned
    char *program;               // owned
    char *cache;                 // owned
    int64_t timeout;             // µs
    int64_t again;               // µs
    size_t log_lines;
    const struct cgroup *group; // not owned
    struct child *child;        // owned; NULL: none is under way
    int answer;                 // owned; a memory file, its standard output
    bool is_late;               // it was killed
    char *doubted; // owned; UUID or EVERY, NULL: none waits for another
    struct surveyor_ops ops;
    void *user;
};

/* Memory of a fixed size: writing beyond it is an error of the writer's. */
static int make_answer(void)
{
    int fd = memfd_create("survey", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd < 0)
        return -errno;
    if (ftruncate(fd, ANSWER_MOST) < 0 ||
        fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK | F_SEAL_SEAL) < 0) {
        int r = -errno;
        fd_close(&fd);
        return r;
    }
    return fd;
}

/* 0 or -errno; what it said is a stranger's. */
static int read_answer(int fd, struct survey *ret, struct error *e)
{
    char *text = xcalloc(ANSWER_MOST + 1, 1); // ends with what was not written
    json_t *json = NULL;
    ssize_t n = pread(fd, text, ANSWER_MOST, 0);

    int r = n < 0 ? error_set_errno(e, -errno, "cannot read it")
                  : document_parse(&json, text, strlen(text), ANSWER_MOST, e);
    if (r == 0)
        r = survey_from_json(ret, json, e);
    json_decref(json);
    free(text);
    return r;
}

/* How it ended without an answer. The caller frees. */
static char *describe_end(const struct surveyor *s, struct task_exit exit)
{
    json_t *lines = child_log_to_json(s->child);
    size_t count = json_array_size(lines);
    const char *last =
        count ? json_string_value(json_array_get(lines, count - 1)) : NULL;
    char *words;

    if (s->is_late)
        words = xasprintf("the survey of the GPUs took longer than %lld s and "
                          "was stopped",
                          (long long)(s->timeout / SECOND));
    else if (exit.signal)
        words = xasprintf("the survey of the GPUs crashed (signal %d, %s)",
                          exit.signal, strsignal(exit.signal));
    else
        words = xasprintf("the survey of the GPUs failed (exit status %d)",
                          exit.status);
    if (last) {
        char *more = xasprintf("%s: %s", words, last);
        free(words);
        words = more;
    }
    json_decref(lines);
    return words;
}

static void fail(struct surveyor *s, const char *why)
{
    log_warning(NULL, "%s", why);
    inventory_fail(s->inventory, why);
}

/* @id is ours, which the survey cannot know. */
static void tell_device(const char *id, const struct survey_device *d)
{
    log_info(NULL, "%s: %s driver=%s decoders=%zu encoders=%zu", id, d->name,
             d->driver, d->decoder_count, d->encoder_count);
    for (size_t i = 0; i < d->problem_count; i++)
        log_warning(NULL, "%s: %s", id, d->problems[i]);
}

/* What is still wrong was told before: @before are inventory_problem()'s. */
static void tell(const struct inventory *inventory, const struct survey *found,
                 const char *before)
{
    for (size_t i = 0; i < found->device_count; i++) {
        const struct survey_device *d = &found->devices[i];
        tell_device(inventory_find_uuid(inventory, d->uuid)->survey.id, d);
    }
    if (strcmp(inventory_problem(inventory), before) == 0)
        return;
    for (size_t i = 0; i < found->problem_count; i++)
        log_info(NULL, "%s%s",
                 found->device_count ? "" : "the CPU does everything: ",
                 found->problems[i]);
}

/* Where there is no card its driver may not be loaded yet. */
static bool is_whole(const struct survey *found)
{
    if (found->device_count == 0)
        return false;
    for (size_t i = 0; i < found->device_count; i++) {
        if (found->devices[i].is_partial)
            return false;
    }
    return true;
}

static bool take(struct surveyor *s, const struct survey *found)
{
    char *before = xstrdup(inventory_problem(s->inventory));

    inventory_set(s->inventory, found);
    tell(s->inventory, found, before);
    free(before);
    return is_whole(found);
}

/* True: all was found out that can be. */
static bool conclude(struct surveyor *s, struct task_exit exit)
{
    struct survey found;
    struct error e = {0};

    if (s->is_late || exit.signal || exit.status) {
        char *words = describe_end(s, exit);
        fail(s, words);
        free(words);
    } else if (read_answer(s->answer, &found, &e) < 0) {
        error_wrap(&e, "the survey of the GPUs makes no sense");
        fail(s, e.text);
    } else {
        bool whole = take(s, &found);
        survey_fini(&found);
        return whole;
    }
    return false;
}

static void start(struct surveyor *s);

static void on_later(uv_timer_t *timer)
{
    struct surveyor *s = timer->data;

    if (!s->child)
        start(s);
}

static void start_later(struct surveyor *s)
{
    uint64_t first = (uint64_t)(s->again / MILLISECOND);
    bool has_card = inventory_next(s->inventory, NULL);

    s->pause = s->pause ? 2 * s->pause : has_card ? first : RARELY * first;
    if (s->pause > PAUSE_MOST_MS)
        s->pause = PAUSE_MOST_MS;
    (void)uv_timer_start(&s->later, on_later, s->pause, 0);
}

static void on_said(void *user, const char *text, size_t size)
{
    (void)user; // its answer goes elsewhere
    (void)text;
    (void)size;
}

static void on_hung_up(void *user, const struct error *e)
{
    (void)user;
    (void)e;
}

static void on_exited(void *user, struct task_exit exit)
{
    struct surveyor *s = user;

    (void)uv_timer_stop(&s->limit);
    if (conclude(s, exit))
        s->pause = 0;
    else
        start_later(s);
    child_destroy(s->child);
    s->child = NULL;
    fd_close(&s->answer);
    if (s->doubted)
        start(s);
    s->ops.surveyed(s->user);
}

static const struct child_ops child_ops = {on_said, on_hung_up, on_exited};

static void on_limit(uv_timer_t *timer)
{
    struct surveyor *s = timer->data;

    s->is_late = true;
    child_kill(s->child);
}

static int spawn(struct surveyor *s, struct error *e)
{
    const char *const arguments[] = {
        "--survey", "--cache", s->cache, s->doubted ? "--anew" : NULL,
        s->doubted, NULL,
    };
    const struct child_config config = {
        .program = s->program,
        .arguments = arguments,
        .input = -1,
        .output = s->answer,
        .channel = -1,
        .log_lines = s->log_lines,
        .group = s->group,
    };

    if (s->answer < 0)
        return error_set_errno(e, s->answer, "cannot survey the GPUs");
    return child_spawn(&s->child, s->loop, &config, NULL, e);
}

/* What cannot even be started is told at once, but to the callback never from
 * within the call of whoever asked for it: the timer does that. */
static void on_no_start(uv_timer_t *timer)
{
    struct surveyor *s = timer->data;

    s->ops.surveyed(s->user);
}

static void start(struct surveyor *s)
{
    struct error e = {0};

    s->answer = make_answer();
    s->is_late = false;
    (void)uv_timer_stop(&s->later);
    int r = spawn(s, &e);
    free(s->doubted);
    s->doubted = NULL;
    if (r < 0) {
        fd_close(&s->answer);
        fail(s, e.text);
        start_later(s);
        (void)uv_timer_start(&s->limit, on_no_start, 0, 0);
        return;
    }
    s->ops.begins(s->user);
    child_attach(s->child, &child_ops, s);
    (void)uv_timer_start(&s->limit, on_limit,
                         (uint64_t)(s->timeout / MILLISECOND), 0);
}

struct surveyor *surveyor_create(uv_loop_t *loop, struct inventory *inventory,
                                 const char *cache,
                                 const struct surveyor_config *config,
                                 const struct surveyor_ops *ops, void *user)
{
    struct surveyor *s = xcalloc(1, sizeof(*s));

    s->loop = loop;
    s->inventory = inventory;
    s->cache = xstrdup(cache);
    s->answer = -1;
    s->ops = *ops;
    s->user = user;
    s->limit.data = s->later.data = s;
    s->handles = 2;
    (void)uv_timer_init(loop, &s->limit);
    (void)uv_timer_init(loop, &s->later);
    surveyor_configure(s, config);
    start(s);
    return s;
}

static void on_closed(uv_handle_t *handle)
{
    struct surveyor *s = handle->data;

    if (--s->handles)
        return;
    free(s->program);
    free(s->cache);
    free(s->doubted);
    free(s);
}

void surveyor_destroy(struct surveyor *s)
{
    if (!s)
        return;
    child_destroy(s->child);
    fd_close(&s->answer);
    uv_close((uv_handle_t *)&s->limit, on_closed);
    uv_close((uv_handle_t *)&s->later, on_closed);
}

void surveyor_configure(struct surveyor *s,
                        const struct surveyor_config *config)
{
    free(s->program);
    s->program = xstrdup(config->program);
    s->timeout = config->timeout;
    s->again = config->again;
    s->log_lines = config->log_lines;
    s->group = config->group;
}

void surveyor_again(struct surveyor *s, const char *uuid)
{
    // two that are doubted at the same time: look at all
    const char *wanted = uuid && !s->doubted ? uuid : EVERY;

    if (uuid && s->doubted && strcmp(uuid, s->doubted) == 0)
        return;
    char *copy = xstrdup(wanted);
    free(s->doubted);
    s->doubted = copy;
    if (!s->child)
        start(s);
}
