/*
 * worker: a stand-in for transcoded-worker that does what its job's input path
 * says: words behind the last slash, with '+' between them, in this order.
 *
 *   /fake/need+ready+progress+done      a good job
 *   /fake/need+ready+crash@1+done       crashes in its first attempt only
 *
 * need              says so, and waits for the grant
 * encode            the same, of a job that takes a CPU slot
 * gpu:N             the same, of one with N renditions, 1 without a number, that
 *                   each device of the order decodes and encodes
 * ready, progress   say so; the plan tells the grant where there are devices
 * log:N             says it N times, once without a number
 * done, say:NAME    end with this outcome; say:NAME:PART blames a part
 * released          says that it holds nothing any more
 * output            writes "fake" to output 0, by the channel
 * wait              until it is stopped, as a good worker would
 * work:NAME         the same, but says progress now and then while it is not
 *                   paused, and goes on once there is that file, if any is named
 * stubborn          from now on no SIGTERM ends it
 * deaf              for ever, whatever is asked
 * crash, kill, mute, exit:N   end without an outcome
 * lie, babble, junk, huge     say what no worker may
 * hangup            closes the control socket, but lives on
 * noise             prints much on standard error
 * sleep:MS          takes its time
 * until:NAME        reads no orders until there is that file in the folder
 *                   $FAKE_GPU
 *
 * With --survey it prints survey.json of that folder, or that there is no GPU,
 * once no file "hold" is there; with --watch sample.json each 50 ms: a test says
 * what GPUs there are, and what others do on them.
 */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
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
    json_t *devices; // of the order
    json_t *grant;   // that was waited for last
    char script[4096];
};

static void say(const char *text)
{
    (void)fd_write_all(ORDER_FD, text, strlen(text) + 1);
}

/* The next one of the orders that were read; or NULL. The caller frees. */
static json_t *read_order(struct worker *w)
{
    const char *text;
    size_t size;
    int fds[LIMITS_FDS];
    size_t count;

    if (frame_next(w->orders, &text, &size, fds, &count) <= 0)
        return NULL;
    if (count)
        w->channel = fds[0];
    return json_loadb(text, size, 0, NULL);
}

/* The next order; ends with the daemon. The caller frees. */
static json_t *next_order(struct worker *w)
{
    json_t *order;

    while (!(order = read_order(w))) {
        char chunk[65536];
        int fds[LIMITS_FDS];
        size_t count;
        ssize_t n =
            fd_receive(ORDER_FD, chunk, sizeof(chunk), fds, LIMITS_FDS, &count);
        if (n <= 0)
            _exit(0);
        if (frame_push(w->orders, chunk, (size_t)n, fds, count) < 0)
            _exit(9);
    }
    return order;
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
        if (is_order(order, "stop"))
            end_cancelled();
        if (is_order(order, name)) {
            json_decref(w->grant);
            w->grant = order;
            return;
        }
        json_decref(order);
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
    w->devices = json_incref(json_object_get(order, "devices"));
    (void)snprintf(w->script, sizeof(w->script), "%s", slash ? slash + 1 : "");
    json_decref(order);
}

/* "device_lost", or "device_lost:encode", which is a part to blame, or
 * "device_lost:encode:7", which has written 7 bytes. */
