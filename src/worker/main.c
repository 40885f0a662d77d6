/*
 * transcoded-worker: does one job, never two.
 *
 * The daemon starts it with the control socket on descriptor 3, often before
 * there is a job for it; then its libraries are loaded already when one comes.
 * With --standalone a client starts it: orders on 0, events on 1, the file
 * channel on 3, and it grants itself the CPU.
 */
#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "arguments.h"
#include "attempt.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "control.h"
#include "diagnose.h"
#include "media/avlog.h"
#include "media/driver.h"
#include "media/hwdevice.h"
#include "media/hwfault.h"
#include "model/event.h"
#include "model/order.h"
#include "pipeline/gate.h"
#include "reporter.h"
#include "sandbox/confine.h"
#include "sandbox/sandbox.h"
#include "survey.h"
#include "watch.h"

/* How it is spoken to. */
struct mode {
    int orders;
    int events;
    int channel; // -1: comes with the job
};

static const struct mode modes[] = {
    [ARGUMENTS_WORK] = {ORDER_FD, ORDER_FD, -1},
    [ARGUMENTS_STANDALONE] = {0, 1, 3},
};

static void on_libav_line(void *opaque, enum log_level level, const char *line)
{
    log_write(NULL, level, "%s", line);
    if (level <= LOG_LEVEL_WARNING && !hwfault_is_told_by(line))
        reporter_log(opaque, LOG_LEVEL_WARNING, line); // the job goes on
}

/* Settings of libraries that can only be made before they are used. */
static void prepare_libraries(void)
{
    // packets and pictures go back to the system when they are freed: with a
    // thread a stage they would otherwise stay in each thread's own heap
    mallopt(M_MMAP_THRESHOLD, 128 << 10);
    // libsvtav1 writes a page about itself to standard error; 1: errors
    setenv("SVT_LOG", "1", 0);
}

/* A context, to see that it can be made; its memory is for whom it is granted
 * to. */
static int try_card(const struct arguments *a, struct error *e)
{
    struct hwdevice *device;
    int r = hwdevice_open(&device, a->device, a->open, e);

    if (r == 0)
        hwdevice_close(device);
    return r;
}

/* A driver may do to start what a worker must not do later. What fails here
 * shows again when a card is granted. */
static void start_driver(const struct arguments *a)
{
    struct driver *driver;
    struct error e = {0};

    hwdevice_preload();
    int r = driver_open(&driver, &e);
    if (r == 0) {
        r = a->open ? try_card(a, &e) : 0;
        driver_close(driver); // which stays loaded, and started
    }
    if (r < 0)
        log_warning(NULL, "%s", e.text);
}

/* What a job on a GPU would have to wait for: the driver's libraries and a
 * context. No session: these are for those who use them. NULL without a card to
 * be opened ahead; -1 where that fails, for then there is no point in standing
 * ready. */
static int open_ahead(struct hwdevice **ret, const struct arguments *a)
{
    struct error e = {0};

    *ret = NULL;
    if (a->sandbox.device == SANDBOX_CPU)
        return 0; // whatever else it was told
    if (!a->warm && a->starts_driver)
        start_driver(a);
    if (!a->warm)
        return 0;
    hwdevice_preload();
    if (hwdevice_open(ret, a->device, a->warm, &e) == 0)
        return 0;
    log_error(NULL, "%s", e.text);
    return -1;
}

/* All there is to take hold of this process is put on, before anything that
 * a stranger made is looked at. */
static int confine(struct sandbox *ret, const struct arguments *a,
                   struct hwdevice **ret_device)
{
    sandbox_enter(ret, &a->sandbox);
    if (open_ahead(ret_device, a) < 0)
        return -1;
    sandbox_seal(ret, a->sandbox.device);
    for (int i = 0; i < SANDBOX_LAYER_COUNT; i++) {
        if (ret->layers[i].state == SANDBOX_UNAVAILABLE)
            log_warning(NULL, "the sandbox goes without '%s': %s",
                        sandbox_layer_names[i], ret->layers[i].words);
    }
    return 0;
}

/* To the daemon, whose warm worker this is. */
static void say_sandbox(struct reporter *reporter, const struct sandbox *s)
{
    struct event_layer layers[SANDBOX_LAYER_COUNT];
    struct error e;
    struct event event = {
        .kind = EVENT_SANDBOX,
        .sandbox = {layers, 0, sandbox_missing(s, &e) < 0 ? e.text : NULL},
    };

    for (int i = 0; i < SANDBOX_LAYER_COUNT; i++) {
        if (s->layers[i].state == SANDBOX_INAPPLICABLE)
            continue;
        struct event_layer *l = &layers[event.sandbox.layer_count++];
        (void)snprintf(l->name, sizeof(l->name), "%s", sandbox_layer_names[i]);
        (void)snprintf(l->state, sizeof(l->state), "%s",
                       sandbox_state_names[s->layers[i].state]);
        (void)snprintf(l->note, sizeof(l->note), "%s", s->layers[i].words);
    }
    reporter_send(reporter, &event);
}

