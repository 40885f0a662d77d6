#include "daemon.h"

#include <signal.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "cgroup.h"
#include "connection.h"
#include "crew.h"
#include "dispatcher.h"
#include "followers.h"
#include "gauges.h"
#include "heart.h"
#include "inventory.h"
#include "lending.h"
#include "methods.h"
#include "model/device_profile.h"
#include "model/mark.h"
#include "model/profile.h"
#include "notify.h"
#include "server.h"
#include "settings.h"
#include "store/store.h"
#include "surveyor.h"
#include "watcher.h"

static int read_configuration(const struct daemon *d, struct configuration *ret,
                              struct error *e)
{
    if (d->places.configuration)
        return configuration_from_file(ret, d->places.configuration, e);
    configuration_init(ret);
    return 0;
}

static struct surveyor_config
survey_by(const struct daemon *d, const struct limits *l, const char *worker)
{
    return (struct surveyor_config){
        .program = worker,
        .timeout = l->survey_timeout,
        .again = l->survey_again,
        .log_lines = (size_t)l->log_lines,
        .group = d->groups,
    };
}

static struct cgroup_limits limit_workers(const struct limits *l)
{
    return (struct cgroup_limits){.memory = l->worker_memory,
                                  .tasks = l->worker_tasks};
}

static struct watcher_config
watch_by(const struct daemon *d, const struct limits *l, const char *worker)
{
    return (struct watcher_config){
        .program = worker,
        .log_lines = (size_t)l->log_lines,
        .group = d->groups,
        .silence = WATCHER_SILENCE,
        .pause_first = WATCHER_PAUSE_FIRST,
        .pause_most = WATCHER_PAUSE_MOST,
    };
}

static void take_over(struct daemon *d, struct configuration *c,
                      struct settings *s)
{
    char *worker = places_program(c->worker, "transcoded-worker");
    const struct cgroup_limits limits = limit_workers(&c->limits);

    configuration_fini(&d->configuration);
    d->configuration = *c;
    d->rules = s->rules;
    d->output_group = s->output_group;
    profiles_destroy(d->profiles);
    d->profiles = s->profiles;
    device_profiles_destroy(d->cards);
    d->cards = s->cards;
    log_set_level(c->log_level);
    server_configure(d->server, &s->server);
    cgroup_configure(d->groups, &limits);
    const struct surveyor_config survey = survey_by(d, &c->limits, worker);
    surveyor_configure(d->surveyor, &survey);
    const struct watcher_config watch = watch_by(d, &c->limits, worker);
    watcher_configure(d->watcher, &watch);
    lending_configure(d->lending, &d->configuration, d->cards);
    crew_configure(d->crew);
    dispatcher_wake(d->dispatcher); // a limit may have been raised
    free(worker);
}

/* SIGHUP. A bad configuration changes nothing. */
static void reload(struct daemon *d)
{
    struct configuration c;
    struct settings s;
    struct error e = {0};

    notify_reloading(d->notify);
    int r = read_configuration(d, &c, &e);
    if (r == 0) {
        r = settings_make(&s, &c, &d->places, &e);
        if (r < 0)
            configuration_fini(&c);
    }
    if (r < 0) {
        error_tell_field(&e);
        log_error(NULL, "the old configuration stays: %s", e.text);
    } else {
        take_over(d, &c, &s);
        log_info(NULL, "configuration reloaded");
    }
    notify_ready(d->notify);
}

static void on_stop_timer(uv_timer_t *timer)
{
    struct daemon *d = timer->data;

    log_info(NULL, "out of time: interrupting what still runs");
    dispatcher_interrupt(d->dispatcher);
}

/* The first signal drains, the second one does not wait. */
static void stop(struct daemon *d)
{
    int64_t most = d->configuration.limits.stop_timeout;

    if (d->phase != DAEMON_SERVING) {
        dispatcher_interrupt(d->dispatcher);
        return;
    }
    log_info(NULL, "stopping attempts=%lld",
             (long long)d->dispatcher->load.attempts);
    d->phase = DAEMON_DRAINING;
    notify_stopping(d->notify,
                    most + 4 * d->configuration.limits.stop_grace + SECOND);
    server_stop_listening(d->server);
    (void)uv_timer_start(&d->stop_timer, on_stop_timer,
                         (uint64_t)(most / MILLISECOND), 0);
    dispatcher_stop(d->dispatcher);
}

