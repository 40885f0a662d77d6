#include "watch.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "model/sample.h"
#include "nvml.h"

#define PERIOD SECOND

static int send_sample(int fd, const struct sample *s)
{
    json_t *json = sample_to_json(s);
    char *text = json_dumps(json, JSON_COMPACT);

    json_decref(json);
    int r = text ? fd_write_all(fd, text, strlen(text) + 1) : -ENOMEM;
    free(text);
    return r;
}

/* A problem that lasts is said once. */
static void complain(const struct error *e, struct error *last)
{
    if (strcmp(e->text, last->text) != 0)
        log_warning(NULL, "%s", e->text);
    *last = *e;
}

/* One sample of each card that answers: how many, or -errno of @fd. */
static int sample_all(const struct nvml *n, int fd, struct error *last)
{
    int sent = 0;

    for (size_t i = 0; i < nvml_count(n); i++) {
        struct sample s;
        struct error e = {0};
        if (nvml_read(n, i, &s, &e) < 0) {
            complain(&e, last);
            continue;
        }
        int r = send_sample(fd, &s);
        if (r < 0)
            return r;
        sent++;
    }
    return sent;
}

static void sleep_until(int64_t time)
{
    const struct timespec t = {.tv_sec = time / SECOND,
                               .tv_nsec = time % SECOND * 1000};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
        ;
}

static int watch(const struct nvml *n, int fd, int rounds)
{
    struct error last = {0};
    int64_t next = clock_now();

    for (int i = 1;; i++) {
        int sent = sample_all(n, fd, &last);
        if (sent < 0) // nobody listens any more
            return 0;
        if (sent == 0) {
            // a driver that was exchanged answers to a fresh process alone
            log_warning(NULL, "no card answers");
            return 1;
        }
        if (i == rounds)
            return 0;
        next += PERIOD;
        if (next < clock_now()) // it was slow, or the machine slept
            next = clock_now();
        sleep_until(next);
    }
}

int watch_run(int fd, int rounds)
{
    struct nvml *n;
    struct error e = {0};

    if (nvml_open(&n, &e) < 0) {
        log_warning(NULL, "%s", e.text);
        return 1;
    }
    int status = watch(n, fd, rounds);
    nvml_close(n);
    return status;
}
