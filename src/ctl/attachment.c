#include "attachment.h"

#include <stdlib.h>
#include <sys/socket.h>

#include <jansson.h>

#include "base/error.h"
#include "base/fd.h"
#include "base/memory.h"
#include "files/files.h"
#include "jobfile.h"
#include "model/job.h"
#include "model/profile.h"
#include "session.h"
#include "wire/client.h"
#include "wire/interface.h"

struct attachment {
    json_t *document;    // referenced; as the user wrote it
    struct job job;      // after merging, for the names of its files
    struct files *files; // owned
    int near;            // owned; this process's end of the channel, or -1
    int far;             // owned; the worker's, -1 once it is sent
};

/* @document merged over the profile that it names, which is the daemon's. */
static enum status merge(json_t **ret, const struct invocation *v,
                         struct client *c, json_t *document)
{
    struct profiles *profiles = NULL;
    struct error e = {0};
    json_t *answer;

    if (!json_is_string(json_object_get(document, "profile"))) {
        *ret = json_incref(document);
        return STATUS_GOOD;
    }
    enum status s = session_ask(&answer, c, v, INTERFACE_PROFILES, NULL);
    if (s != STATUS_GOOD)
        return s;

    int r =
        profiles_from_json(&profiles, json_object_get(answer, "profiles"), &e);
    if (r == 0)
        r = profiles_apply(profiles, document, ret, &e);
    profiles_destroy(profiles);
    json_decref(answer);
    if (r == 0)
        return STATUS_GOOD;
    status_complain(&e);
    return STATUS_REFUSED;
}

/* Everything that needs the merged document. */
static int open_files(struct attachment *a, const json_t *merged,
                      struct error *e)
{
    int pair[2];
    int r = job_from_json(&a->job, merged, e);

    if (r < 0)
        return r;
    a->files = files_create(&a->job, NULL);
    r = files_check(a->files, e);
    if (r < 0)
        return r;
    r = fd_socketpair(SOCK_SEQPACKET, pair);
    if (r < 0)
        return error_set_errno(e, r, "cannot make the file channel");
    a->near = pair[0];
    a->far = pair[1];
    return 0;
}

static void destroy(struct attachment *a)
{
    fd_close(&a->near);
    fd_close(&a->far);
    files_destroy(a->files);
    job_fini(&a->job);
    json_decref(a->document);
    free(a);
}

/* Consumes @document. */
static enum status create(struct attachment **ret, const struct invocation *v,
                          struct client *c, json_t *document)
{
    struct attachment *a = xcalloc(1, sizeof(*a));
    struct error e = {0};
    json_t *merged = NULL;

    a->near = -1;
    a->far = -1;
    a->document = document;
    enum status s = merge(&merged, v, c, a->document);
    if (s != STATUS_GOOD)
        goto fail;
    int r = open_files(a, merged, &e);
    json_decref(merged);
    if (r < 0) {
        status_complain(&e);
        s = STATUS_REFUSED;
        goto fail;
    }
    *ret = a;
    return STATUS_GOOD;

fail:
    destroy(a);
    return s;
}

static enum status call(struct attachment *a, struct client *c,
                        const char *method)
{
    struct error e = {0};
    json_t *parameters = json_pack("{sO}", "job", a->document);

    int r = client_call(c, method, parameters, true, &a->far, 1, &e);
    json_decref(parameters);
    fd_close(&a->far); // so that the worker's hang-up is seen
    return r < 0 ? status_fail(STATUS_UNREACHABLE, "%s", e.text) : STATUS_GOOD;
}

/* Consumes @document. */
static enum status run(const struct invocation *v, struct client *c,
                       json_t *document, const char *method,
                       attachment_attend *attend, void *user)
{
    struct attachment *a;
    enum status s = create(&a, v, c, document);

    if (s != STATUS_GOOD)
        return s;
    s = call(a, c, method);
    if (s == STATUS_GOOD)
        s = attend(v, c, a->files, fd_take(&a->near), user);
    destroy(a);
    return s;
}

enum status attachment_run(const struct invocation *v, const char *method,
                           attachment_attend *attend)
{
    struct client *c;
    struct error e = {0};
    json_t *document;
    enum status s = session_open(&c, v);

    if (s != STATUS_GOOD)
        return s;
    if (jobfile_read(&document, v->operands[0], &e) == 0) {
        s = run(v, c, document, method, attend, NULL);
    } else {
        status_complain(&e);
        s = STATUS_REFUSED;
    }
    client_close(c);
    return s;
}

enum status attachment_run_document(const struct invocation *v,
                                    json_t *document, const char *method,
                                    attachment_attend *attend, void *user)
{
    struct client *c;
    enum status s = session_open(&c, v);

    if (s != STATUS_GOOD) {
        json_decref(document);
        return s;
    }
    s = run(v, c, document, method, attend, user);
    client_close(c);
    return s;
}
