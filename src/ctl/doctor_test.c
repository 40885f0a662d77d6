#include "doctor_test.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "attachment.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "command.h"
#include "doctor_clip.h"
#include "finding.h"
#include "watch.h"
#include "wire/interface.h"

#define TIMEOUT 60 // s, of one test

/* One job, and what was heard of it. */
struct trial {
    json_t *ready;   // referenced; its events, NULL: did not come
    json_t *outcome; // referenced
    struct error error;
    int64_t began; // monotonic µs
};

static void on_reply(void *user, const json_t *reply)
{
    struct trial *t = user;
    json_t *event = json_object_get(reply, "event");
    const char *kind = json_string_value(json_object_get(event, "event"));

    if (kind && strcmp(kind, "ready") == 0 && !t->ready)
        t->ready = json_incref(event);
    else if (kind && strcmp(kind, "outcome") == 0 && !t->outcome)
        t->outcome = json_incref(event);
}

static enum status attend(const struct invocation *v, struct client *c,
                          struct files *files, int channel, void *user)
{
    struct trial *t = user;
    struct watch w = {.invocation = v,
                      .client = c,
                      .files = files,
                      .channel = channel,
                      .on_reply = on_reply,
                      .user = t};

    return watch_run(&w, &t->error);
}

static json_t *make_job(const char *input, const char *output,
                        const char *hardware)
{
    // a realtime job does not wait for a card that others keep busy
    return json_pack("{s:s, s:s, s:i, s:{s:s}, s:[{s:s, s:{s:s, s:i}, s:[]}]}",
                     "hardware", hardware, "priority", "realtime", "timeout",
                     TIMEOUT, "input", "path", input, "outputs", "path", output,
                     "video", "codec", "h264", "max_height", 240, "audio");
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

static void judge_done(const struct trial *t, struct finding *ret)
{
    double seconds = (double)(clock_now() - t->began) / (double)SECOND;
    json_int_t frames =
        json_integer_value(json_object_get(t->outcome, "frames"));
    const char *plan =
        json_string_value(json_array_get(json_object_get(t->ready, "plan"), 0));

    finding_add(ret, frames == DOCTOR_CLIP_FRAMES ? FINDING_GOOD : FINDING_BAD,
                NULL, "%d frames in %.1f s on %s by %s", (int)frames, seconds,
                text_of(t->ready, "device"), plan ? plan : "nothing");
}

static void judge(const struct trial *t, struct finding *ret)
{
    const char *outcome = text_of(t->outcome, "outcome");

    if (strcmp(outcome, "done") == 0)
        judge_done(t, ret);
    else if (t->outcome)
        finding_add(ret, FINDING_BAD,
                    "the lines above, then transcodectl list and show",
                    "the job ended: %s: %s", outcome,
                    text_of(t->outcome, "text"));
    else
        finding_add(ret, FINDING_BAD, NULL, "the job could not be done: %s",
                    t->error.text[0] ? t->error.text : "no outcome");
}

static enum status try_one(const struct invocation *v, const char *input,
                           const char *output, const char *hardware,
                           struct finding *ret)
{
    struct trial t = {.began = clock_now()};
    enum status s = attachment_run_document(
        v, make_job(input, output, hardware), INTERFACE_SUBMIT, attend, &t);

    judge(&t, ret);
    json_decref(t.ready);
    json_decref(t.outcome);
    return s == STATUS_INTERRUPTED ? s : STATUS_GOOD;
}

/* The CPU makes the clip into H.264, which is what the card's decoder gets. */
static const struct {
    const char *id;
    const char *input;
    const char *output;
    const char *hardware;
} trials[] = {
    {"test-cpu", "clip.y4m", "cpu.mp4", "none"},
    {"test-gpu", "cpu.mp4", "gpu.mp4", "require"},
};
#define TRIALS (sizeof(trials) / sizeof(trials[0]))

/* What the trials have left, and the folder. */
static void tidy(const char *folder)
{
    static const char *const names[] = {"clip.y4m", "cpu.mp4", "gpu.mp4"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char *path = xasprintf("%s/%s", folder, names[i]);
        (void)unlink(path);
        free(path);
    }
    (void)rmdir(folder);
}

static enum status
try_all(const struct invocation *v, const char *folder,
        enum doctor_devices which,
        void (*told)(void *user, const char *id, struct finding *f), void *user)
{
    size_t count = which == DOCTOR_CPU_AND_CARD ? TRIALS : 1;
    enum status s = STATUS_GOOD;

    for (size_t i = 0; s == STATUS_GOOD && i < count; i++) {
        struct finding f = {.state = FINDING_GOOD};
        char *input = xasprintf("%s/%s", folder, trials[i].input);
        char *output = xasprintf("%s/%s", folder, trials[i].output);
        s = try_one(v, input, output, trials[i].hardware, &f);
        free(input);
        free(output);
        told(user, trials[i].id, &f);
    }
    return s;
}

/* Where the clip and the results lie; the caller frees. */
static char *make_folder(struct error *e)
{
    const char *where = getenv("TMPDIR");
    char *folder =
        xasprintf("%s/transcodectl-doctor-XXXXXX", where ? where : "/tmp");

    if (mkdtemp(folder))
        return folder;
    (void)error_set_errno(e, -errno, "cannot make a folder '%s'", folder);
    free(folder);
    return NULL;
}

enum status doctor_test(const struct invocation *v, enum doctor_devices which,
                        void (*told)(void *user, const char *id,
                                     struct finding *f),
                        void *user)
{
    struct error e = {0};
    enum status s = STATUS_GOOD;
    char *folder = make_folder(&e);
    char *clip = xasprintf("%s/%s", folder ? folder : "", trials[0].input);

    if (folder && doctor_clip_write(clip, &e) == 0) {
        s = try_all(v, folder, which, told, user);
    } else {
        struct finding f = {.state = FINDING_GOOD};
        finding_add(&f, FINDING_BAD, "TMPDIR=, a folder with 10 MB of room",
                    "%s", e.text);
        told(user, trials[0].id, &f);
    }
    if (folder)
        tidy(folder);
    free(clip);
    free(folder);
    return s;
}
