/*
 * worker: a stand-in for transcoded-worker that does what its job's input path
 * says: words behind the last slash, with '+' between them, in this order.
 *
 *   /fake/need+ready+progress+done      a good job
 *   /fake/need+ready+crash@1+done       crashes in its first attempt only
 * With --survey it says that there is no GPU.
 *
 * need              says so, and waits for the grant
 * encode            the same, of a job that takes a CPU slot
 * ready, progress   say so
 * log:N             says it N times, once without a number
 * done, say:NAME    end with this outcome
 * released          says that it holds nothing any more
 * output            writes "fake" to output 0, by the channel
 * wait              until it is stopped, as a good worker would
 * deaf              for ever, whatever is asked
 * crash, kill, mute, exit:N   end without an outcome
 * lie, babble, junk, huge     say what no worker may
 * hangup            closes the control socket, but lives on
 * noise             prints much on standard error
 * sleep:MS          takes its time
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "model/limits.h"
#include "model/order.h"
#include "wire/channel.h"
#include "wire/frame.h"

struct worker {
    struct frame_reader *orders;
    int channel; // -1: none yet
    long long attempt;
    bool plan_only;
    char script[4096];
};

static void say(const char *text)
{
    (void)fd_write_all(ORDER_FD, text, strlen(text) + 1);
}

/* The next order; ends with the daemon. The caller frees. */
static json_t *next_order(struct worker *w)
{
    const char *text;
    size_t size;
    int fds[LIMITS_FDS];
    size_t count;

    while (frame_next(w->orders, &text, &size, fds, &count) <= 0) {
        char chunk[65536];
        ssize_t n =
            fd_receive(ORDER_FD, chunk, sizeof(chunk), fds, LIMITS_FDS, &count);
        if (n <= 0)
            _exit(0);
        if (frame_push(w->orders, chunk, (size_t)n, fds, count) < 0)
            _exit(9);
    }
    if (count)
        w->channel = fds[0];
    return json_loadb(text, size, 0, NULL);
}

static bool is_order(const json_t *order, const char *name)
{
    const char *kind = json_string_value(json_object_get(order, "order"));

    return kind && strcmp(kind, name) == 0;
}

static void end_cancelled(void)
{
    say("{\"event\":\"outcome\",\"outcome\":\"cancelled\",\"text\":\"asked "
        "to stop\",\"frames\":0,\"errors\":0,\"outputs\":[]}");
    _exit(0);
}

static void wait_for(struct worker *w, const char *name)
{
    for (;;) {
        json_t *order = next_order(w);
        bool found = is_order(order, name);
        if (is_order(order, "stop"))
            end_cancelled();
        json_decref(order);
        if (found)
            return;
    }
}

static void take_job(struct worker *w)
{
    json_t *order = next_order(w);
    const json_t *job = json_object_get(order, "job");
    const char *path = json_string_value(
        json_object_get(json_object_get(job, "input"), "path"));
    const char *slash = path ? strrchr(path, '/') : NULL;

    w->attempt = json_integer_value(json_object_get(order, "attempt"));
    w->plan_only = json_is_true(json_object_get(order, "plan_only"));
    (void)snprintf(w->script, sizeof(w->script), "%s", slash ? slash + 1 : "");
    json_decref(order);
}

static void outcome(const char *name)
{
    char text[512];

    (void)snprintf(text, sizeof(text),
                   "{\"event\":\"outcome\",\"outcome\":\"%s\",\"text\":\"by "
                   "script\",\"frames\":3,\"errors\":0,\"outputs\":[]}",
                   name);
    say(text);
    _exit(0);
}

static void need(struct worker *w, const char *renditions)
{
    char text[512];

    (void)snprintf(text, sizeof(text),
                   "{\"event\":\"need\",\"decodes_video\":false,\"codec\":\"\","
                   "\"width\":0,\"height\":0,\"depth\":0,\"renditions\":[%s],"
                   "\"duration\":1.0}",
                   renditions);
    say(text);
    wait_for(w, "grant");
}

static void ready(struct worker *w)
{
    say("{\"event\":\"ready\",\"device\":\"cpu\",\"plan\":[\"copy\"],"
        "\"why\":[\"it is a fake\"]}");
    if (w->plan_only)
        outcome("done");
}

static void progress(void)
{
    say("{\"event\":\"progress\",\"frame\":1,\"fps\":25.0,\"speed\":1.0,"
        "\"out_time\":0.04,\"percent\":50.0,\"eta\":0.04,\"size\":4,"
        "\"bitrate\":800}");
}

/* One request on the file channel; *@ret_fd is what came with the reply. */
static void request(struct worker *w, enum channel_verb verb, int number,
                    int *ret_fd)
{
    const struct channel_request q = {
        .verb = verb, .role = CHANNEL_OUTPUT, .number = number, .second = -1};
    char packet[CHANNEL_MOST];
    size_t size = channel_format_request(&q, packet);
    size_t count = 0;

    if (fd_send(w->channel, packet, size, NULL, 0) < 0)
        _exit(7);
    ssize_t n =
        fd_receive(w->channel, packet, sizeof(packet), ret_fd, 1, &count);
    struct channel_reply p;
    if (n <= 0 || channel_parse_reply(&p, packet, (size_t)n, NULL) < 0 ||
        p.code < 0)
        outcome("output_failed");
}

