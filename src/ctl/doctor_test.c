#include "doctor_test.h"

#include <errno.h>
#include <stdbool.h>
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
#include "doctor.h"
#include "doctor_clip.h"
#include "finding.h"
#include "watch.h"
#include "wire/interface.h"

#define TIMEOUT    60 // s, of one test

#define CLIP       "clip.y4m"
#define CPU_RESULT "cpu.mp4"
#define GPU_RESULT "gpu.mp4"

struct doctor_test {
    const struct invocation *invocation; // not owned
    const char *folder;                  // not owned
    void (*told)(void *user, const char *id, struct finding *f);
    void *user;
};

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

/* A second of film on one device, from a file of the folder to another. */
struct attempt {
    const char *input;
    const char *output;
    const char *hardware;
    const char *device; // NULL: any
};

static json_t *make_job(const struct attempt *a, const char *folder)
{
    // a realtime job does not wait for a card that others keep busy
    return json_pack(
        "{s:s, s:s?, s:s, s:i, s:b, s:{s:o}, s:[{s:o, s:{s:s, s:i}, s:[]}]}",
        "hardware", a->hardware, "device", a->device, "priority", "realtime",
        "timeout", TIMEOUT, "overwrite", 1, "input", "path",
        json_sprintf("%s/%s", folder, a->input), "outputs", "path",
        json_sprintf("%s/%s", folder, a->output), "video", "codec", "h264",
        "max_height", 240, "audio");
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

static enum status try_one(const struct doctor_test *d, const char *id,
                           const struct attempt *a)
{
    struct trial t = {.began = clock_now()};
    struct finding f = {.state = FINDING_GOOD};
    enum status s = attachment_run_document(
        d->invocation, make_job(a, d->folder), INTERFACE_SUBMIT, attend, &t);

    judge(&t, &f);
    json_decref(t.ready);
    json_decref(t.outcome);
    d->told(d->user, id, &f);
    return s == STATUS_INTERRUPTED ? s : STATUS_GOOD;
}

static enum status try_cpu(const struct doctor_test *d)
{
    return try_one(d, "test-cpu",
                   &(struct attempt){CLIP, CPU_RESULT, "none", NULL});
}

/* The CPU has made the clip into H.264, which is what the decoder gets. */
static enum status try_card(const struct doctor_test *d, const char *device)
{
    char *id = xasprintf("test-%s", device);
    enum status s = try_one(
        d, id, &(struct attempt){CPU_RESULT, GPU_RESULT, "require", device});

    free(id);
    return s;
}

/* A card that the service does not find: other lines say why. */
static void miss_card(const struct doctor_test *d, const struct patient *p)
{
    struct finding f = {.state = FINDING_GOOD};

    finding_add(&f, FINDING_NOTE, NULL, "the service has found no card%s%s",
                p->problem && *p->problem ? ": " : "",
                p->problem ? p->problem : "");
    d->told(d->user, "test-gpu", &f);
}

static enum status try_cards(const struct doctor_test *d,
                             const struct patient *p)
{
    enum status s = STATUS_GOOD;
    bool is_any = false;
    size_t i;
    const json_t *device;

    json_array_foreach (p->devices, i, device) {
        if (s != STATUS_GOOD || !json_is_object(json_object_get(device, "gpu")))
            continue;
        is_any = true;
        s = try_card(d, text_of(device, "id"));
    }
    if (!is_any && doctor_has_card(p))
        miss_card(d, p);
    return s;
}

/* What the attempts have left, and the folder. */
static void tidy(const char *folder)
{
    static const char *const names[] = {CLIP, CPU_RESULT, GPU_RESULT};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char *path = xasprintf("%s/%s", folder, names[i]);
        (void)unlink(path);
        free(path);
    }
    (void)rmdir(folder);
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

enum status doctor_test(const struct invocation *v, const struct patient *p,
                        void (*told)(void *user, const char *id,
                                     struct finding *f),
                        void *user)
{
    struct error e = {0};
    enum status s = STATUS_GOOD;
    char *folder = make_folder(&e);
    char *clip = xasprintf("%s/" CLIP, folder ? folder : "");
    const struct doctor_test d = {v, folder, told, user};

    if (folder && doctor_clip_write(clip, &e) == 0) {
        s = try_cpu(&d);
        if (s == STATUS_GOOD)
            s = try_cards(&d, p);
    } else {
        struct finding f = {.state = FINDING_GOOD};
        finding_add(&f, FINDING_BAD, "TMPDIR=, a folder with 10 MB of room",
                    "%s", e.text);
        told(user, "test-cpu", &f);
    }
    if (folder)
        tidy(folder);
    free(clip);
    free(folder);
    return s;
}
