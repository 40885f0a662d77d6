/*
 * diagnose: Diagnose. What the service sees is found out by programs of its
 * own, which a driver or a file system may hold up: a worker tries the driver,
 * an opener the folders. Clients that ask meanwhile get the same answer.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "child.h"
#include "command.h"
#include "connection.h"
#include "crew.h"
#include "daemon.h"
#include "inventory.h"
#include "methods.h"
#include "model/diagnosis.h"
#include "model/document.h"
#include "model/event.h"
#include "opener.h"
#include "warm.h"

struct probe;

struct asker {
    struct list link;  // diagnosing.askers
    struct call *call; // owned
};

/* One of the children. */
struct part {
    struct diagnosing *diagnosing; // not owned
    const struct probe *probe;
    struct child *child; // owned; NULL: it has ended, or never ran
};

enum { PARTS = 2 };

struct diagnosing {
    struct daemon *daemon; // not owned
    uv_timer_t timer;
    struct list askers;
    struct part parts[PARTS];
    struct diagnosis found;
    size_t folders_told; // of found.folders
};

struct probe {
    /* How it is started, for the caller to finish. */
    void (*command)(const struct daemon *d, struct command *ret);
    /* What it reads from standard input, a new reference; NULL: nothing. */
    json_t *(*ask)(const struct daemon *d);
    void (*told)(struct diagnosing *g, const json_t *document);
    /* No more will come, because of @why. */
    void (*ended)(struct diagnosing *g, const char *why);
};

/* What a child may take for all that it has to say, µs. */
static int64_t patience(const struct daemon *d)
{
    return d->configuration.limits.start_timeout;
}

static void on_process(struct diagnosing *g, const json_t *document)
{
    struct diagnosis_process p;

    if (diagnosis_process_from_json(&p, document, NULL) < 0)
        return;
    diagnosis_process_fini(&g->found.process);
    g->found.process = p;
}

static void on_process_ended(struct diagnosing *g, const char *why)
{
    struct diagnosis_process *p = &g->found.process;
    char text[sizeof(p->problem)];

    if (!p->step[0] && p->uid != DIAGNOSIS_UNKNOWN)
        return; // it had said all
    (void)snprintf(text, sizeof(text), "%s%s%s", why, p->step[0] ? " at " : "",
                   p->step);
    memcpy(p->problem, text, sizeof(text));
}

static json_t *texts(char *const *list, size_t count)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(array, document_text(list[i]));
    return array;
}

static json_t *ask_folders(const struct daemon *d)
{
    const struct configuration *c = &d->configuration;

    return json_pack("{s:o, s:o, s:o}", "store", document_text(d->places.state),
                     "read_roots", texts(c->read_roots, c->read_root_count),
                     "write_roots", texts(c->write_roots, c->write_root_count));
}

static void on_folder(struct diagnosing *g, const json_t *document)
{
    struct diagnosis_folder f;

    if (g->folders_told < g->found.folder_count &&
        diagnosis_folder_from_json(&f, document, NULL) == 0)
        g->found.folders[g->folders_told++] = f;
}

static void on_folders_ended(struct diagnosing *g, const char *why)
{
    for (size_t i = g->folders_told; i < g->found.folder_count; i++)
        (void)snprintf(g->found.folders[i].problem,
                       sizeof(g->found.folders[i].problem), "%s", why);
}

/* As a worker is started that may be given any card. */
static void be_worker(const struct daemon *d, struct command *ret)
{
    command_init(ret, &d->configuration, "cuda", COMMAND_NOTHING, NULL);
}

static void be_opener(const struct daemon *d, struct command *ret)
{
    ret->program = places_program(d->configuration.opener, "transcoded-files");
}

static const struct probe probes[PARTS] = {
    {be_worker, NULL, on_process, on_process_ended},
    {be_opener, ask_folders, on_folder, on_folders_ended},
};

static void add_folder(struct diagnosis *d, enum diagnosis_role role,
                       const char *path)
{
    if (d->folder_count == DIAGNOSIS_FOLDERS_MOST)
        return;
    struct diagnosis_folder *f = &d->folders[d->folder_count++];
    f->role = role;
    f->free = f->total = DIAGNOSIS_UNKNOWN;
    (void)snprintf(f->path, sizeof(f->path), "%s", path);
}