static void write_output(struct worker *w)
{
    int fd = -1;
    int none = -1;

    request(w, CHANNEL_ATTEMPT, (int)w->attempt, &none);
    request(w, CHANNEL_OPEN, 0, &fd);
    if (fd < 0 || fd_write_all(fd, "fake", 4) < 0)
        outcome("output_failed");
    fd_close(&fd);
    request(w, CHANNEL_DONE, 0, &none);
}

static void be_deaf(void)
{
    (void)signal(SIGTERM, SIG_IGN);
    for (;;)
        (void)pause();
}

static void babble(void)
{
    for (;;)
        progress();
}

static void huge(void)
{
    static char chunk[65536];

    memset(chunk, 'x', sizeof(chunk));
    for (;;)
        (void)fd_write_all(ORDER_FD, chunk, sizeof(chunk));
}

static void sleep_ms(long ms)
{
    const struct timespec t = {ms / 1000, ms % 1000 * 1000000};

    (void)nanosleep(&t, NULL);
}

static void noise(void)
{
    for (int i = 0; i < 20000; i++)
        (void)fprintf(stderr, "line %d of noise\n", i);
}

static void say_log(struct worker *w, const char *value)
{
    (void)w;
    for (long n = *value ? atol(value) : 1; n > 0; n--)
        say("{\"event\":\"log\",\"level\":\"warning\",\"text\":\"hello\"}");
}

#define ACTION(name, statement) \
    static void name(struct worker *w, const char *value) \
    { \
        (void)w; \
        (void)value; \
        statement; \
    }

ACTION(do_need, need(w, ""))
ACTION(do_encode, need(w, "{\"codec\":\"h264\",\"width\":320,"
                          "\"height\":180,\"depth\":8}"))
ACTION(do_ready, ready(w))
ACTION(do_progress, progress())
ACTION(do_done, outcome("done"))
ACTION(do_say, outcome(value))
ACTION(do_released, say("{\"event\":\"released\"}"))
ACTION(do_output, write_output(w))
ACTION(do_wait, wait_for(w, "never"))
ACTION(do_deaf, be_deaf())
// a sanitizer would catch the signal
ACTION(do_crash, (void)signal(SIGSEGV, SIG_DFL); (void)raise(SIGSEGV))
ACTION(do_kill, (void)raise(SIGKILL))
ACTION(do_exit, _exit(atoi(value)))
ACTION(do_babble, babble())
ACTION(do_junk, say("this is no JSON"))
ACTION(do_huge, huge())
ACTION(do_hangup, (void)close(ORDER_FD); be_deaf())
ACTION(do_noise, noise())
ACTION(do_sleep, sleep_ms(atol(value)))

static const struct {
    const char *word;
    void (*act)(struct worker *w, const char *value);
} actions[] = {
    {"need", do_need},         {"encode", do_encode}, {"ready", do_ready},
    {"progress", do_progress}, {"log", say_log},      {"done", do_done},
    {"lie", do_done},          {"say", do_say},       {"released", do_released},
    {"output", do_output},     {"wait", do_wait},     {"deaf", do_deaf},
    {"crash", do_crash},       {"kill", do_kill},     {"exit", do_exit},
    {"mute", do_exit},         {"babble", do_babble}, {"junk", do_junk},
    {"huge", do_huge},         {"hangup", do_hangup}, {"noise", do_noise},
    {"sleep", do_sleep},
};

/* An unknown word would make a test pass that tests nothing. */
static void perform(struct worker *w, const char *word, const char *value)
{
    for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
        if (strcmp(actions[i].word, word) == 0) {
            actions[i].act(w, value);
            return;
        }
    }
    (void)fprintf(stderr, "no such word: %s\n", word);
    _exit(99);
}

/* "word:value@attempt": the parts behind it are optional. */
static void follow(struct worker *w)
{
    char *rest = w->script;
    char *word;

    while ((word = strsep(&rest, "+"))) {
        char *at = strchr(word, '@');
        if (at && atoll(at + 1) != w->attempt)
            continue;
        if (at)
            *at = '\0';
        char *value = strchr(word, ':');
        if (value)
            *value++ = '\0';
        perform(w, word, value ? value : "");
    }
}

static int survey(void)
{
    puts("{\"libav\":\"fake\",\"nvenc_headers\":\"\",\"devices\":[],"
         "\"problems\":[\"the worker is a fake\"]}");
    return 0;
}

int main(int argc, char **argv)
{
    struct worker w = {.channel = -1};

    if (argc > 1 && strcmp(argv[1], "--survey") == 0)
        return survey();
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGPIPE, SIG_IGN);
    w.orders = frame_reader_create(LIMITS_MESSAGE, LIMITS_FDS);
    take_job(&w);
    follow(&w);
    wait_for(&w, "never");
    return 0;
}
