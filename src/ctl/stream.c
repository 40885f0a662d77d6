#include "stream.h"

#include <inttypes.h>
#include <stdio.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/error.h"
#include "display.h"
#include "session.h"
#include "watch.h"
#include "wire/client.h"
#include "wire/interface.h"

struct attendance {
    const struct stream *stream;
    struct display *display;  // owned
    struct client *canceller; // owned; the connection that asked to cancel
    bool cancel_wanted;       // but the job's id is not known yet
};

/* Cancel goes over a connection of its own: replies to this one are events. */
static bool cancel(struct attendance *a)
{
    int64_t job = display_job(a->display);
    struct error e = {0};

    a->cancel_wanted = job == 0;
    if (a->cancel_wanted)
        return true;
    if (session_open(&a->canceller, a->stream->invocation) != STATUS_GOOD)
        return false;

    json_t *parameters = json_pack("{sI}", "id", (json_int_t)job);
    int r = client_call(a->canceller, INTERFACE_CANCEL, parameters, false, NULL,
                        0, &e);
    json_decref(parameters);
    return r == 0;
}

static int on_interrupt(void *user)
{
    struct attendance *a = user;

    return a->stream->interrupt == STREAM_CANCEL && cancel(a);
}

static void on_resize(void *user)
{
    struct attendance *a = user;

    display_resize(a->display);
}

static void on_reply(void *user, const json_t *parameters)
{
    struct attendance *a = user;
    const json_t *event = json_object_get(parameters, "event");

    if (event)
        display_event(a->display, event, clock_now());
    if (a->cancel_wanted)
        (void)cancel(a); // if it fails, a second Ctrl-C still leaves
}

static enum display_mode choose_mode(const struct stream *s)
{
    if (s->invocation->settings.json)
        return DISPLAY_JSON;
    return s->scope == STREAM_ALL_JOBS ? DISPLAY_LINES : DISPLAY_BAR;
}

/* After the display is gone: what the loop has to say, and what becomes of a
 * job that was left alone. */
static void tell(const struct stream *s, enum status status, int64_t job,
                 const struct error *e)
{
    bool left = status == STATUS_INTERRUPTED || status == STATUS_UNREACHABLE;
    bool goes_on = s->interrupt == STREAM_LEAVE && s->scope == STREAM_ONE_JOB;

    if (e->text[0])
        status_complain(e);
    if (left && goes_on && job)
        (void)status_fail(status,
                          "job %" PRId64
                          " goes on, 'transcodectl follow %" PRId64
                          "' shows it",
                          job, job);
}

enum status stream_run(const struct stream *s)
{
    struct terminal terminal;
    struct error e = {0};
    struct attendance a = {.stream = s};
    struct watch w = {.invocation = s->invocation,
                      .client = s->client,
                      .files = s->files,
                      .channel = s->channel,
                      .on_reply = on_reply,
                      .on_resize = on_resize,
                      .on_interrupt = on_interrupt,
                      .user = &a};

    terminal_init(&terminal, stdout);
    a.display = display_create(&terminal, choose_mode(s));
    enum status status = watch_run(&w, &e);
    if (status == STATUS_GOOD)
        status = status_from_state(display_state(a.display));
    int64_t job = display_job(a.display);
    display_destroy(a.display);
    client_close(a.canceller);
    tell(s, status, job, &e);
    return status;
}

enum status stream_call(const struct invocation *v, const char *method,
                        json_t *parameters, enum stream_scope scope)
{
    struct stream stream = {.invocation = v,
                            .channel = -1,
                            .interrupt = STREAM_LEAVE,
                            .scope = scope};
    struct error e = {0};

    enum status s = session_open(&stream.client, v);
    if (s != STATUS_GOOD) {
        json_decref(parameters);
        return s;
    }
    int r = client_call(stream.client, method, parameters, true, NULL, 0, &e);
    json_decref(parameters);
    s = r < 0 ? status_fail(STATUS_UNREACHABLE, "%s", e.text)
              : stream_run(&stream);
    client_close(stream.client);
    return s;
}
