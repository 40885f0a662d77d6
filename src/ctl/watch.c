#include "watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <jansson.h>

#include "base/error.h"
#include "base/fd.h"
#include "files/files.h"
#include "session.h"
#include "wire/client.h"

enum step { STEP_WAIT, STEP_END };

/* One run of the loop. */
struct loop {
    struct watch *watch;
    int signals;
    bool interrupted;
    enum status status;  // valid at STEP_END
    struct error *error; // not owned; what is to be told
};

static enum step end(struct loop *l, enum status s)
{
    l->status =
        l->interrupted && s != STATUS_UNREACHABLE ? STATUS_INTERRUPTED : s;
    return STEP_END;
}

static enum step take_reply(struct loop *l, struct message_reply *reply)
{
    struct watch *w = l->watch;
    enum step step = STEP_WAIT;

    if (reply->error) {
        step = end(l, session_refused(w->invocation, reply, l->error));
    } else {
        w->on_reply(w->user, reply->parameters);
        if (ferror(stdout))
            step = end(l, status_cannot_print(l->error));
        else if (!reply->continues)
            step = end(l, STATUS_GOOD);
    }
    message_reply_fini(reply);
    return step;
}

/* All replies that are there: some may wait in the client, unseen by poll. */
static enum step take_replies(struct loop *l)
{
    enum step step = STEP_WAIT;

    while (step == STEP_WAIT) {
        struct message_reply reply;
        struct error e = {0};
        int r = client_receive(l->watch->client, 0, &reply, &e);

        if (r == -EAGAIN)
            return STEP_WAIT;
        if (r == 0)
            (void)error_set(&e, -ECONNRESET, "the service hung up");
        if (r <= 0)
            *l->error = e;
        step = r > 0 ? take_reply(l, &reply) : end(l, STATUS_UNREACHABLE);
    }
    return step;
}

/* The worker's end may hang up before the outcome comes: that is no fault. Nor
 * does a fault end the loop, for the outcome will come of it. */
static void serve_channel(struct loop *l)
{
    struct watch *w = l->watch;

    if (files_serve(w->files, w->channel, l->error) <= 0)
        fd_close(&w->channel);
}

static enum step take_signal(struct loop *l)
{
    struct watch *w = l->watch;
    struct signalfd_siginfo info;

    if (read(l->signals, &info, sizeof(info)) != sizeof(info))
        return STEP_WAIT;
    if (info.ssi_signo == SIGWINCH) {
        if (w->on_resize)
            w->on_resize(w->user);
        return STEP_WAIT;
    }
    bool again = l->interrupted;
    l->interrupted = true;
    if (!again && w->on_interrupt && w->on_interrupt(w->user))
        return STEP_WAIT;
    return end(l, STATUS_INTERRUPTED);
}

static enum step wait_once(struct loop *l)
{
    struct watch *w = l->watch;
    struct pollfd polled[] = {
        {.fd = l->signals, .events = POLLIN}, // -1 is passed over
        {.fd = w->channel, .events = POLLIN},
        {.fd = client_fd(w->client), .events = POLLIN},
    };

    if (poll(polled, sizeof(polled) / sizeof(polled[0]), -1) < 0)
        return STEP_WAIT; // EINTR: a signal of those that are not ours
    if (polled[0].revents && take_signal(l) == STEP_END)
        return STEP_END;
    if (polled[1].revents)
        serve_channel(l);
    return polled[2].revents ? take_replies(l) : STEP_WAIT;
}

/* The signals as a descriptor. They stay so until the process ends: what comes
 * after the loop tidies up, and shall not be cut short. */
static int open_signals(void)
{
    static const int ours[] = {SIGINT, SIGTERM, SIGHUP, SIGWINCH};
    sigset_t set;

    (void)sigemptyset(&set);
    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        (void)sigaddset(&set, ours[i]);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    (void)signal(SIGPIPE, SIG_IGN); // seen as an error of standard output
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

enum status watch_run(struct watch *w, struct error *e)
{
    struct loop l = {.watch = w, .error = e, .signals = open_signals()};

    enum step step = take_replies(&l);
    while (step == STEP_WAIT)
        step = wait_once(&l);

    fd_close(&w->channel);
    fd_close(&l.signals);
    return l.status;
}
