#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/error.h"
#include "command.h"
#include "devices.h"
#include "session.h"
#include "terminal.h"
#include "wire/client.h"
#include "wire/interface.h"

#define PERIOD SECOND

static void print_once(const json_t *answer)
{
    struct terminal t;

    terminal_init(&t, stdout);
    devices_print(answer, &t);
}

/* A picture that replaces the one before it, or a block behind it. */
static void print_again(const json_t *answer)
{
    struct terminal t;
    time_t now = time(NULL);
    struct tm local;
    char when[32] = "";

    terminal_init(&t, stdout);
    if (localtime_r(&now, &local))
        (void)strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &local);
    (void)fprintf(stdout, "%s%s\n\n", t.live ? "\033[H\033[J" : "", when);
    devices_print(answer, &t);
    (void)fputs(t.live ? "" : "\n", stdout);
}

static void on_interrupt(int number)
{
    (void)number;
    _exit(STATUS_INTERRUPTED); // nothing is under way that could be lost
}

static void wait_until(int64_t time)
{
    const struct timespec t = {.tv_sec = time / SECOND,
                               .tv_nsec = time % SECOND * 1000};

    (void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static enum status watch(const struct invocation *v)
{
    struct client *c;
    struct error e = {0};
    int64_t next = clock_now();

    enum status s = session_open(&c, v);
    if (s != STATUS_GOOD)
        return s;
    (void)signal(SIGINT, on_interrupt);
    (void)setvbuf(stdout, NULL, _IOFBF, BUFSIZ); // a picture in one piece
    while (s == STATUS_GOOD) {
        json_t *answer;
        s = session_ask(&answer, c, v, INTERFACE_DEVICES, NULL);
        if (s != STATUS_GOOD)
            break;
        if (v->settings.json)
            session_print_json(answer);
        else
            print_again(answer);
        json_decref(answer);
        if (fflush(stdout) == EOF) {
            s = status_cannot_print(&e);
            status_complain(&e);
        }
        wait_until(next += PERIOD);
    }
    client_close(c);
    return s;
}

static enum status run(const struct invocation *v)
{
    if (v->settings.watch)
        return watch(v);
    return session_query(v, INTERFACE_DEVICES, NULL, print_once);
}

// clang-format off
static const struct flag flags[] = {
    FLAG_SWITCH(watch, 'w', "Show them again each second, until Ctrl-C"),
    FLAG_END
};
// clang-format on

const struct command command_devices = {
    .name = "devices",
    .operands = "",
    .help = "Show what the machine has to work with, and how it is",
    .flags = flags,
    .run = run,
};