/* In the order in which the opener is asked about them. */
static void add_folders(struct diagnosis *ret, const struct daemon *d)
{
    const struct configuration *c = &d->configuration;

    ret->folders = xcalloc(DIAGNOSIS_FOLDERS_MOST, sizeof(*ret->folders));
    add_folder(ret, DIAGNOSIS_STORE, d->places.state);
    for (size_t i = 0; i < c->read_root_count; i++)
        add_folder(ret, DIAGNOSIS_READ, c->read_roots[i]);
    for (size_t i = 0; i < c->write_root_count; i++)
        add_folder(ret, DIAGNOSIS_WRITE, c->write_roots[i]);
}

static void on_timer_closed(uv_handle_t *timer)
{
    struct diagnosing *g = timer->data;

    diagnosis_fini(&g->found);
    free(g);
}

static void destroy(struct diagnosing *g)
{
    g->daemon->diagnosing = NULL;
    for (size_t i = 0; i < PARTS; i++)
        child_destroy(g->parts[i].child);
    uv_close((uv_handle_t *)&g->timer, on_timer_closed);
}

/* The name of the program @pid, which holds memory as well. */
static const char *name_of(const struct sample *s, int64_t pid)
{
    for (size_t i = 0; i < s->process_count; i++) {
        if (s->processes[i].pid == pid)
            return s->processes[i].name;
    }
    return "";
}

static void add_session(struct diagnosis *ret, const char *device,
                        const struct sample *s, size_t which)
{
    const struct sample_session *from = &s->sessions[which];

    if (ret->session_count == DIAGNOSIS_SESSIONS_MOST)
        return;
    struct diagnosis_session *to = &ret->sessions[ret->session_count++];
    to->pid = from->pid;
    to->width = from->width;
    to->height = from->height;
    (void)snprintf(to->device, sizeof(to->device), "%s", device);
    (void)snprintf(to->codec, sizeof(to->codec), "%s", from->codec);
    (void)snprintf(to->name, sizeof(to->name), "%s", name_of(s, from->pid));
}

/* What is known of the GPUs without asking anybody. */
static void add_gpus(struct diagnosis *ret, const struct inventory *inventory)
{
    const struct inventory_device *d = NULL;

    ret->is_surveyed = inventory_is_settled(inventory);
    (void)snprintf(ret->nvenc_headers, sizeof(ret->nvenc_headers), "%s",
                   inventory_nvenc_headers(inventory));
    ret->sessions = xcalloc(DIAGNOSIS_SESSIONS_MOST, sizeof(*ret->sessions));
    while ((d = inventory_next(inventory, d))) {
        const struct sample *s = inventory_latest(d, clock_now());
        for (size_t i = 0; s && i < s->session_count; i++)
            add_session(ret, d->survey.id, s, i);
    }
}

/* As the workers for jobs say it: the one that looks around is not confined. */
static void add_layers(struct diagnosing *g)
{
    const struct event_sandbox *s = warm_sandbox(crew_plain(g->daemon->crew));
    struct diagnosis_process *p = &g->found.process;

    p->layer_count = 0;
    for (size_t i = 0; s && i < s->layer_count; i++) {
        struct diagnosis_layer *l = &p->layers[p->layer_count++];
        memcpy(l->name, s->layers[i].name, sizeof(l->name));
        memcpy(l->state, s->layers[i].state, sizeof(l->state));
        memcpy(l->note, s->layers[i].note, sizeof(l->note));
        if (p->layer_count == DIAGNOSIS_LAYERS_MOST)
            break;
    }
}

static void answer(struct diagnosing *g)
{
    add_gpus(&g->found, g->daemon->inventory);
    add_layers(g);
    json_t *reply = diagnosis_to_json(&g->found);

    list_foreach (link, next, &g->askers) {
        struct asker *a = list_entry(link, struct asker, link);
        list_remove(link);
        a->call->hung_up = NULL;
        call_reply(a->call, json_incref(reply));
        free(a);
    }
    json_decref(reply);
    destroy(g);
}

static void end_part(struct part *part, const char *why)
{
    struct diagnosing *g = part->diagnosing;

    part->probe->ended(g, why);
    child_destroy(part->child);
    part->child = NULL;
    for (size_t i = 0; i < PARTS; i++) {
        if (g->parts[i].child)
            return;
    }
    answer(g);
}

static void on_said(void *user, const char *text, size_t size)
{
    struct part *part = user;
    json_t *document;

    if (document_parse(&document, text, size, size, NULL) < 0)
        return;
    part->probe->told(part->diagnosing, document);
    json_decref(document);
}

static void on_hung_up(void *user, const struct error *e)
{
    (void)user; // it is about to exit, or time runs out
    (void)e;
}