/* {"landlock": {"state": "on", "text": "version 7"}, …} */
static int print_sandbox(const struct sandbox *s)
{
    json_t *all = json_object();

    for (int i = 0; i < SANDBOX_LAYER_COUNT; i++)
        json_object_set_new(all, sandbox_layer_names[i],
                            json_pack("{s:s, s:s}", "state",
                                      sandbox_state_names[s->layers[i].state],
                                      "text", s->layers[i].words));
    int r = json_dumpf(all, stdout, JSON_COMPACT);
    (void)puts("");
    json_decref(all);
    return r < 0;
}

static bool may_work(const struct sandbox *s, struct error *e)
{
    return s->config.mode != SANDBOX_REQUIRED || sandbox_missing(s, e) == 0;
}

/* Takes *@device over. */
static int work(const struct mode *mode, struct sandbox *sandbox,
                struct hwdevice **device)
{
    struct gate *gate = gate_create();
    struct reporter *reporter = reporter_create(mode->events);
    struct error e = {0};
    struct order order = {0};
    int channel = -1;

    avlog_start(on_libav_line, reporter);
    if (mode->channel < 0)
        say_sandbox(reporter, sandbox);
    struct control *control = control_start(mode->orders, reporter, gate);
    int r = control_wait_job(control, &order, &channel, &e);
    if (r < 0 || !may_work(sandbox, &e)) {
        reporter_end(reporter, OUTCOME_BAD_REQUEST, "%s%s%s", e.field,
                     *e.field ? ": " : "", e.text);
        return 0;
    }
    if (mode->channel >= 0) {
        fd_close(&channel);
        channel = mode->channel;
    }
    const struct attempt_config config = {
        .order = &order.job,
        .control = control,
        .reporter = reporter,
        .gate = gate,
        .sandbox = sandbox,
        .device = device,
        .channel = channel,
        .grants_itself = mode->channel >= 0,
    };
    attempt_run(&config);
    order_fini(&order);
    fd_close(&channel);
    return 0; // the control thread keeps the rest until the process ends
}

static int usage(FILE *to)
{
    fputs(
        "usage: transcoded-worker [OPTION]...\n"
        "       transcoded-worker --survey [--cache FILE] [--anew UUID|all]\n"
        "       transcoded-worker --watch\n"
        "\n"
        "Does one job of transcoded. The daemon starts it; by hand, with\n"
        "--standalone, it reads orders from standard input and writes events\n"
        "to standard output, and descriptor 3 is the file channel. It ends\n"
        "when standard input does.\n\n",
        to);
    arguments_print(to);
    fputs(
        "\n"
        "With --survey it tries what the GPUs here can do, and prints that as\n"
        "one JSON document. What it found is kept in FILE; devices that stand\n"
        "there are not tried again, but for those that --anew names.\n\n"
        "With --watch it says each second how the GPUs are, as JSON objects,\n"
        "each ended by NUL.\n",
        to);
    return to == stdout ? 0 : 2;
}

/* A job's worker, or the sandbox of one. */
static int work_confined(const struct arguments *a)
{
    struct sandbox sandbox;
    struct hwdevice *device;

    prepare_libraries();
    if (confine(&sandbox, a, &device) < 0)
        return 1;
    if (a->action == ARGUMENTS_PROBE)
        return print_sandbox(&sandbox);
    int status = work(&modes[a->action], &sandbox, &device);
    hwdevice_close(device); // where there was no job for it
    return status;
}

static int act(const struct arguments *a)
{
    switch (a->action) {
    case ARGUMENTS_HELP:
        return usage(stdout);
    case ARGUMENTS_VERSION:
        return puts("transcoded-worker " TRANSCODED_VERSION) < 0;
    case ARGUMENTS_DIAGNOSE:
        return diagnose_run(ORDER_FD, &a->sandbox);
    case ARGUMENTS_WORK:
    case ARGUMENTS_STANDALONE:
    case ARGUMENTS_PROBE:
        break;
    }
    return work_confined(a);
}

/* What looks at devices instead of media, and so is not confined. -1: another
 * thing is wanted. */
static int look_around(char **words)
{
    if (!words[0])
        return -1;
    if (strcmp(words[0], "--survey") == 0) {
        int status = survey_main(words + 1);
        return status == 2 ? usage(stderr) : status;
    }
    if (strcmp(words[0], "--watch") == 0 && !words[1])
        return watch_run(STDOUT_FILENO, WATCH_ENDLESS);
    return -1;
}

int main(int argc, char **argv)
{
    char **words = argv + (argc > 0);
    struct arguments a;
    struct error e = {0};

    if (confine_process(3, &e) < 0) {
        log_error(NULL, "%s", e.text);
        return 1;
    }
    int status = look_around(words);
    if (status >= 0)
        return status;
    if (arguments_parse(&a, words, &e) < 0) {
        (void)fprintf(stderr, "transcoded-worker: %s\n\n", e.text);
        return usage(stderr);
    }
    status = act(&a);
    arguments_fini(&a);
    return status;
}
