/*
 * jobs: how many, how fast, how lean, without running any.
 */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/memory.h"
#include "service.h"
#include "store/store.h"
#include "wire/client.h"
#include "wire/interface.h"

#define CLIENTS      8
#define SUBMITS      500 // of each client in a run
#define SUBMITS_SLOW 50
#define MANY         100000
#define LISTS        200
#define FILL_AHEAD   512 // requests under way while the store is filled

static const char document[] =
    "{\"hardware\":\"none\",\"input\":{\"path\":\"/media/films/One film of "
    "many (2021)/film.mkv\"},\"outputs\":[{\"path\":\"/media/out/One film of "
    "many (2021)/film.mp4\",\"video\":{\"codec\":\"h264\",\"max_height\":720,"
    "\"preset\":\"veryfast\",\"quality\":23.0},\"audio\":[{\"codec\":\"aac\","
    "\"bitrate\":128000}]}]}";

/* One of several that submit at the same time, each after its last answer. */
struct submitter {
    pthread_t thread;
    const char *socket;
    json_t *parameters; // owned
    size_t count;
    double *latencies; // ms; not owned, @count of them
    int result;
    struct error error;
};

static int submit_one(struct client *c, const json_t *parameters,
                      struct error *e)
{
    struct message_reply reply;

    int r = client_call(c, INTERFACE_SUBMIT, parameters, false, NULL, 0, e);
    if (r < 0)
        return r;
    r = client_receive(c, -1, &reply, e);
    if (r == 0)
        return error_set(e, -EPIPE, "the daemon hung up");
    if (r < 0)
        return r;
    r = reply.error ? error_set(e, -EREMOTEIO, "%s", reply.error) : 0;
    message_reply_fini(&reply);
    return r;
}

static void *submit_all(void *user)
{
    struct submitter *s = user;
    struct client *c = NULL;

    s->result = client_connect(&c, s->socket, &s->error);
    for (size_t i = 0; i < s->count && s->result == 0; i++) {
        int64_t begin = clock_now();
        s->result = submit_one(c, s->parameters, &s->error);
        s->latencies[i] = (double)(clock_now() - begin) / MILLISECOND;
    }
    client_close(c);
    return NULL;
}

static json_t *submission(const struct bench *b, size_t client)
{
    char input[512];
    char output[512];

    (void)snprintf(input, sizeof(input), "%s/film.mkv", b->folder);
    (void)snprintf(output, sizeof(output), "%s/film-%zu.mp4", b->folder,
                   client);
    return json_pack("{s:b, s:{s:{s:s}, s:[{s:s}]}}", "detach", true, "job",
                     "input", "path", input, "outputs", "path", output);
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;

    return (x > y) - (x < y);
}

/* *@ret_rate: acknowledged a second; *@ret_p99: ms. */
static int submit_run(struct bench *b, const struct service *s, size_t each,
                      double *ret_rate, double *ret_p99, struct error *e)
{
    struct submitter all[CLIENTS] = {0};
    double *latencies = xcalloc(CLIENTS * each, sizeof(latencies[0]));
    size_t started = 0;
    int r = 0;

    int64_t begin = clock_now();
    for (; started < CLIENTS && r == 0; started += r == 0) {
        struct submitter *one = &all[started];
        one->socket = service_socket(s);
        one->parameters = submission(b, started);
        one->count = each;
        one->latencies = latencies + started * each;
        r = -pthread_create(&one->thread, NULL, submit_all, one);
    }
    for (size_t i = 0; i < started; i++) {
        (void)pthread_join(all[i].thread, NULL);
        if (r == 0 && all[i].result < 0) {
            r = all[i].result;
            *e = all[i].error;
        }
    }
    double seconds = (double)(clock_now() - begin) / SECOND;
    for (size_t i = 0; i < CLIENTS; i++)
        json_decref(all[i].parameters);

    qsort(latencies, CLIENTS * each, sizeof(latencies[0]), compare);
    *ret_rate = (double)(CLIENTS * each) / seconds;
    *ret_p99 = latencies[CLIENTS * each * 99 / 100];
    free(latencies);
    return r;
}

static int submit_runs(struct bench *b, const char *name, const char *preload,
                       size_t each, double reach, struct error *e)
{
    double rates[REPORT_SAMPLES_MOST];
    double p99s[REPORT_SAMPLES_MOST];
    struct service *s = NULL;

    int r = service_start(&s, NULL, b->build, b->folder, preload, e);
    if (r == 0)
        r = service_call(s, NULL, "Drain", NULL, e); // keep, but start nothing
    for (size_t i = 0; i < b->pairs && r == 0; i++)
        r = submit_run(b, s, each, &rates[i], &p99s[i], e);
    service_stop(s);
    if (r < 0)
        return r;
    report_values(b->report,
                  &(struct report_measure){name, "acknowledged", NULL, "1/s",
                                           REPORT_AT_LEAST, reach},
                  rates, b->pairs);
    if (!preload)
        report_values(b->report,
                      &(struct report_measure){name, "p99", NULL, "ms",
                                               REPORT_AT_MOST, 20},
                      p99s, b->pairs);
    return 0;
}