static void on_exited(void *user, struct task_exit exit)
{
    char why[64];

    if (exit.signal)
        (void)snprintf(why, sizeof(why), "ended by signal %d (%s)", exit.signal,
                       strsignal(exit.signal));
    else
        (void)snprintf(why, sizeof(why), "ended with status %d", exit.status);
    end_part(user, why);
}

static const struct child_ops ops = {on_said, on_hung_up, on_exited};

static void on_timer(uv_timer_t *timer)
{
    struct diagnosing *g = timer->data;
    char why[64];
    size_t running = 0;

    (void)snprintf(why, sizeof(why), "no answer within %lld s",
                   (long long)(patience(g->daemon) / SECOND));
    for (size_t i = 0; i < PARTS; i++)
        running += g->parts[i].child != NULL;
    for (size_t i = 0; running; i++) { // the last one frees all
        if (g->parts[i].child) {
            running--;
            end_part(&g->parts[i], why);
        }
    }
}

/* The words behind the program's name; the caller frees the array. */
static const char **make_words(const struct command *c)
{
    size_t count = 0;

    while (c->arguments && c->arguments[count])
        count++;
    const char **words = xcalloc(count + 2, sizeof(*words));
    words[0] = "--diagnose";
    for (size_t i = 0; i < count; i++)
        words[i + 1] = c->arguments[i];
    return words;
}

/* Consumes @input, which may be -1. */
static int spawn_with(struct part *part, int input, struct error *e)
{
    struct daemon *d = part->diagnosing->daemon;
    struct command command = {0};

    part->probe->command(d, &command);
    const char **words = make_words(&command);
    const struct child_config config = {
        .program = command.program,
        .arguments = words,
        .input = input,
        .channel = -1,
        .log_lines = (size_t)d->configuration.limits.log_lines,
        .group = d->groups,
    };
    int r = child_spawn(&part->child, &d->loop, &config, NULL, e);
    if (r == 0)
        child_attach(part->child, &ops, part);
    fd_close(&input);
    free(words);
    command_fini(&command);
    return r;
}

static int spawn(struct part *part, struct error *e)
{
    if (!part->probe->ask)
        return spawn_with(part, -1, e);

    json_t *asked = part->probe->ask(part->diagnosing->daemon);
    int input = opener_make_input(asked);
    json_decref(asked);
    return input < 0 ? error_set_errno(e, input, "cannot ask it")
                     : spawn_with(part, input, e);
}

static struct diagnosing *create(struct daemon *d)
{
    struct diagnosing *g = xcalloc(1, sizeof(*g));

    g->daemon = d;
    list_init(&g->askers);
    g->timer.data = g;
    (void)uv_timer_init(&d->loop, &g->timer);
    (void)uv_timer_start(&g->timer, on_timer,
                         (uint64_t)(patience(d) / MILLISECOND), 0);
    diagnosis_process_init(&g->found.process);
    (void)snprintf(g->found.version, sizeof(g->found.version), "%s",
                   TRANSCODED_VERSION);
    g->found.pid = getpid();
    g->found.is_service = d->rules.mode == ACCESS_SERVICE;
    add_folders(&g->found, d);
    d->diagnosing = g;
    return g;
}

/* Both children, and the answer at once where there are none. */
static void start(struct diagnosing *g)
{
    bool runs = false;

    for (size_t i = 0; i < PARTS; i++) {
        struct error e = {0};
        g->parts[i] = (struct part){.diagnosing = g, .probe = &probes[i]};
        if (spawn(&g->parts[i], &e) < 0)
            probes[i].ended(g, e.text);
        else
            runs = true;
    }
    if (!runs)
        answer(g);
}

static void on_asker_gone(void *user)
{
    struct asker *a = user;

    list_remove(&a->link);
    call_end(a->call);
    free(a);
}

void diagnose_start(struct daemon *d, struct call *call)
{
    struct diagnosing *running = d->diagnosing;
    struct diagnosing *g = running ? running : create(d);
    struct asker *a = xcalloc(1, sizeof(*a));

    a->call = call;
    call->hung_up = on_asker_gone;
    call->user = a;
    list_append(&g->askers, &a->link);
    if (!running)
        start(g);
}

void diagnose_stop(struct daemon *d)
{
    struct diagnosing *g = d->diagnosing;

    if (!g)
        return;
    list_foreach (link, next, &g->askers)
        on_asker_gone(list_entry(link, struct asker, link));
    destroy(g);
}
