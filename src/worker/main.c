/*
 * transcoded-worker: does one job, never two.
 *
 * The daemon starts it with the control socket on descriptor 3, often before
 * there is a job for it; then its libraries are loaded already when one comes.
 * With --standalone a client starts it: orders on 0, events on 1, the file
 * channel on 3, and it grants itself the CPU.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "attempt.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"
#include "control.h"
#include "diagnose.h"
#include "media/avlog.h"
#include "model/order.h"
#include "pipeline/gate.h"
#include "reporter.h"
#include "sandbox/confine.h"
#include "survey.h"
#include "watch.h"

/* How it is spoken to. */
struct mode {
    const char *flag;
    int orders;
    int events;
    int channel; // -1: comes with the job
};

static const struct mode modes[] = {
    {NULL, ORDER_FD, ORDER_FD, -1},
    {"--standalone", 0, 1, 3},
};

static const struct mode *find_mode(int argc, char **argv)
{
    if (argc == 1)
        return &modes[0];
    for (size_t i = 1; i < sizeof(modes) / sizeof(modes[0]); i++) {
        if (argc == 2 && strcmp(argv[1], modes[i].flag) == 0)
            return &modes[i];
    }
    return NULL;
}

static void on_libav_line(void *opaque, enum log_level level, const char *line)
{
    log_write(NULL, level, "%s", line);
    if (level <= LOG_LEVEL_WARNING)
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

static int work(const struct mode *mode)
{
    struct gate *gate = gate_create();
    struct reporter *reporter = reporter_create(mode->events);
    struct error e = {0};
    struct order order = {0};
    int channel = -1;

    prepare_libraries();
    avlog_start(on_libav_line, reporter);
    struct control *control = control_start(mode->orders, reporter, gate);
    int r = control_wait_job(control, &order, &channel, &e);
    if (r < 0) {
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
        "usage: transcoded-worker [--standalone]\n"
        "       transcoded-worker --survey [--cache FILE] [--anew UUID|all]\n"
        "       transcoded-worker --watch | --diagnose\n"
        "       transcoded-worker --version | --help\n\n"
        "Does one job of transcoded. The daemon starts it; by hand, with\n"
        "--standalone, it reads orders from standard input and writes events\n"
        "to standard output, and descriptor 3 is the file channel. It ends\n"
        "when standard input does.\n\n"
        "With --survey it tries what the GPUs here can do, and prints that as\n"
        "one JSON document. What it found is kept in FILE; devices that stand\n"
        "there are not tried again, but for those that --anew names.\n\n"
        "With --watch it says each second how the GPUs are, as JSON objects,\n"
        "each ended by NUL. With --diagnose it tells descriptor 3 what it can\n"
        "see and reach here.\n",
        to);
    return to == stdout ? 0 : 2;
}

int main(int argc, char **argv)
{
    struct error e = {0};

    if (confine_process(3, &e) < 0) {
        log_error(NULL, "%s", e.text);
        return 1;
    }
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return usage(stdout);
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        puts("transcoded-worker " TRANSCODED_VERSION);
        return 0;
    }
    if (argc >= 2 && strcmp(argv[1], "--survey") == 0) {
        int status = survey_main(argv + 2);
        return status == 2 ? usage(stderr) : status;
    }
    if (argc == 2 && strcmp(argv[1], "--watch") == 0)
        return watch_run(STDOUT_FILENO, WATCH_ENDLESS);
    if (argc == 2 && strcmp(argv[1], "--diagnose") == 0)
        return diagnose_run(ORDER_FD);
    const struct mode *mode = find_mode(argc, argv);
    if (!mode)
        return usage(stderr);
    return work(mode);
}