/* A film that is there, for Submit may look. */
static int make_film(const struct bench *b, struct error *e)
{
    char *path = xasprintf("%s/film.mkv", b->folder);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    int r = fd < 0 ? error_set_errno(e, -errno, "cannot open '%s'", path) : 0;

    fd_close(&fd);
    free(path);
    return r;
}

int bench_submit(struct bench *b, struct error *e)
{
    int r = make_film(b, e);
    return r < 0 ? r : submit_runs(b, "submit", NULL, SUBMITS, 3000, e);
}

int bench_slow_disk(struct bench *b, struct error *e)
{
    char *preload = xasprintf("%s/tests/bench/slow_sync.so", b->build);

    int r = make_film(b, e);
    if (r == 0)
        r = submit_runs(b, "slow-disk", preload, SUBMITS_SLOW, 400, e);
    free(preload);
    return r;
}

/* The store's own calls: by Submit it would take half a minute. */
struct filler {
    struct store *store;
    size_t left;
    size_t waiting;
    int result;
};

static void on_added(void *user, int result, int64_t id, const struct error *e);

static void fill_one(struct filler *f)
{
    if (f->left == 0)
        return;
    f->left--;
    f->waiting++;
    store_add(f->store, &(struct store_new){.uid = 0, .document = document},
              on_added, f);
}

/* Held, so that the daemon keeps it queued and runs nothing meanwhile. */
static void on_added(void *user, int result, int64_t id, const struct error *e)
{
    struct filler *f = user;
    struct store_job job = {.id = id, .state = STATE_QUEUED, .held = true};

    (void)e;
    f->waiting--;
    if (result < 0)
        f->result = result;
    else
        store_update(f->store, &job, OUTCOME_NONE, NULL, NULL);
    fill_one(f);
}

static int fill(const struct bench *b, struct error *e)
{
    char *state = xasprintf("%s/state", b->folder);
    struct filler f = {.left = MANY};

    (void)mkdir(state, 0700);
    int r = store_open(&f.store, state, e);
    free(state);
    if (r < 0)
        return r;
    for (size_t i = 0; i < FILL_AHEAD; i++)
        fill_one(&f);
    while (f.waiting > 0) {
        struct pollfd p = {.fd = store_fd(f.store), .events = POLLIN};
        (void)poll(&p, 1, -1);
        store_dispatch(f.store);
    }
    store_close(f.store);
    return f.result < 0 ? error_set_errno(e, f.result, "cannot fill the store")
                        : 0;
}

static int list_often(const struct service *s, double ret[LISTS],
                      struct error *e)
{
    json_t *parameters = json_pack("{s:i}", "limit", 50);
    int r = 0;

    for (size_t i = 0; i < LISTS && r == 0; i++) {
        json_t *reply = NULL;
        int64_t begin = clock_now();
        r = service_call(s, &reply, "List", parameters, e);
        ret[i] = (double)(clock_now() - begin) / MILLISECOND;
        if (r == 0 && json_array_size(json_object_get(reply, "jobs")) != 50)
            r = error_set(e, -EIO, "a page is not 50 long");
        json_decref(reply);
    }
    json_decref(parameters);
    qsort(ret, LISTS, sizeof(ret[0]), compare);
    return r;
}

static int many_run(const struct bench *b, double *ret_ready, double *ret_list,
                    double *ret_rss, struct error *e)
{
    double lists[LISTS];
    struct service *s = NULL;

    int r = service_start(&s, ret_ready, b->build, b->folder, NULL, e);
    if (r == 0)
        r = list_often(s, lists, e);
    if (r == 0) {
        *ret_list = lists[LISTS / 2];
        *ret_rss = process_memory(service_pid(s), "VmHWM") / (1 << 20);
    }
    service_stop(s);
    return r;
}

int bench_many(struct bench *b, struct error *e)
{
    double ready[REPORT_SAMPLES_MOST];
    double list[REPORT_SAMPLES_MOST];
    double rss[REPORT_SAMPLES_MOST];

    int r = fill(b, e);
    for (size_t i = 0; i < b->pairs && r == 0; i++)
        r = many_run(b, &ready[i], &list[i], &rss[i], e);
    if (r < 0)
        return r;
    report_values(b->report,
                  &(struct report_measure){"many", "rss, at the peak", NULL,
                                           "MiB", REPORT_AT_MOST, 64},
                  rss, b->pairs);
    report_values(b->report,
                  &(struct report_measure){"many", "list of 50", NULL, "ms",
                                           REPORT_AT_MOST, 5},
                  list, b->pairs);
    report_values(b->report,
                  &(struct report_measure){"many", "start to ready", NULL, "s",
                                           REPORT_AT_MOST, 1},
                  ready, b->pairs);
    return 0;
}