void daemon_settled(struct daemon *d)
{
    d->phase = DAEMON_CLOSING;
    uv_stop(&d->loop);
}

static void on_signal(uv_signal_t *signal, int number)
{
    if (number == SIGHUP)
        reload(signal->data);
    else if (number != SIGPIPE)
        stop(signal->data);
}

static void on_store(uv_poll_t *poll, int status, int events)
{
    const struct daemon *d = poll->data;

    (void)status;
    (void)events;
    store_dispatch(d->store);
}

static void watch_signals(struct daemon *d)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGPIPE};

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        d->signals[i].data = d;
        (void)uv_signal_init(&d->loop, &d->signals[i]);
        (void)uv_signal_start(&d->signals[i], on_signal, numbers[i]);
    }
}

static void on_called(void *user, struct call *call)
{
    methods_answer(user, call);
}

static const struct connection_ops connection_ops = {.called = on_called};

static void on_doubt(void *user, const char *uuid)
{
    const struct daemon *d = user;

    surveyor_again(d->surveyor, uuid);
}

static void on_lending_changed(void *user)
{
    const struct daemon *d = user;

    if (d->crew)
        crew_refresh(d->crew);
    if (d->dispatcher)
        dispatcher_wake(d->dispatcher);
}

static const struct lending_ops lending_ops = {on_doubt, on_lending_changed};

static bool affords_warm(void *user, const char *uuid)
{
    const struct daemon *d = user;

    return lending_affords_warm(d->lending, uuid);
}

static bool trusts(void *user, const char *uuid)
{
    const struct daemon *d = user;

    return lending_trusts(d->lending, uuid);
}

static void on_stands(void *user, const char *uuid, int pid)
{
    const struct daemon *d = user;

    lending_set_warm(d->lending, uuid, pid);
    dispatcher_wake(d->dispatcher); // a job may wait for its VRAM
}

static const struct crew_ops crew_ops = {affords_warm, trusts, on_stands};

static void on_survey_begins(void *user)
{
    const struct daemon *d = user;

    lending_survey_begins(d->lending);
}

static void on_surveyed(void *user)
{
    const struct daemon *d = user;

    watcher_wake(d->watcher);
    lending_surveyed(d->lending);
    dispatcher_surveyed(d->dispatcher);
}

static const struct surveyor_ops surveyor_ops = {on_survey_begins, on_surveyed};

/* It was exchanged while we run: what was surveyed is the old one's. */
static void look_at_driver(const struct daemon *d,
                           const struct inventory_device *device)
{
    if (!inventory_has_new_driver(d->inventory, device))
        return;
    log_info(NULL, "%s: its driver is %s now, and was %s: surveying again",
             device->survey.id, device->sample.driver, device->survey.driver);
    surveyor_again(d->surveyor, NULL);
}

static void on_sampled(void *user, struct inventory_device *device)
{
    const struct daemon *d = user;
    const struct device_profile *card =
        device_profiles_find(d->cards, device->survey.name);

    look_at_driver(d, device);
    mark_heat_note(&device->heat, &device->sample, card, device->sampled);
    lending_sampled(d->lending, device);
    gauges_note(d->gauges, device->survey.id, &device->sample, device->sampled);
}

/* Where CUDA keeps the kernels that it compiled: surveys fill it, and workers,
 * who inherit this, read there. An operator's own place wins. */
static void name_kernel_cache(const struct daemon *d)
{
    char *folder = xasprintf("%s/cuda", d->places.state);

    (void)setenv("CUDA_CACHE_PATH", folder, 0);
    free(folder);
}