static void outcome(const char *value)
{
    char output[96] = "";
    char text[512];
    size_t length = strcspn(value, ":");
    const char *part = value[length] ? value + length + 1 : "";
    size_t part_length = strcspn(part, ":");

    if (part[part_length])
        (void)snprintf(output, sizeof(output),
                       "{\"path\":\"/fake\",\"size\":%s,\"duration\":0.0,"
                       "\"frames\":0}",
                       part + part_length + 1);
    (void)snprintf(
        text, sizeof(text),
        "{\"event\":\"outcome\",\"outcome\":\"%.*s\",\"part\":%s%.*s%s,"
        "\"text\":\"by script\",\"frames\":3,\"errors\":0,"
        "\"outputs\":[%s]}",
        (int)length, value, *part ? "\"" : "",
        (int)(*part ? part_length : strlen("null")), *part ? part : "null",
        *part ? "\"" : "", output);
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

/* A job that every device of the order takes, with so many renditions. */
static void need_gpu(struct worker *w, int renditions)
{
    json_t *list = json_array();
    json_t *devices = json_array();
    size_t i;
    const json_t *device;

    for (int n = 0; n < renditions; n++)
        json_array_append_new(list, json_pack("{s:s, s:i, s:i, s:i}", "codec",
                                              "h264", "width", 1280, "height",
                                              720, "depth", 8));
    json_array_foreach (w->devices, i, device)
        json_array_append_new(devices, json_pack("{s:O, s:i, s:b, s:i}", "id",
                                                 json_object_get(device, "id"),
                                                 "sessions", renditions,
                                                 "decodes", 1, "surfaces", 12));
    json_t *need = json_pack(
        "{s:s, s:b, s:s, s:i, s:i, s:i, s:o, s:o, s:f}", "event", "need",
        "decodes_video", 1, "codec", "h264", "width", 1920, "height", 1080,
        "depth", 8, "renditions", list, "devices", devices, "duration", 1.0);
    char *text = json_dumps(need, JSON_COMPACT);
    say(text);
    free(text);
    json_decref(need);
    wait_for(w, "grant");
}

/* "cuda:0 sessions=1 decode=1", of what was granted. */
static void ready_on(const struct worker *w)
{
    const char *device = json_string_value(json_object_get(w->grant, "device"));
    char plan[128];

    (void)snprintf(
        plan, sizeof(plan), "%s sessions=%d decode=%d", device,
        (int)json_integer_value(json_object_get(w->grant, "sessions")),
        json_is_true(json_object_get(w->grant, "decode")));
    json_t *event = json_pack("{s:s, s:s, s:[s], s:[]}", "event", "ready",
                              "device", device, "plan", plan, "why");
    char *text = json_dumps(event, JSON_COMPACT);
    say(text);
    free(text);
    json_decref(event);
}

static void ready(struct worker *w)
{
    if (json_array_size(w->devices) > 0) {
        ready_on(w);
        if (w->plan_only)
            outcome("done");
        return;
    }
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

static void be_stubborn(void)
{
    (void)signal(SIGTERM, SIG_IGN);
}

static void be_deaf(void)
{
    be_stubborn();
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

/* A file of the test's folder. */
static char *place_of(const char *name)
{
    static char path[4096];
    const char *folder = getenv("FAKE_GPU");

    (void)snprintf(path, sizeof(path), "%s/%s", folder ? folder : "", name);
    return path;
}

static bool is_there(const char *name)
{
    return access(place_of(name), F_OK) == 0;
}

static void wait_for_file(const char *name)
{
    while (!is_there(name))
        sleep_ms(10);
}

/* What the next order is about, if one comes soon. */
static void heed(struct worker *w, bool *is_paused)
{
    struct pollfd orders = {.fd = ORDER_FD, .events = POLLIN};
    json_t *order = read_order(w);

    if (!order && poll(&orders, 1, 50) <= 0)
        return;
    if (!order)
        order = next_order(w);
    if (is_order(order, "stop"))
        end_cancelled();
    if (is_order(order, "pause") || is_order(order, "resume"))
        *is_paused = is_order(order, "pause");
    json_decref(order);
}

static void work(struct worker *w, const char *end)
{
    bool is_paused = false;

    while (is_paused || !*end || !is_there(end)) {
        if (!is_paused)
            progress();
        heed(w, &is_paused);
    }
}

static int survey(void)
{
    while (is_there("hold"))
        sleep_ms(10);
    json_t *found = json_load_file(place_of("survey.json"), 0, NULL);
    if (!found)
        found = json_pack("{s:s, s:s, s:[], s:[s]}", "libav", "fake",
                          "nvenc_headers", "", "devices", "problems",
                          "the worker is a fake");
    (void)json_dumpf(found, stdout, JSON_COMPACT);
    json_decref(found);
    return 0;
}

/* The test replaces the file as a whole. */
static int watch(void)
{
    for (;;) {
        json_t *sample = json_load_file(place_of("sample.json"), 0, NULL);
        char *text = sample ? json_dumps(sample, JSON_COMPACT) : NULL;
        if (text && fd_write_all(STDOUT_FILENO, text, strlen(text) + 1) < 0)
            return 0;
        free(text);
        json_decref(sample);
        sleep_ms(50);
    }
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
ACTION(do_gpu, need_gpu(w, *value ? atoi(value) : 1))
ACTION(do_until, wait_for_file(value))
ACTION(do_ready, ready(w))
ACTION(do_progress, progress())
ACTION(do_done, outcome("done"))
ACTION(do_say, outcome(value))
ACTION(do_released, say("{\"event\":\"released\"}"))
ACTION(do_output, write_output(w))
ACTION(do_wait, wait_for(w, "never"))
ACTION(do_work, work(w, value))
ACTION(do_stubborn, be_stubborn())
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
    {"need", do_need},         {"encode", do_encode},
    {"ready", do_ready},       {"progress", do_progress},
    {"log", say_log},          {"done", do_done},
    {"lie", do_done},          {"say", do_say},
    {"released", do_released}, {"output", do_output},
    {"wait", do_wait},         {"deaf", do_deaf},
    {"crash", do_crash},       {"kill", do_kill},
    {"exit", do_exit},         {"mute", do_exit},
    {"babble", do_babble},     {"junk", do_junk},
    {"huge", do_huge},         {"hangup", do_hangup},
    {"noise", do_noise},       {"sleep", do_sleep},
    {"gpu", do_gpu},           {"until", do_until},
    {"work", do_work},         {"stubborn", do_stubborn},
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

int main(int argc, char **argv)
{
    struct worker w = {.channel = -1};

    if (argc > 1 && strcmp(argv[1], "--survey") == 0)
        return survey();
    if (argc > 1 && strcmp(argv[1], "--watch") == 0)
        return watch();
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    (void)signal(SIGPIPE, SIG_IGN);
    w.orders = frame_reader_create(LIMITS_MESSAGE, LIMITS_FDS);
    take_job(&w);
    follow(&w);
    wait_for(&w, "never");
    return 0;
}
