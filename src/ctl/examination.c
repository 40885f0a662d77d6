#include "examination.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/system.h"
#include "command.h"
#include "status.h"
#include "wire/client.h"
#include "wire/interface.h"
#include "wire/message.h"

#define PATIENCE (60 * SECOND) // the service gives its processes ten seconds

/* What an answer that is an error means. */
static const struct {
    const char *error;
    enum finding_state state;
    const char *remedy;
} refusals[] = {
    {INTERFACE_NOT_PERMITTED, FINDING_WARNING,
     "sudo transcodectl doctor: the service tells only root, the admin group "
     "and who started it"},
    {INTERFACE_METHOD_NOT_FOUND, FINDING_WARNING,
     "systemctl restart transcoded: it is an older one"},
};
#define REFUSALS (sizeof(refusals) / sizeof(refusals[0]))

static void fall_silent(struct examination *x, enum finding_state state,
                        const char *remedy, const struct error *e)
{
    (void)snprintf(x->reason, sizeof(x->reason), "%s", e->text);
    x->patient.silence = state;
    x->patient.reason = x->reason;
    x->patient.remedy = remedy;
}

static void take_refusal(struct examination *x,
                         const struct message_reply *reply)
{
    struct error e = {0};
    size_t i = 0;

    status_describe(reply, &e);
    while (i < REFUSALS && strcmp(refusals[i].error, reply->error) != 0)
        i++;
    fall_silent(x, i < REFUSALS ? refusals[i].state : FINDING_BAD,
                i < REFUSALS ? refusals[i].remedy : "journalctl -u transcoded",
                &e);
}

static void take_answer(struct examination *x,
                        const struct message_reply *reply)
{
    struct error e = {0};

    if (diagnosis_from_json(&x->service, reply->parameters, &e) == 0)
        x->patient.service = &x->service;
    else
        fall_silent(x, FINDING_WARNING,
                    "systemctl restart transcoded: it is of another version",
                    &e);
}

/* 0 with a reply for the caller to finish, or -errno with words. */
static int call(struct client *c, const char *method, struct message_reply *ret,
                struct error *e)
{
    int r = client_call(c, method, NULL, false, NULL, 0, e);

    if (r < 0)
        return r;
    r = client_receive(c, PATIENCE, ret, e);
    if (r == 0)
        return error_set(e, -ECONNRESET, "the service hung up");
    if (r == -EAGAIN)
        return error_set(e, r, "the service does not answer");
    return r < 0 ? r : 0;
}

static int ask_diagnosis(struct examination *x, struct client *c,
                         struct error *e)
{
    struct message_reply reply;

    int r = call(c, INTERFACE_DIAGNOSE, &reply, e);
    if (r < 0)
        return r;
    if (reply.error)
        take_refusal(x, &reply);
    else
        take_answer(x, &reply);
    message_reply_fini(&reply);
    return 0;
}

static int ask_devices(struct examination *x, struct client *c, struct error *e)
{
    struct message_reply reply;

    int r = call(c, INTERFACE_DEVICES, &reply, e);
    if (r < 0)
        return r;
    if (!reply.error) {
        x->devices = json_incref(reply.parameters);
        x->patient.devices = json_object_get(x->devices, "devices");
        const char *problem =
            json_string_value(json_object_get(x->devices, "problem"));
        x->patient.problem = problem ? problem : "";
    }
    message_reply_fini(&reply);
    return 0;
}

static void ask_service(struct examination *x, const struct invocation *v)
{
    char *path = client_socket_path(v->settings.socket);
    struct client *c = NULL;
    struct error e = {0};

    int r = client_connect(&c, path, &e);
    if (r == 0)
        r = ask_diagnosis(x, c, &e);
    if (r == 0)
        r = ask_devices(x, c, &e);
    client_close(c);
    free(path);
    if (r < 0)
        fall_silent(x, FINDING_BAD,
                    "systemctl start transcoded.socket, then journalctl -u "
                    "transcoded",
                    &e);
}

/* The service may not see whose a process is that holds a session. */
static void name_holders(struct diagnosis *d)
{
    for (size_t i = 0; i < d->session_count; i++) {
        struct diagnosis_session *s = &d->sessions[i];
        char path[48];
        if (s->name[0])
            continue;
        (void)snprintf(path, sizeof(path), "/proc/%" PRId64 "/comm", s->pid);
        (void)system_read_line(path, s->name, sizeof(s->name));
    }
}

/* Only at folders that the service has trouble with: one that does not answer
 * would hold us, too. */
static void look_at_folders(struct examination *x)
{
    x->here = xcalloc(x->service.folder_count + 1, sizeof(*x->here));
    x->patient.here = x->here;
    for (size_t i = 0; i < x->service.folder_count; i++) {
        const struct diagnosis_folder *f = &x->service.folders[i];
        struct statvfs fs;
        if (!f->error || f->problem[0])
            continue;
        x->here[i].exists = statvfs(f->path, &fs) == 0;
        x->here[i].is_read_only = x->here[i].exists && (fs.f_flag & ST_RDONLY);
    }
}

void examination_init(struct examination *ret, const struct invocation *v)
{
    *ret = (struct examination){
        .patient = {.machine = &ret->machine, .problem = ""}};
    machine_read(&ret->machine);
    ask_service(ret, v);
    name_holders(&ret->service);
    look_at_folders(ret);
    if (ret->service.is_service) {
        unit_read(&ret->unit);
        ret->patient.unit = &ret->unit;
    }
}

void examination_fini(struct examination *x)
{
    diagnosis_fini(&x->service);
    free(x->here);
    unit_fini(&x->unit);
    json_decref(x->devices);
}