/* What workers and surveys are started by, and the first survey. */
static void start_workers(struct daemon *d)
{
    const struct limits *l = &d->configuration.limits;
    char *worker = places_program(d->configuration.worker, "transcoded-worker");
    char *cache = xasprintf("%s/survey.json", d->places.state);
    const struct cgroup_limits limits = limit_workers(l);

    d->groups = cgroup_open(&limits);
    const struct surveyor_config survey = survey_by(d, l, worker);
    const struct watcher_config watch = watch_by(d, l, worker);

    name_kernel_cache(d);
    d->inventory = inventory_create();
    d->gauges = gauges_create(d->store);
    d->watcher = watcher_create(&d->loop, d->inventory, &watch, on_sampled, d);
    d->lending = lending_create(d->inventory, &lending_ops, d);
    lending_configure(d->lending, &d->configuration, d->cards);
    d->crew = crew_create(&d->loop, d->groups, d->inventory, &d->configuration,
                          &crew_ops, d);
    d->surveyor = surveyor_create(&d->loop, d->inventory, cache, &survey,
                                  &surveyor_ops, d);
    free(cache);
    free(worker);
}

static int start_store(struct daemon *d, struct error *e)
{
    int r = store_open(&d->store, d->places.state, e);
    if (r < 0)
        return r;
    d->store_poll.data = d;
    r = uv_poll_init(&d->loop, &d->store_poll, store_fd(d->store));
    if (r == 0)
        r = uv_poll_start(&d->store_poll, UV_READABLE, on_store);
    return r < 0 ? error_set_errno(e, r, "cannot watch the store") : 0;
}

int daemon_open(struct daemon *ret, struct places *places,
                struct configuration *configuration, struct error *e)
{
    struct daemon *d = ret;
    struct settings s;

    *d = (struct daemon){
        .places = *places,
        .configuration = *configuration,
        .notify = notify_open(getenv("NOTIFY_SOCKET")),
        .started = clock_now(),
    };
    (void)uv_loop_init(&d->loop);
    (void)uv_timer_init(&d->loop, &d->stop_timer);
    d->stop_timer.data = d;
    watch_signals(d);

    int r = settings_make(&s, &d->configuration, &d->places, e);
    if (r < 0)
        return r;
    d->rules = s.rules;
    d->output_group = s.output_group;
    d->profiles = s.profiles;
    d->cards = s.cards;
    r = places_prepare(&d->places, e);
    if (r == 0)
        r = start_store(d, e);
    if (r < 0)
        return r;

    d->followers = followers_create(&d->rules);
    start_workers(d);
    r = dispatcher_open(&d->dispatcher, d, e);
    if (r == 0)
        r = places_prepare_socket(&d->places, e);
    if (r == 0)
        r = server_open(&d->server, &d->loop, &s.server, &d->rules,
                        &connection_ops, d, e);
    if (r < 0)
        return r;
    d->heart = heart_start(d);
    notify_ready(d->notify);
    log_info(NULL, "listening on %s jobs=%zu", server_address(d->server),
             backlog_count(d->dispatcher->backlog));
    return 0;
}

void daemon_run(struct daemon *d)
{
    while (d->phase != DAEMON_CLOSING)
        (void)uv_run(&d->loop, UV_RUN_DEFAULT);
}

static void close_handle(uv_handle_t *handle, void *user)
{
    (void)user;
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

void daemon_close(struct daemon *d)
{
    // what clients were promised is carried out, and they are told, first
    if (d->store_poll.loop)
        (void)uv_poll_stop(&d->store_poll);
    gauges_destroy(d->gauges);
    store_close(d->store);
    heart_stop(d->heart);
    server_close(d->server);
    followers_destroy(d->followers);
    surveyor_destroy(d->surveyor);
    watcher_destroy(d->watcher);
    diagnose_stop(d);
    dispatcher_close(d->dispatcher);
    crew_destroy(d->crew);
    lending_destroy(d->lending);
    inventory_destroy(d->inventory);
    profiles_destroy(d->profiles);
    device_profiles_destroy(d->cards);

    // what is left are our own handles: their owners have closed theirs, and
    // killed children are waited for
    uv_handle_t *own[] = {
        (uv_handle_t *)&d->store_poll, (uv_handle_t *)&d->signals[0],
        (uv_handle_t *)&d->signals[1], (uv_handle_t *)&d->signals[2],
        (uv_handle_t *)&d->signals[3], (uv_handle_t *)&d->stop_timer,
    };
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        if (own[i]->loop)
            close_handle(own[i], NULL);
    }
    (void)uv_run(&d->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&d->loop);
    cgroup_close(d->groups); // which the last killed child has left
    configuration_fini(&d->configuration);
    places_fini(&d->places);
    notify_close(d->notify);
}
